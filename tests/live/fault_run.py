#!/usr/bin/env python3
"""Everything that goes wrong around a sensor, again and again, under steady traffic; then its logs are counted against a capture.

usage: fault_run.py FTPSENSORD SECONDS

Rotation each 10 s (4 s in a run of under five minutes), SIGHUP with another log.flush_bytes each second, the disk filled and freed, the folder made
read-only and writable again, kill -9 and a restart ten times (three), some of them while the disk is full or the folder
read-only. Afterwards every finished file is valid gzip with valid JSON, no entry is there twice, and what `read` finds in
tcpdump's capture is in the logs, but for what was lost with a killed sensor: connections that were open or began between
the kill and the restart, and entries that were not on the disk yet: those of the last second or so (log.flush_interval,
log.hold), and those that waited where the disk had failed before. Needs: see lab.py, and nsenter."""
import collections
import dataclasses
import gzip
import json
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time

import disk
import lab
import same_logs

SETTINGS = dict(timeouts__tcp_close_delay="1s", log__hold="200ms")  # the default, which UNWRITTEN is about
SESSIONS_A_SECOND = 6
UNWRITTEN = 2.0  # seconds of entries that may not be on the disk: flush_interval, hold, a poll's worth; and scheduling
CLOCK_TOLERANCE = 0.3
RETRY_DELAY_MAX = 10
IDS = (*same_logs.CONNECTION_IDS, *same_logs.FILE_IDS, "_write_ts")


@dataclasses.dataclass
class Window:
    """What a kill may have cost: entries due, and connections open, within it."""
    begin: float
    end: float

    def overlaps(self, begin, end):
        return begin <= self.end and end >= self.begin


class Run:
    def __init__(self, hub, seconds):
        self.hub, self.seconds = hub, seconds
        self.short = seconds < 300
        self.kills = 3 if self.short else 10
        self.small = disk.SmallDisk(hub.folder / "logs", mebibytes=8)
        self.windows, self.failed_since, self.summaries = [], None, collections.Counter()
        self.starts = self.hangups = self.taken = 0
        self.over = threading.Event()
        self.configuration = hub.folder / "ftpsensor.yaml"
        self.port = f"capture:\n  ports: [{{interface: {lab.SPAN}}}]\n"

    def start(self):
        self.starts += 1
        self.sensor = self.hub.start_sensor(workers=2, log__rotation__interval="4s" if self.short else "10s",
                                            messages="debug", **SETTINGS)

    def hang_up(self):
        while not self.over.wait(1):
            if self.sensor.process.poll() is None and ": capturing" in self.sensor.said():
                self.hangups += 1
                # Files that are written in another way are finished first, also while the disk refuses.
                self.configuration.write_text(f"{self.port}log: {{flush_bytes: {128 + self.hangups % 2 * 128}KiB}}\n")
                self.sensor.process.send_signal(signal.SIGHUP)

    def kill(self):
        failed_since, self.failed_since = self.failed_since, None
        begin = time.time()
        self.sensor.process.kill()
        self.sensor.process.wait()
        self.keep_messages()
        self.start()
        begin = min(begin, failed_since or begin) - UNWRITTEN
        self.windows.append(Window(begin, time.time() + CLOCK_TOLERANCE))

    def keep_messages(self):
        self.taken += len(re.findall(r"reload: log\.flush_bytes: .*: taken", self.sensor.said()))
        self.sensor.messages.rename(self.sensor.messages.with_name(f"sensor-{self.starts}.txt"))

    def written_again(self):
        """Waits until nothing waits for the disk: else a kill would take it along."""
        time.sleep(RETRY_DELAY_MAX + 1)
        self.failed_since = None

    def one_round(self, number, seconds):
        """A kill at its end, from whichever state; then the disk is as it should be."""
        end = time.monotonic() + seconds
        kill_while = {1: "full", 2: "read-only"}.get(number % 3, "well")
        pause = 3 if self.short else 8
        time.sleep(random.uniform(0.5, 1.5))
        if kill_while != "read-only":
            self.failed_since = time.time()
            self.small.fill()
            time.sleep(pause)
            if kill_while == "full":
                self.kill()
                time.sleep(random.uniform(0.5, 2))
                self.failed_since = time.time()  # of the new sensor, too
            self.small.free()
            self.written_again()
        if kill_while != "full":
            self.failed_since = time.time()
            disk.make_read_only(self.sensor.process, self.sensor.logs)
            time.sleep(pause)
            if kill_while == "read-only":
                self.kill()  # the next one has mounts of its own, and may write
            else:
                disk.make_writable(self.sensor.process, self.sensor.logs)
                self.written_again()
        time.sleep(max(0.0, end - time.monotonic()))
        if kill_while == "well":
            self.kill()

    def run(self):
        thread = threading.Thread(target=self.hang_up)
        thread.start()
        try:
            for number in range(self.kills):
                self.one_round(number, self.seconds / self.kills)
                print(f"round {number + 1} of {self.kills}: {self.hangups} SIGHUP, window of "
                      f"{self.windows[-1].end - self.windows[-1].begin:.1f} s", flush=True)
        finally:
            self.over.set()
            thread.join()


