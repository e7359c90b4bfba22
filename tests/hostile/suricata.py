#!/usr/bin/env python3
"""What Suricata logs of the captures of the evasion tests, as the table of docs/hostile-input.md.

usage: suricata.py FTPSENSORD EVASION_TEST ...

EVASION_TEST (tests/golden/evasion*_test.cpp) leaves its captures. Each is read by both programs, without rules and with
Suricata's own defaults but for the outputs; prints a line a test: what each says of the sessions in it. Needs suricata
(Debian: bookworm-backports)."""
import gzip
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile


def suricata(capture, work):
    """(user and command of each FTP event, application protocols of flows to a server's port)"""
    work.mkdir()
    subprocess.run(["suricata", "-r", str(capture), "-l", str(work), "-S", "/dev/null", "-k", "none",
                    "--set", "outputs.1.eve-log.enabled=yes"], check=True, capture_output=True)
    events = [json.loads(line) for line in (work / "eve.json").read_text().splitlines()]
    said = [e["ftp"].get("command", "-") + " " + e["ftp"].get("command_data", "") for e in events
            if e["event_type"] == "ftp"]
    flows = [e.get("app_proto", "-") for e in events if e["event_type"] == "flow"]
    return said, flows


def ours(program, capture, work):
    subprocess.run([program, "read", "-o", str(work), "--set", "ftp.commands=[all]", str(capture)], check=True,
                   capture_output=True)
    entries = [json.loads(line) for path in sorted(work.rglob("*.gz")) for line in gzip.open(path, "rt")]
    entries = [e for e in entries if e["_path"] in ("ftp", "conn")]
    said = [f"{e['command']} {e.get('arg', '')}" for e in entries if e["_path"] == "ftp" and "command" in e]
    flows = [e.get("service", "-") for e in entries if e["_path"] == "conn"]
    return said, flows


def summary(said, flows):
    """Whether the login and the command that matters are there."""
    commands = [line.split(" ")[0].upper() for line in said]
    shown = []
    for command in ["USER", "DELE", "RETR"]:
        found = [line for line, name in zip(said, commands) if name == command]
        if found:
            shown.append(found[0].strip()[:40])
    return f"{', '.join(shown) or 'no command'}; {', '.join(sorted(set(flows))) or 'no flow'}"


def main():
    program, *evasion_tests = sys.argv[1:]
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        captures = work / "captures"
        captures.mkdir()
        for evasion_test in evasion_tests:
            subprocess.run([evasion_test], check=True, stdout=subprocess.DEVNULL,
                           env={**os.environ, "FTPSENSOR_TEST_CAPTURES": str(captures)})
        seen = set()
        for number, capture in enumerate(sorted(captures.iterdir())):
            contents = capture.read_bytes()
            if contents in seen:  # a test reads some of its captures twice
                continue
            seen.add(contents)
            name = re.sub(r"(-\d+)+$", "", capture.stem).replace("evasion--", "").replace("-", " ")
            print(f"| {name} | {summary(*ours(program, capture, work / f'o{number}'))} | "
                  f"{summary(*suricata(capture, work / f's{number}'))} |", flush=True)


main()
