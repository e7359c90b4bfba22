#!/usr/bin/env python3
"""Live logs equal what `read` makes of tcpdump's capture of the same traffic, and nothing was dropped.

usage: equality_test.py FTPSENSORD

vsftpd and curl, passive and active, get and put, IPv4 and IPv6; two workers on net_af_packet. Needs: see lab.py."""
import sys
import time

import lab
import same_logs

TRANSFERS = 6 * 3  # ways (four on IPv4, two on IPv6), files each


def check_round(ftpsensord):
    with lab.Lab(ftpsensord) as hub:
        sensor = hub.start_sensor(workers=2)
        tcpdump, capture = hub.start_tcpdump()
        hub.transfers()
        time.sleep(0.5)  # the last FINs
        status, _ = sensor.stop()
        lab.check(status == 0, "the sensor ends with status 0")
        hub.stop_witness(tcpdump)

        lab.check_nothing_lost(sensor)
        lab.check(sensor.summary()["received"] > 1000, "packets were received")

        live, offline = lab.entries(sensor.logs), lab.entries(hub.read_capture(capture))
        services = [entry.get("service") for entry in live["conn"]]
        lab.check(services.count("ftp") == TRANSFERS, f"{TRANSFERS} control connections, found {services.count('ftp')}")
        lab.check(services.count("ftp-data") >= TRANSFERS, f"their data connections, found {services.count('ftp-data')}")
        moved = [entry for entry in live["ftp"] if entry["command"] in ("RETR", "STOR")]
        lab.check(len(moved) == TRANSFERS, f"an entry for each transfer, found {len(moved)}")
        without = [entry for entry in moved if "fuid" not in entry]
        lab.check(not without, f"each with its file {without or ''}".rstrip())
        found = same_logs.differences(live, offline)
        lab.check(not found, "live and read say the same\n" + "\n".join(found[:40]))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    lab.need()
    lab.until_nothing_is_lost(lambda: check_round(sys.argv[1]))


main()
