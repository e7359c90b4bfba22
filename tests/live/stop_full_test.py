#!/usr/bin/env python3
"""SIGTERM with far more connections open than wait for the logger at a time: all of them are recorded, in constant memory, and
systemd is told meanwhile; with a ring full of packets that nobody has read yet: they are read, or counted; what comes after
the stop is no loss; a second SIGTERM ends it at once.

usage: stop_full_test.py FTPSENSORD

Needs: see lab.py."""
import json
import pathlib
import signal
import socket
import subprocess
import sys
import time

import lab

CONNECTIONS = 250_000  # each of one packet
IN_RING = 200_000
QUEUE = 1024
GROWTH_MAX = 64 << 20  # of memory during the stop: 92 MB when a record was held for each
PEER = "p-sensor"
SEND = r"""
import socket, struct, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind((sys.argv[1], 0))
for i in range(int(sys.argv[2])):
    ip = struct.pack("!BBHHHBBHII", 0x45, 0, 29, 0, 0, 64, 17, 0, 0x0A000000 | i >> 6, 0x0A630001)
    udp = struct.pack("!HHHH", 10000 + (i & 63), 9999, 9, 0)
    wire.send(b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\x00" + ip + udp + b"x" * 18)
"""


class Notices:
    """What the sensor tells systemd."""

    def __init__(self, folder):
        self.path = str(folder / "notify.sock")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.words = []

    def read(self):
        while True:
            try:
                self.words += self.socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return self.words

    def count(self, word):
        return sum(said.startswith(word) for said in self.read())


def memory(pid):
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), 0)


def start(hub, folder, ring="256MiB", **options):
    return hub.start_sensor(workers=1, folder=folder, capture__ring_bytes=ring, log__queue_records=QUEUE,
                              timeouts__udp_inactivity="10min", **options)


def start_full(hub, folder, **options):
    sensor = start(hub, folder, **options)
    hub.call("hub", sys.executable, "-c", SEND, PEER, str(CONNECTIONS))
    time.sleep(0.5)
    return sensor


def check_recorded(hub):
    notices = Notices(hub.folder)
    sensor = start_full(hub, "logs", environment=(f"NOTIFY_SOCKET={notices.path}",))
    notices.read()
    before = most = memory(sensor.process.pid)
    began = time.monotonic()
    sensor.process.send_signal(signal.SIGTERM)
    while sensor.process.poll() is None and time.monotonic() - began < 100:
        most = max(most, memory(sensor.process.pid))
        notices.read()
        time.sleep(0.02)
    seconds = time.monotonic() - began
    lab.check(sensor.process.poll() == 0, f"status 0, was {sensor.process.poll()}, after {seconds:.1f} s")
    lab.check(notices.count("STOPPING=1") == 1, "systemd knows that it stops")
    lab.check(seconds < 2 or notices.count("EXTEND_TIMEOUT_USEC=") > 0, "and is asked for time")
    lab.check(most - before < GROWTH_MAX, f"memory grew by {(most - before) / 1e6:.0f} MB meanwhile, from {before / 1e6:.0f}")
    figures = sensor.summary()  # what was lost on the way to a busy sensor is no connection of its
    lost = {name: figures.get(name) for name in lab.LOSSES if figures.get(name) != 0}
    lab.check(not lost, f"nothing lost, cut or late {lost or ''}".rstrip())
    recorded, received = len(lab.entries(sensor.logs)["conn"]), figures["received"]
    lab.check(recorded == received > 10 * QUEUE, f"{recorded} of {received:.0f} open connections are recorded")


def check_ring(hub):
    sensor = start(hub, "ring", capture__snaplen=256)  # small slots: the ring holds all of them
    sensor.process.send_signal(signal.SIGSTOP)
    hub.call("hub", sys.executable, "-c", SEND, PEER, str(IN_RING))
    sensor.process.send_signal(signal.SIGTERM)
    sensor.process.send_signal(signal.SIGCONT)
    lab.check(sensor.process.wait(timeout=60) == 0, "status 0 where the ring is full of packets")
    figures = sensor.summary()
    recorded = sum(entry["id.resp_p"] == 9999 for entry in lab.entries(sensor.logs)["conn"])
    unread, dropped = figures["unread"], figures["kernel_drops"]
    lab.check(dropped == 0 and recorded > 0 and recorded + unread >= IN_RING,
              f"{recorded} of {IN_RING} packets in the ring are recorded, {unread:.0f} counted as unread; {dropped:.0f} did not fit")
    lab.check(unread == 0 or f"{unread:.0f} packets that were in the queues at the end" in sensor.said(), "which a warning says")


def check_packets_after_it(hub):
    """The ring runs over while what is open is written: of that day's traffic nothing was lost by it."""
    sensor = start_full(hub, "after", ring="8MiB", capture__snaplen=256)
    command = [hub.ftpsensord, "stats", "--json", "--socket", hub.stats_socket]

    def figures():
        port = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["ports"][0]
        return port["kernel_dropped_packets"], port["received_packets"], port["interface_unclaimed_packets"]

    def all_are_counted():
        before = figures()
        time.sleep(1.5)
        return sum(before) >= CONNECTIONS and before == figures()

    lab.wait_for(all_are_counted, "all that was sent is counted")
    before = figures()[0]
    sensor.process.send_signal(signal.SIGTERM)
    lab.wait_for(lambda: "stopping on SIGTERM" in sensor.said(), "the sensor stops")
    sender = subprocess.Popen(hub.inside("hub", sys.executable, "-c", SEND, PEER, "1000000000"))
    status = sensor.process.wait(timeout=60)
    lab.check(sender.poll() is None, "packets go on until it has ended")
    sender.kill()
    sender.wait()
    lab.check(status == 0, f"status 0, was {status}, while packets go on")
    lab.check(sensor.summary()["kernel_drops"] == before, f"none of them is told as lost: {sensor.summary()['kernel_drops']:.0f} of {before} before")


def check_second_signal(hub):
    sensor = start_full(hub, "second")
    sensor.process.send_signal(signal.SIGTERM)
    lab.wait_for(lambda: "stopping on SIGTERM" in sensor.said(), "the sensor stops")
    sensor.process.send_signal(signal.SIGTERM)
    lab.check(sensor.process.wait(timeout=10) == 1, "a second SIGTERM ends it at once, with status 1")
    lab.check("ends at once" in sensor.said(), "and it says so")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    lab.need(usual=())
    with lab.Lab(sys.argv[1], with_server=False, hosts=()) as hub:
        check_recorded(hub)
        check_ring(hub)
        check_packets_after_it(hub)
        check_second_signal(hub)


main()
