#!/usr/bin/env python3
"""The logs do not depend on the number of workers: byte for byte, with 1, 2, 3 and 8 of them.

usage: workers.py FTPSENSORD MISSION_CAPTURE

Reads the mission's session and, where ../shared/conformance is present, its FTP captures, strict and extended, and
compares the files' contents with those that one worker writes."""
import gzip
import pathlib
import subprocess
import sys
import tempfile

WORKERS = [2, 3, 8]
GROUPS = ["ftp", "lab", "wire"]


def logs(binary, capture, workers, extended, folder):
    """The contents of every log file, by its name."""
    command = [binary, "read", "--seed", "1", "--workers", str(workers), "--set", f"ftp.extended={extended}",
               "-o", str(folder), str(capture)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return {str(p.relative_to(folder)): gzip.decompress(p.read_bytes()) for p in sorted(folder.rglob("*.gz"))}


def first_difference(ours, theirs):
    for name in sorted(set(ours) | set(theirs)):
        a, b = ours.get(name, b"").splitlines(), theirs.get(name, b"").splitlines()
        for number, (x, y) in enumerate(zip(a, b), 1):
            if x != y:
                return f"{name}:{number}:\n    {x[:300]!r}\n    {y[:300]!r}"
        if len(a) != len(b):
            return f"{name}: {len(a)} lines and {len(b)}"
    return "nothing"


def main():
    binary, mission_capture = sys.argv[1:]
    failed = compared = 0
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        mission = work / "mission.pcap"
        subprocess.run([mission_capture, str(mission)], check=True, stdout=subprocess.DEVNULL)
        captures = [mission]
        shared = pathlib.Path(__file__).resolve().parents[2] / "shared" / "conformance"
        for group in GROUPS:
            captures += sorted((shared / group).glob("*/input.*"))
        if len(captures) == 1:
            print(f"note: {shared} is not here: only the mission's session was compared")
        for capture in captures:
            for extended in ["false", "true"]:
                name = f"{capture.parent.name}/{capture.name} extended={extended}"
                one = logs(binary, capture, 1, extended, work / f"{compared}-1")
                for workers in WORKERS:
                    many = logs(binary, capture, workers, extended, work / f"{compared}-{workers}")
                    if many != one:
                        failed += 1
                        print(f"{name}: {workers} workers differ from 1: {first_difference(many, one)}")
                if not one:
                    failed += 1
                    print(f"{name}: no logs at all")
                compared += 1
    print(f"{compared} captures with 1, 2, 3 and 8 workers, {failed} differences")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
