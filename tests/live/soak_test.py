#!/usr/bin/env python3
"""Steady traffic for as long as one likes: memory does not grow, nothing is dropped, and the logs say what `read` says of the
same packets.

usage: soak_test.py FTPSENSORD TRAFFIC_SOURCE [SECONDS] [PACKETS_A_SECOND] [WORKERS]

TRAFFIC_SOURCE (tests/support/traffic_source.cpp) sends FTP sessions, web requests, UDP and SYNs, 2,048 conversations at once, over
a veth. Files are rotated by time and by size meanwhile. Every entry counts: times and what depends on the clock (uids, fuids)
left out, entries of both runs are compared as a multiset, by sums of hashes, so that hours of them need no memory.

By hand, for half an hour: soak_test.py build/daemon/ftpsensord build/tests/support/traffic_source 1800 250000
Needs: see lab.py."""
import collections
import gzip
import multiprocessing
import os
import re
import subprocess
import sys
import time

import lab

PEER = "p-sensor"  # the other end of the sensor's interface
ROTATION = "1min"
# Where a bound is reached, what goes without depends on microseconds: so many transfers wait for their connection's removal
# that their first bytes need more than the default.
BOUNDS = {"timeouts__udp_inactivity": "20s", "limits__first_bytes": "256MiB"}
# When, and ids that are keyed hashes of when; durations follow the sender's pauses. That they are there is compared.
BY_CLOCK = re.compile(rb'"(ts|_write_ts|uid|fuid|duration|control_uid|data_channel.uid)":(?:"[^"]*"|[-+.0-9e]+)')
OF = re.compile(rb'"_path":"(\w+)".*"id.orig_h":"([\d.]+)\.\d+"')
SETTLED_AFTER = 0.3  # of the time: until then tables, pools and the allocator's pages fill
GROWTH_MAX = 0.02  # of the memory when it had settled
GROWTH_MAX_BYTES = 4 << 20
SAMPLE_INTERVAL = 2.0


class Contents:
    """A multiset of entries, as counts and as sums of hashes by log and client network."""

    def __init__(self):
        self.entries = collections.Counter()
        self.sums = collections.Counter()

    def add(self, line):
        log, network = OF.search(line).groups()
        key = log.decode(), network.decode()
        self.entries[key] += 1
        self.sums[key] = (self.sums[key] + hash(BY_CLOCK.sub(rb'"\1"', line))) % (1 << 64)

    def merge(self, other):
        self.entries.update(other.entries)
        for key, value in other.sums.items():
            self.sums[key] = (self.sums[key] + value) % (1 << 64)

    def total(self, log):
        return sum(count for (path, _), count in self.entries.items() if path == log)


def contents_of(path):
    found = Contents()
    with gzip.open(path, "rb") as lines:
        for line in lines:
            found.add(line)
    return found


def contents(logs):
    """Of all files but stats.log, by as many processes as there are CPUs: forked ones, whose hash() is one and the same."""
    paths = [path for path in lab.log_files(logs) if "stats" not in path.name]
    whole = Contents()
    with multiprocessing.get_context("fork").Pool() as pool:
        for part in pool.imap_unordered(contents_of, paths):
            whole.merge(part)
    return whole


def resident_bytes(pid):
    """Of its own: without the kernel's ring of packets and the program's file, which are there from the start but touched as
    it goes."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon:"))


def sensor_pid(sensor):
    """`ip netns exec` and env replace themselves by what they run."""
    return sensor.process.pid


def watch(sensor, source):
    """Samples of (seconds, resident bytes) until the source has sent everything."""
    began, samples = time.monotonic(), []
    while source.poll() is None:
        samples.append((time.monotonic() - began, resident_bytes(sensor_pid(sensor))))
        if sensor.process.poll() is not None:
            lab.check(False, "the sensor runs")
        time.sleep(SAMPLE_INTERVAL)
    return samples


def check_memory(samples):
    end = samples[-1][0]
    settled = [size for at, size in samples if at >= end * SETTLED_AFTER]
    half = len(settled) // 2
    earlier, later = max(settled[:half]), max(settled[half:])
    lab.check(later <= earlier + max(GROWTH_MAX * earlier, GROWTH_MAX_BYTES),
              f"memory is flat: at most {earlier / 1e6:.1f} MB in the first half after warm-up, {later / 1e6:.1f} MB in the second"
              f" ({samples[0][1] / 1e6:.1f} MB at the start, {samples[-1][1] / 1e6:.1f} MB at the end, {len(samples)} samples)")


def check_same(live, read):
    for log in ("conn", "ftp"):
        lab.check(live.total(log) == read.total(log) > 0, f"{log}.log: {live.total(log)} entries live, {read.total(log)} of `read`")
    different = [key for key in {*live.sums, *read.sums} if live.sums[key] != read.sums[key]]
    lab.check(not different, f"and they say the same {sorted(different)[:3] or ''}".rstrip())


def main():
    if not 3 <= len(sys.argv) <= 6:
        sys.exit(__doc__)
    program, traffic = (os.path.abspath(path) for path in sys.argv[1:3])
    seconds, rate, workers = (int(value) for value in (*sys.argv[3:], *("60", "10000", "1")[len(sys.argv) - 3:]))
    lab.need(usual=())
    whole = int(subprocess.run([traffic, "round"], check=True, capture_output=True, text=True).stdout)
    count = max(1, seconds * rate // whole) * whole
    with lab.Lab(program, with_server=False, hosts=()) as hub:
        settings = {"log__rotation__interval": ROTATION, "log__rotation__size": "8MiB", "metrics__log_interval": "10s", **BOUNDS}
        sensor = hub.start_sensor(workers=workers, capture__ring_bytes="256MiB", **settings)
        source = hub.start("hub", traffic, "send", PEER, str(rate), str(count), name="source")
        samples = watch(sensor, source)
        lab.check(source.wait() == 0, f"sent: {(hub.folder / 'source.txt').read_text().strip()}")
        time.sleep(2)
        status, _ = sensor.stop()
        lab.check(status == 0, "the sensor ends with status 0")
        lab.check_nothing_lost(sensor)
        lab.check("summary: event" not in sensor.said(), "nor was a bound reached")
        received = sensor.summary()["received"]
        lab.check(received == count, f"every packet that was sent was received: {received:.0f} of {count}")
        files = [path for path in lab.log_files(sensor.logs) if "stats" not in path.name]
        lab.check(len(files) >= 2 * max(1, seconds // 60), f"{len(files)} files of conn.log and ftp.log")

        capture = subprocess.Popen([traffic, "capture", str(rate), str(count)], stdout=subprocess.PIPE)
        read = hub.folder / "read"
        run = subprocess.run([hub.ftpsensord, "read", "-o", str(read), "--set=log.system_name=lab", *lab.set_options(BOUNDS), "-"], stdin=capture.stdout, capture_output=True, text=True)
        lab.check(run.returncode == 0 and capture.wait() == 0, f"ftpsensord read {run.stderr if run.returncode else ''}".rstrip())
        check_same(contents(sensor.logs), contents(read))
        check_memory(samples)


main()
