#!/usr/bin/env python3
"""The logs do not depend on the number of workers: byte for byte, with 1, 2, 3 and 8 of them.

usage: workers.py [--golden FOLDER] [--delayed ROUNDS] FTPSENSORD MISSION_CAPTURE

Reads the mission's session and, where ../shared/conformance is present, all captures of it, strict and extended, and compares
the files' contents with those that one worker writes. --golden: also what the golden tests read, whose programs are in
FOLDER. --delayed: instead, ROUNDS times the mission's session and the captures of real servers, the program's threads made
to pause at random (FTPSENSOR_TEST_DELAYS); the seed of a difference is printed."""
import argparse
import gzip
import os
import pathlib
import subprocess
import sys
import tempfile

WORKERS = [2, 3, 8]
DELAYED_GROUPS = ["lab", "mission"]
DELAYED = "FTPSENSOR_TEST_DELAYS"


def logs(binary, capture, workers, settings, folder, delays=None):
    """The exit status, and the contents of every log file, by its name."""
    environment = {k: v for k, v in os.environ.items() if k != DELAYED}
    if delays is not None:
        environment[DELAYED] = str(delays)
    command = [binary, "read", "--seed", "1", "--workers", str(workers)]
    command += [argument for setting in settings for argument in ("--set", setting)] + ["-o", str(folder), str(capture)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    if "ThreadSanitizer" in result.stderr or result.returncode < 0:
        sys.exit(f"{' '.join(command)}: exit status {result.returncode}\n{result.stderr[:12000]}")
    return result.returncode, {str(p.relative_to(folder)): gzip.decompress(p.read_bytes())
                               for p in sorted(folder.rglob("*.gz"))}


def has_entries(capture):
    """A case of the reference set without a log is without a connection; a capture of another place has entries."""
    return "conformance" not in capture.parts or any(capture.parent.glob("*.log"))


def first_difference(ours, theirs):
    if ours[0] != theirs[0]:
        return f"exit status {ours[0]} and {theirs[0]}"
    for name in sorted({*ours[1], *theirs[1]}):
        a, b = ours[1].get(name, b"").splitlines(), theirs[1].get(name, b"").splitlines()
        for number, (x, y) in enumerate(zip(a, b), 1):
            if x != y:
                return f"{name}:{number}:\n    {x[:300]!r}\n    {y[:300]!r}"
        if len(a) != len(b):
            return f"{name}: {len(a)} lines and {len(b)}"
    return "nothing"


def shared_captures(groups=None):
    """(name, path, settings) of each case; gzip-compressed captures are left to the conformance test."""
    shared = pathlib.Path(__file__).resolve().parents[2] / "shared" / "conformance"
    if not shared.is_dir():
        print(f"note: {shared} is not here: its captures were not compared")
        return
    for capture in sorted(shared.glob("*/*/input.*")):
        group = capture.parent.parent.name
        if (groups is None or group in groups) and capture.suffix != ".gz":
            settings = capture.parent / "set"
            yield f"{group}/{capture.parent.name}", capture, settings.read_text().split() if settings.exists() else []


def golden_captures(programs, folder):
    folder.mkdir()
    for program in sorted(programs.glob("*_test")):
        environment = {**os.environ, "FTPSENSOR_TEST_CAPTURES": str(folder)}
        subprocess.run([program], check=True, stdout=subprocess.DEVNULL, env=environment, timeout=600)
    for capture in sorted(folder.glob("*.pcap")):
        yield f"golden {capture.stem}", capture, []


def compare(binary, cases, work, rounds):
    """How many captures were compared, and how many differences there were."""
    failed = compared = 0
    for name, capture, settings in cases:
        for extended in ["false", "true"]:
            chosen = [*settings, f"ftp.extended={extended}"]
            with tempfile.TemporaryDirectory(dir=work) as out:
                out = pathlib.Path(out)
                one = logs(binary, capture, 1, chosen, out / "1")
                if one[0] != 0 or (not any(one[1].values()) and has_entries(capture)):
                    failed += 1
                    print(f"{name} extended={extended}: one worker: exit status {one[0]}, {len(one[1])} logs")
                for seed in rounds:
                    for workers in WORKERS:
                        many = logs(binary, capture, workers, chosen, out / f"{workers}-{seed}", seed)
                        if many != one:
                            failed += 1
                            print(f"{name} extended={extended} delays={seed}: {workers} workers differ from 1: "
                                  f"{first_difference(many, one)}")
            compared += 1
    return compared, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("mission_capture")
    parser.add_argument("--golden", type=pathlib.Path)
    parser.add_argument("--delayed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        mission = work / "mission.pcap"
        subprocess.run([args.mission_capture, str(mission)], check=True, stdout=subprocess.DEVNULL)
        cases = [("mission's session", mission, [])]
        cases += shared_captures(DELAYED_GROUPS if args.delayed else None)
        if args.golden:
            cases += golden_captures(args.golden, work / "golden")
        if not logs(args.binary, mission, 1, [], work / "any")[1]:
            sys.exit("no logs at all")
        rounds = range(1, args.delayed + 1) if args.delayed else [None]
        compared, failed = compare(args.binary, cases, work, rounds)
    print(f"{compared} captures with 1, 2, 3 and 8 workers, {len(rounds)} times, {failed} differences or failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
