#!/usr/bin/env python3
"""zcat, zgrep and jq read every log file, the current one included, at any moment of a live run that rotates.

usage: any_moment_test.py FTPSENSORD

A member of the file being written may be cut where the reader catches it (zcat then says so); what it prints up to there is
whole lines. Needs: see lab.py, and jq."""
import json
import subprocess
import sys
import threading
import time

import lab

SECONDS = 12


def keep_transferring(hub, over):
    while not over.is_set():
        subprocess.run(hub.inside("client", "curl", "--silent", "--max-time", "20", f"ftp://{lab.SERVER[0]}/hello.txt",
                                  "-o", "/dev/null"), check=False)


def read_now(path):
    """Lines that the analyst's tools print of a file just now; fails where one of them is not an entry."""
    zcat = subprocess.run(["zcat", str(path)], capture_output=True)
    if zcat.returncode != 0:
        words = zcat.stderr.decode()
        if "No such file" in words:  # rotated between the listing and now
            return None
        lab.check("unexpected end of file" in words, f"zcat {path.name}: {words}")
    lines = [line for line in zcat.stdout.split(b"\n")[:-1]]
    for line in lines:
        json.loads(line)
    jq = subprocess.run(["jq", "-r", "._path"], input=b"".join(line + b"\n" for line in lines), capture_output=True)
    if jq.returncode != 0 or jq.stdout.count(b"\n") != len(lines):
        lab.check(False, f"jq reads every line of {path.name}: {jq.stderr.decode()}")
    zgrep = subprocess.run(["zgrep", "-c", "_path", str(path)], capture_output=True, text=True)
    if "current" in path.parts:  # by now longer, cut elsewhere, or rotated
        if zgrep.stderr and "unexpected end of file" not in zgrep.stderr and "No such file" not in zgrep.stderr:
            lab.check(False, f"zgrep {path.name}: {zgrep.stderr}")
    elif int(zgrep.stdout) != len(lines):
        lab.check(False, f"zgrep finds what zcat found in {path.name}: {zgrep.stdout} of {len(lines)}")
    return len(lines)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    lab.need("jq", "zcat", "zgrep")
    with lab.Lab(sys.argv[1]) as hub:
        sensor = hub.start_sensor(workers=2, log__flush_interval="100ms", log__rotation__interval="4s",
                                  timeouts__tcp_close_delay="1s")
        over = threading.Event()
        traffic = [threading.Thread(target=keep_transferring, args=(hub, over)) for _ in range(3)]
        for thread in traffic:
            thread.start()
        rounds, current_lines, names = 0, 0, set()
        deadline = time.monotonic() + SECONDS
        try:
            while time.monotonic() < deadline:
                for path in lab.log_files(sensor.logs):
                    lines = read_now(path)
                    names.add(path.relative_to(sensor.logs).as_posix())
                    if lines is not None and "current" in path.parts:
                        current_lines = max(current_lines, lines)
                rounds += 1
        finally:
            over.set()
            for thread in traffic:
                thread.join()
        rotated = sorted(name for name in names if not name.startswith("current/"))
        print(f"{rounds} rounds, {len(rotated)} rotated files, up to {current_lines} lines in a current file")
        lab.check(current_lines > 0, "entries were read from a file while it was written")
        lab.check(len(rotated) >= 4, f"two files a log were rotated: {rotated}")
        status, _ = sensor.stop()
        lab.check(status == 0, "the sensor ends with status 0")
        found = lab.entries(sensor.logs)
        uids = [entry["uid"] for entry in found["conn"]]
        lab.check(len(uids) == len(set(uids)), "no connection is recorded twice")
        lab.check(sensor.summary()["kernel_drops"] == 0, "nothing dropped")


main()
