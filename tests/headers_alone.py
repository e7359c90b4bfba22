#!/usr/bin/env python3
"""Compile each header by itself, with the flags of the build: a header brings what it needs.

usage: headers_alone.py BUILD_DIR

Takes compiler and flags from BUILD_DIR/compile_commands.json, of a source file of the header's folder or the nearest
one above. Prints a header that fails with the compiler's words; exit status 1 where there is one."""
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys

FOLDERS = ["core", "config", "daemon", "bench", "tests"]


def flags_by_folder(build, root):
    """Folder, relative to the root -> compiler and flags of one of its sources."""
    flags = {}
    for command in json.loads((build / "compile_commands.json").read_text()):
        source = (build / command["file"]).resolve()
        words = shlex.split(command["command"])
        kept, skip = [], False
        for word in words:
            if skip or word in ("-c", command["file"]):
                skip = False
            elif word in ("-o", "-MF", "-MQ"):
                skip = True
            elif word not in ("-MD",):
                kept.append(word)
        if source.is_relative_to(root):
            flags.setdefault(source.parent.relative_to(root), kept)
    return flags


def nearest_flags(folder, flags):
    for place in [folder, *folder.parents]:
        if place in flags:
            return flags[place]
        below = [f for f in sorted(flags) if f.is_relative_to(place)]
        if below:
            return flags[below[0]]
    return None


def compile_alone(header, command, build):
    run = subprocess.run([*command, "-fsyntax-only", "-x", "c++", "-"], input=f'#include "{header}"\n', cwd=build,
                         capture_output=True, text=True)
    return run.returncode == 0, run.stderr


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root, build = pathlib.Path(__file__).resolve().parent.parent, pathlib.Path(sys.argv[1]).resolve()
    flags = flags_by_folder(build, root)
    headers = sorted(h.relative_to(root) for folder in FOLDERS for h in (root / folder).rglob("*.h"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda h: compile_alone(h, nearest_flags(h.parent, flags), build), headers))
    failed = 0
    for header, (good, words) in zip(headers, results):
        if not good:
            failed += 1
            print(f"{header} does not compile alone:\n{words}")
    print(f"{len(headers) - failed} of {len(headers)} headers compile alone")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