def finished_entries(logs):
    """Entries by _path with how many files and bytes; ends the test where one is not whole."""
    found, bytes_read = {"conn": [], "ftp": []}, 0
    lines_seen = collections.Counter()
    files = lab.log_files(logs)
    for path in files:
        if "current" in path.relative_to(logs).parts:
            lab.check(False, f"{path.name} has been rotated")
        run = subprocess.run(["gzip", "-t", str(path)], capture_output=True, text=True)
        if run.returncode != 0:
            lab.check(False, f"{path.relative_to(logs)} is valid gzip: {run.stderr}")
        with gzip.open(path, "rt") as lines:
            for line in lines:
                entry = json.loads(line)
                found.setdefault(entry["_path"], []).append(entry)
                lines_seen[line] += 1
        bytes_read += path.stat().st_size
    leftovers = [path.name for path in logs.rglob("*") if path.is_file() and path.suffix != ".gz" and path.name != ".lock"]
    lab.check(not leftovers, f"{len(files)} files of {bytes_read} bytes are valid gzip of valid JSON, and nothing else is there "
              f"{leftovers or ''}".rstrip())
    twice = [line for line, n in lines_seen.items() if n > 1]
    lab.check(not twice, f"no line is there twice, of {sum(lines_seen.values())} {twice[:3] or ''}".rstrip())
    return found


def lifetimes(conns):
    """connection -> (begin, end) of each that had these endpoints."""
    lives = collections.defaultdict(list)
    for entry in conns:
        begin = same_logs.seconds(entry["ts"])
        lives[same_logs.connection(entry)].append((begin, same_logs.seconds(entry["_write_ts"])))
    return lives


def life_of(lives, key, at):
    """Of the connection that an entry of time `at` belongs to."""
    for begin, end in lives.get(key, ()):
        if begin - same_logs.TOLERANCE <= at <= end + same_logs.TOLERANCE:
            return begin, end
    return at, at


def tcp(found, log):
    """Others (neighbour discovery) are there by chance."""
    return [entry for entry in found[log] if entry.get("proto", "tcp") == "tcp"]


def take_match(candidates, entry):
    for i, other in enumerate(candidates):
        if abs(same_logs.seconds(other["ts"]) - same_logs.seconds(entry["ts"])) <= same_logs.TOLERANCE and \
                other.get("command") == entry.get("command") and other.get("arg") == entry.get("arg"):
            return candidates.pop(i)
    return None


def compare(log, live, read, windows):
    """Counts of entries: found, lost with a kill; ends the test at a loss that no kill explains."""
    lives = lifetimes(tcp(read, "conn"))
    there = collections.defaultdict(list)
    for entry in tcp(live, log):
        there[same_logs.connection(entry)].append(entry)
    counts, unexplained = collections.Counter(), []

    def excused(entry):
        life = life_of(lives, same_logs.connection(entry), same_logs.seconds(entry["ts"]))
        due = same_logs.seconds(entry["_write_ts"])
        return any(window.overlaps(*life) and due >= window.begin for window in windows)

    for entry in tcp(read, log):
        match = take_match(there[same_logs.connection(entry)], entry)
        if match is None:
            counts["lost with a kill" if excused(entry) else "LOST"] += 1
            if not excused(entry):
                unexplained.append(("lost", entry))
            continue
        counts["found"] += 1
        strip = lambda e: {k: v for k, v in e.items() if k not in IDS}
        differences = list(same_logs.field_differences(strip(match), strip(entry)))
        if differences and not excused(entry):
            unexplained.append((differences, entry))
        counts["cut by a kill"] += bool(differences)
    for entry in (entry for entries in there.values() for entry in entries):
        if excused(entry):
            counts["the rest of a connection, after a restart"] += 1
        else:
            counts["NOT IN THE CAPTURE"] += 1
            unexplained.append(("not in the capture, or twice", entry))
    print(f"{log}: {dict(counts)} of {len(tcp(read, log))} in the capture")
    for what, entry in unexplained[:10]:
        print(what, json.dumps(entry))
    lab.check(not unexplained, f"each {log} entry of the capture is there once, but for those of the kills")
    return counts


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    lab.need("nsenter", "gzip")
    random.seed(6)
    with lab.Lab(sys.argv[1]) as hub:
        witness, capture = hub.start_tcpdump()
        run = Run(hub, float(sys.argv[2]))
        run.start()
        traffic = hub.start("client", sys.executable, str(pathlib.Path(__file__).with_name("steady_ftp.py")), lab.SERVER[0],
                            str(SESSIONS_A_SECOND), name="traffic")
        run.run()
        traffic.kill()
        traffic.wait()
        time.sleep(2)
        status, _ = run.sensor.stop()
        lab.check(status == 0, "the last sensor ends with status 0")
        lab.check(hub.stop_tcpdump(witness) == 0, "the witness lost no packet")
        lab.check(len(run.windows) == run.kills and run.taken > run.kills,
                  f"{run.kills} times kill -9, {run.hangups} times SIGHUP, of which {run.taken} were taken by sensors that were killed")
        live, read = finished_entries(run.sensor.logs), lab.entries(hub.read_capture(capture, **SETTINGS))
        windows = sum(window.end - window.begin for window in run.windows)
        print(f"{run.seconds:.0f} s, of which {windows:.0f} s in windows of kills")
        for log in ("conn", "ftp"):
            counts = compare(log, live, read, run.windows)
            lab.check(counts["found"] > counts["lost with a kill"], "most were not within a kill's reach")


main()
