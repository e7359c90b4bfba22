#!/usr/bin/env python3
"""FTP through a VXLAN tunnel, two workers: the kernel gives a tunnel's directions to two queues; capture.resteer gives them to one
worker, and the entries are those of `read`.

usage: resteer_test.py FTPSENSORD CLOCK_SET_BACK_LIBRARY

The source port of a VXLAN packet is a hash of what is inside (RFC 7348), its destination 4789 both ways: to the kernel, which
hashes ports, the two directions are two flows. With capture.resteer off that shows (connections with one side); with it on,
everything is as one worker makes it of the same packets. Needs: see lab.py."""
import sys
import time

import lab
import same_logs

INNER = {"client": "10.99.0.1", "server": "10.99.0.2"}
WAYS = {"epsv": [], "pasv": ["--disable-epsv"], "eprt": ["-P", "-"], "port": ["-P", "-", "--disable-eprt"]}
REPEATED = 4


def build_tunnel(hub):
    for role, peer in (("client", lab.SERVER[0]), ("server", lab.CLIENT[0])):
        hub.call(role, "ip", "link", "add", "vx0", "type", "vxlan", "id", "7", "dev", "eth0", "remote", peer, "dstport", "4789")
        hub.call(role, "ethtool", "-K", "vx0", "tso", "off", "gso", "off", "gro", "off", "tx", "off")
        hub.call(role, "ip", "address", "add", f"{INNER[role]}/24", "dev", "vx0")
        # What they say unasked comes before tcpdump listens; and where the clock is still ahead, it is late (check_clock).
        hub.call(role, "sysctl", "-qw", "net.ipv6.conf.vx0.disable_ipv6=1", "net.ipv6.conf.eth0.disable_ipv6=1")
        hub.call(role, "ip", "link", "set", "vx0", "up")


def transfers(hub):
    upload = hub.folder / "to-upload.bin"
    upload.write_bytes(bytes(range(256)) * 400)
    for number in range(REPEATED):
        for name, options in WAYS.items():
            base = f"ftp://{INNER['server']}"
            hub.curl(*options, f"{base}/small.bin", "-o", "/dev/null")
            hub.curl(*options, "-T", str(upload), f"{base}/upload/{name}-{number}-{time.monotonic_ns()}.bin")
    hub.curl(f"ftp://{lab.SERVER[0]}/hello.txt", "-o", "/dev/null")  # and beside the tunnel


def capture(hub, folder, before=0, **settings):
    """The logs of a sensor, and those of one worker that reads what tcpdump saw beside it; traffic comes so much later."""
    sensor = hub.start_sensor(workers=2, folder=folder, **settings)
    time.sleep(before)
    tcpdump, witness = hub.start_tcpdump()
    transfers(hub)
    time.sleep(0.5)  # the last FINs
    status, _ = sensor.stop()
    lab.check(status == 0, "the sensor ends with status 0")
    hub.stop_witness(tcpdump)
    read = hub.read_capture(witness, workers=1, folder=f"{folder}-read")
    return sensor, lab.entries(sensor.logs), lab.entries(read)


def one_sided(entries):
    """Of FTP's connections inside of the tunnel, those of which one side was never heard."""
    return [entry for entry in entries["conn"] if entry["proto"] == "tcp" and entry["id.orig_h"] in INNER.values() and
            0 in (entry["orig_pkts"], entry["resp_pkts"])]


def check_parted(hub):
    _, live, read = capture(hub, "parted", capture__resteer="off")
    lab.check(not one_sided(read), "to one worker no connection has one side alone")
    parted = one_sided(live)
    lab.check(parted, f"to two, as the kernel spreads them, {len(parted)} have")


def check_together(hub, but=lambda difference: False, **how):
    sensor, live, read = capture(hub, "together", capture__resteer="auto", **how)
    lab.check_nothing_lost(sensor)
    figures = sensor.summary()
    lab.check(figures["steered"] > 100, f"{figures['steered']:.0f} packets went to the other worker")
    print(f"note: {figures['steered_late']:.0f} were late")
    lab.check(not one_sided(live), "and no connection has one side alone")
    moved = [entry for entry in live["ftp"] if entry["command"] in ("RETR", "STOR")]
    lab.check(len(moved) == 2 * len(WAYS) * REPEATED + 1, f"an entry for each transfer: {len(moved)}")
    lab.check(all("fuid" in entry and "data_channel.uid" in entry for entry in moved), "each with its file and connection")
    found = [difference for difference in same_logs.differences(live, read) if not but(difference)]
    lab.check(not found, "live and read say the same\n" + "\n".join(found[:40]))
    return sensor


def check_clock(hub):
    """Where the host's clock was set back by three seconds, the kernel's stamps are behind the sensor's time for good. A command's
    ts is the latter."""
    sensor = check_together(hub, but=lambda difference: difference.startswith("('ftp'") and ": ts: " in difference, before=3,
                            environment=(f"LD_PRELOAD={sys.argv[2]}", "CLOCK_SET_BACK=3"))
    lab.check(sensor.said().count("the host's clock was set back and is 3.0 s behind") == 1, "and that is said, once")


def check_round(ftpsensord, check):
    with lab.Lab(ftpsensord) as hub:
        build_tunnel(hub)
        check(hub)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    lab.need()
    for check in (check_parted, check_together, check_clock):
        lab.until_nothing_is_lost(lambda check=check: check_round(sys.argv[1], check))


main()
