#!/usr/bin/env python3
"""A sensor that does not come to its port for a while: each packet that was sent is received, or counted as lost.

usage: slow_worker_test.py FTPSENSORD [af_xdp]

Needs: see lab.py; with af_xdp, that the kernel and DPDK have it."""
import signal
import sys
import time

import lab

SENT = 60_000  # more than the ring holds
PEER = "p-sensor"
SEND = r"""
import socket, struct, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind((sys.argv[1], 0))
ip = struct.pack("!BBHHHBBHII", 0x45, 0, 29, 0, 0, 64, 17, 0, 0x0A000001, 0x0A630001)
frame = b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\x00" + ip + struct.pack("!HHHH", 10000, 9999, 9, 0) + b"x" * 18
for i in range(int(sys.argv[2])):
    wire.send(frame)
"""


def main():
    port = sys.argv[2] if len(sys.argv) == 3 else "interface"
    if len(sys.argv) not in (2, 3) or port not in ("interface", "af_xdp"):
        sys.exit(__doc__)
    lab.need(usual=())
    if port == "af_xdp":
        lab.need_af_xdp()
    with lab.Lab(sys.argv[1], with_server=False, hosts=()) as hub:
        sensor = hub.start_sensor(workers=1, port=port, capture__ring_bytes="1MiB")
        sensor.process.send_signal(signal.SIGSTOP)
        hub.call("hub", sys.executable, "-c", SEND, PEER, str(SENT))
        sensor.process.send_signal(signal.SIGCONT)
        time.sleep(2.5)  # a look at the kernel's figures, and the line in the journal
        status, _ = sensor.stop()
        lab.check(status == 0, "status 0")
        figures = sensor.summary()
        name, words = {"interface": ("kernel_drops", "packets dropped by the kernel (ring full)"),
                       "af_xdp": ("missed", "packets missed by the port (no free descriptor)")}[port]
        received, dropped = figures["received"], figures[name]
        losses = {"kernel_drops", "missed", "interface_drops", "errors", "no_mbuf"} - {name}
        # The kernel's own queue, on a busy machine; veth counts there, too, what AF_XDP had no room for.
        elsewhere = figures["interface_unclaimed"] if port == "interface" else 0
        others = {other: figures[other] for other in losses if figures[other] != 0}
        lab.check(dropped > SENT / 4, f"{dropped:.0f} of {SENT} were lost, and it is told")
        lab.check(not others, f"and under no other name {others or ''}".rstrip())
        # A few of the host's own may come on top: neighbour discovery.
        lab.check(SENT <= received + dropped + elsewhere < SENT + 50,
                  f"all are accounted for: {received:.0f}, {dropped:.0f} and {elsewhere:.0f}")
        lab.check(words in sensor.said(), "the journal has it")


main()
