#!/usr/bin/env python3
"""Two live tests at once do not see each other, and kill -9 of a test leaves nothing of it on the machine.

usage: killed_test.py FTPSENSORD

Each of two processes makes a lab with a server and a sensor and a transfer under way. Then both are killed. Needs: see lab.py."""
import os
import pathlib
import signal
import subprocess
import sys
import time

import isolation
import lab


def be_the_victim():
    lab.need()
    with lab.Lab(sys.argv[1]) as hub:
        hub.start_sensor(workers=2)
        hub.curl(f"ftp://{lab.SERVER[0]}/hello.txt", "-o", "/dev/null")
        hub.curl("--limit-rate", "1M", f"ftp://{lab.SERVER[0]}/big.bin", "-o", "/dev/null", background=True)
        time.sleep(0.3)
        print("under way", flush=True)
        time.sleep(60)


def descendants(pid):
    """Of a process, itself included: (pid, network namespace)."""
    children = {}
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            children.setdefault(int(status.read_text().rsplit(")", 1)[1].split()[1]), []).append(int(status.parts[2]))
        except OSError:  # gone meanwhile
            continue
    found, open_ends = [], [pid]
    while open_ends:
        found.append(open_ends.pop())
        open_ends += children.get(found[-1], [])
    return found


def network_namespaces(pids):
    found = set()
    for pid in pids:
        try:
            found.add(os.readlink(f"/proc/{pid}/ns/net"))
        except OSError:
            continue
    return found


def all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def main():
    if len(sys.argv) == 3:
        return be_the_victim()
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    victims = [subprocess.Popen([sys.executable, "-B", __file__, sys.argv[1], "victim"], stdout=subprocess.PIPE, text=True)
               for _ in range(2)]
    said = []
    for victim in victims:
        lines = []
        for line in victim.stdout:
            lines.append(line)
            if line.startswith(("under way", "SKIPPED")):
                break
        said.append(lines)
    if any(line.startswith("SKIPPED") for lines in said for line in lines):
        lab.skip("the labs are: " + said[0][-1])
    lab.check(all(lines and lines[-1] == "under way\n" for lines in said), f"both labs are at work {said}")

    theirs = [pid for victim in victims for pid in descendants(victim.pid)]
    spaces = network_namespaces(theirs) - {os.readlink("/proc/self/ns/net")}
    lab.check(len(theirs) > 8 and len(spaces) >= 6, f"with {len(theirs)} processes in {len(spaces)} network namespaces")
    for victim in victims:
        victim.send_signal(signal.SIGKILL)
        victim.wait()
    lab.wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in theirs), "all of them are gone", seconds=10)
    lab.check(not spaces & network_namespaces(all_pids()), "their network namespaces, too")
    left = [*isolation.FILES.glob("*"), *(isolation.NETWORK_NAMESPACES / role for role in ("hub", "sensor"))]
    lab.check(not [path for path in left if path.exists()], "and their files")


main()
