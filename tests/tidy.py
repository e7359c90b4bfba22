#!/usr/bin/env python3
"""Hold the sources to the project's own rules (CONTRIBUTING.md): what a compiler does not check.

usage: tidy.py ROOT

Prints a line a breach, "file:line: what is wrong"; exit status 1 where there is one. The rules:
  layout      as clang-format 14 leaves it (where that is installed: other versions differ), at most 120 columns
  length      functions fit a screen (70 lines), files have at most 450 lines
  headers     open with a comment that says their purpose; #pragma once
  layers      a folder of core/ includes only what lies below it; nothing includes daemon/; DPDK in daemon/ and bench/,
              yaml-cpp in config/ alone
  tests       of Catch2 what both of its versions have by one name (tests/support/catch.h)
  events      what core/base/events.h names is counted somewhere in core/ or daemon/
  unfinished  no TODO, FIXME or XXX"""
import pathlib
import re
import shutil
import subprocess
import sys

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 450
LINE_COLUMNS_MAX = 120
FOLDERS = ["core", "config", "daemon", "bench", "tests"]

# What each folder may include of the others, itself always.
LAYERS = {
    "core/base": [],
    "core/packet": ["core/base"],
    "core/record": ["core/base", "core/packet"],
    "core/conn": ["core/base", "core/packet", "core/record"],
    "core/ftp": ["core/base", "core/packet", "core/record", "core/conn"],
    "core/pipeline": ["core/base", "core/packet", "core/record", "core/conn", "core/ftp"],
    "core/log": ["core/base", "core/packet", "core/record"],
    "config": ["core/base"],
    "daemon": ["core", "config"],
    "bench": ["core", "config", "daemon", "tests/support"],
    "tests": ["core", "config", "daemon", "tests/support"],
    "tests/support": ["core"],
}

INCLUDE = re.compile(r'\s*#\s*include\s+([<"])([^>"]+)[>"]')
# Matchers moved between Catch2 2 (Debian 12) and 3 (13); what stands for both is in tests/support/catch.h.
ONE_CATCH_ONLY = re.compile(r"\bCatch::(?!Contains\b)[A-Z]\w*|\bApprox\(")
NOT_A_FUNCTION = re.compile(r"\s*(namespace|class|struct|enum|union|extern|inline namespace)\b|.*[=\]]\s*\{$|\s*\}")


def layer_of(path):
    names = [name for name in LAYERS if path == name or path.startswith(name + "/")]
    return max(names, key=len) if names else None


def check_include(path, quote, included):
    """What is wrong with one include, or None."""
    if included.startswith("rte_") and not path.startswith(("daemon/", "bench/", "tests/unit/daemon/", "tests/live/")):
        return "DPDK's headers belong into daemon/ and bench/"
    if included.startswith("yaml-cpp/") and not path.startswith("config/"):
        return "yaml-cpp belongs into config/"
    layer = layer_of(path)
    target = layer_of(included) if quote == '"' else None
    if layer is None or target is None or target == layer:
        return None
    if any(target == allowed or target.startswith(allowed + "/") for allowed in LAYERS[layer]):
        return None
    return f"{layer} does not see {target} (see ARCHITECTURE.md, Layers)"


def long_functions(lines):
    """(line number, length) of each function that does not fit a screen. Relies on clang-format's indentation."""
    for start, line in enumerate(lines):
        if not line.endswith("{") or NOT_A_FUNCTION.match(line):
            continue
        indentation = len(line) - len(line.lstrip())
        if indentation not in (0, 4) or (indentation == 4 and not re.search(r"\)[^;]*\{$", line)):
            continue
        closing = re.compile(" " * indentation + r"\}")
        end = next((i for i in range(start + 1, len(lines)) if closing.match(lines[i])), start)
        if end - start + 1 > FUNCTION_LINES_MAX:
            yield start + 1, end - start + 1


def check_file(path, text):
    """(line number, what is wrong) of a source file; `path` is relative to the root."""
    lines = text.split("\n")
    if text and not text.endswith("\n"):
        yield len(lines), "the last line has no end"
    if len(lines) - 1 > FILE_LINES_MAX:
        yield len(lines), f"{len(lines) - 1} lines: split it by subject (at most {FILE_LINES_MAX})"
    if path.endswith(".h"):
        if not lines[0].startswith("// "):
            yield 1, "a header opens with a comment that says its purpose"
        if "#pragma once" not in lines:
            yield 1, "no #pragma once"
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_COLUMNS_MAX:
            yield number, f"{len(line)} columns (at most {LINE_COLUMNS_MAX})"
        if "\t" in line or line != line.rstrip():
            yield number, "a tab, or a space at the end"
        if re.search(r"\b(TODO|FIXME|XXX)\b", line):
            yield number, "unfinished: finish it, or make it an issue"
        if path.startswith("tests/") and path != "tests/support/catch.h" and ONE_CATCH_ONLY.search(line):
            yield number, "not in both versions of Catch2: see tests/support/catch.h"
        include = INCLUDE.match(line)
        wrong = check_include(path, *include.groups()) if include else None
        if wrong:
            yield number, f"{include.group(2)}: {wrong}"
    for number, length in long_functions(lines):
        yield number, f"a function of {length} lines (at most {FUNCTION_LINES_MAX})"


def uncounted_events(names, sources):
    """(line number, what is wrong) of each event that no source counts: an alert on it would be silent for ever."""
    counted = set(re.findall(r"\bEvent::(\w+)", sources))
    for number, line in enumerate(names.split("\n"), 1):
        for name in re.findall(r"\bX\((\w+)\)", line):
            if name != "name" and name not in counted:
                yield number, f"the event {name} is never counted"


def check_layout(files):
    """Lines of clang-format's complaints; empty where its version is another one."""
    program = shutil.which("clang-format-14") or shutil.which("clang-format")
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout if program else ""
    if " 14." not in version:
        print("note: no clang-format 14 here: the layout was not checked")
        return []
    run = subprocess.run([program, "--dry-run", *map(str, files)], capture_output=True, text=True)
    places = [line.split(": warning")[0].split(":") for line in run.stderr.splitlines() if ": warning" in line]
    first = {}
    for path, line, _ in places:
        first.setdefault(path, line)
    return [f"{path}:{line}: not as clang-format lays it out" for path, line in sorted(first.items())]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[1])
    files = sorted(p for folder in FOLDERS for p in (root / folder).rglob("*") if p.suffix in (".h", ".cpp"))
    complaints = [f"{file.relative_to(root)}:{number}: {wrong}" for file in files
                  for number, wrong in check_file(file.relative_to(root).as_posix(), file.read_text())]
    events = root / "core/base/events.h"
    sources = "".join(file.read_text() for file in files if file.relative_to(root).parts[0] in ("core", "daemon"))
    complaints += [f"core/base/events.h:{number}: {wrong}" for number, wrong in uncounted_events(events.read_text(), sources)]
    complaints += check_layout(files)
    print("\n".join(complaints) if complaints else f"{len(files)} files are tidy")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
