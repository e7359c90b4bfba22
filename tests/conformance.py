#!/usr/bin/env python3
"""Hold the sensor's logs against the reference's, over every capture of the conformance set, where that is present.

usage: conformance.py --workers N FTPSENSORD

The set (captures, the reference's logs, run.py that compares) is no part of this project: it is looked for in
../shared/conformance beside the repository, or where FTPSENSOR_CONFORMANCE says. Cases that are known to differ are
listed in conformance_expected.txt with the reason. Fails where another case differs. Exit status 77 (skipped) without
the set."""
import argparse
import os
import pathlib
import re
import subprocess
import sys

SKIPPED = 77
HERE = pathlib.Path(__file__).resolve().parent


def expected_to_differ(text):
    """The cases of conformance_expected.txt: "group/case", then, after a #, the reason."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return {line for line in lines if line}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("sensor")
    arguments = parser.parse_args()

    conformance = pathlib.Path(os.environ.get("FTPSENSOR_CONFORMANCE", HERE.parent.parent / "shared" / "conformance"))
    if not (conformance / "run.py").exists():
        print(f"note: conformance was not tested: there is no reference set at {conformance}")
        sys.exit(SKIPPED)

    run = subprocess.run([sys.executable, "-B", str(conformance / "run.py"), "--workers", str(arguments.workers),
                          str(pathlib.Path(arguments.sensor).resolve())], capture_output=True, text=True)
    print(run.stdout + run.stderr)
    differing = set(re.findall(r"^-- (\S+?):?(?: |$)", run.stdout, re.MULTILINE))
    if run.returncode != 0 and not differing:
        sys.exit("run.py failed without naming a case")

    compared = sum(int(cases) for cases in re.findall(r"^\S+: \d+ of (\d+) cases equal$", run.stdout, re.MULTILINE))
    if compared == 0:
        sys.exit("run.py compared no case")

    expected = expected_to_differ((HERE / "conformance_expected.txt").read_text())
    for case in sorted(expected - differing):
        print(f"note: {case} is equal now with {arguments.workers} worker(s): take it out of conformance_expected.txt")
    unexpected = sorted(differing - expected)
    print(f"{len(differing)} of {compared} cases differ, {len(unexpected)} of them unexpectedly: {' '.join(unexpected)}")
    sys.exit(1 if unexpected else 0)


if __name__ == "__main__":
    main()
