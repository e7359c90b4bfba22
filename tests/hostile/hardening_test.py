#!/usr/bin/env python3
"""The program is built as one that reads what strangers send: position-independent, relocations read-only before it starts,
stacks guarded and not executable, libc and the C++ library checked; and its unit writes no core dumps.

usage: hardening_test.py FTPSENSORD UNIT

UNIT: the service's file. Needs readelf (binutils)."""
import pathlib
import re
import shutil
import subprocess
import sys

failures = []


def check(holds, what):
    print(f"{'ok' if holds else 'FAILED'}: {what}")
    if not holds:
        failures.append(what)


def readelf(program, *options):
    return subprocess.run(["readelf", "--wide", *options, program], check=True, capture_output=True, text=True).stdout


def main():
    program, unit = sys.argv[1:]
    if shutil.which("readelf") is None:
        print("skipped: there is no readelf here")
        sys.exit(77)
    dynamic, segments = readelf(program, "--dynamic"), readelf(program, "--program-headers")
    symbols = readelf(program, "--dyn-syms")
    check("Type:" in readelf(program, "--file-header") and re.search(r"FLAGS_1.*\bPIE\b", dynamic), "position-independent")
    check("GNU_RELRO" in segments, "relocations become read-only")
    check(re.search(r"FLAGS_1.*\bNOW\b", dynamic), "all of them at the start")
    check(re.search(r"GNU_STACK\s+\S+\s+\S+\s+\S+\s+\S+\s+\S+\s+RW\s", segments), "no executable stack")
    check(not re.search(r"LOAD.*\bRWE\b", segments), "nothing is writable and executable")
    check("RPATH" not in dynamic and "RUNPATH" not in dynamic, "no path of its own to libraries")
    check("__stack_chk_fail" in symbols, "stack protector")
    check(re.search(r"\b__(memcpy|snprintf|read|vsnprintf)_chk\b", symbols), "_FORTIFY_SOURCE")
    check("__glibcxx_assert_fail" in symbols, "_GLIBCXX_ASSERTIONS")
    check(re.search(r"^LimitCORE=0$", pathlib.Path(unit).read_text(), re.MULTILINE), "no core dumps: LimitCORE=0")
    sys.exit(1 if failures else 0)


main()
