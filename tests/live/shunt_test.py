#!/usr/bin/env python3
"""capture.shunt: long transfers that the port counts have the entries that they have without.

usage: shunt_test.py FTPSENSORD SOFT_FLOW_RULES
    SOFT_FLOW_RULES   the library that plays a port's flow rules (soft_flow_rules.cpp): there is no virtual
                      device that counts by rules

Real transfers, up and down, IPv4 and IPv6, one cut off; tcpdump's capture of the same, read by `read`, says what the entries are.
Needs: see lab.py."""
import itertools
import json
import os
import signal
import subprocess
import sys
import time

import lab

PORT = '[{vdev: "net_af_packet9,iface=' + lab.SPAN + ',framecnt=32768"}]'
LIMIT = "4M"  # bytes a second of a transfer: some seconds each
SIZE = 24 << 20
SECONDS_BETWEEN = 1.0


def start_sensor(hub, rules, folder, environment=(), workers=1, **settings):
    return hub.start_sensor(workers=workers, folder=folder, environment=[f"LD_PRELOAD={rules}", *environment], capture__ports=PORT,
                            capture__checksums="ignore", metrics__port=0, **settings)


def transfers(hub):
    """Large ones at once; returns once all are done but the one that is cut off."""
    for old in (hub.folder / "ftp-server" / "upload").iterdir():
        old.unlink()
    (hub.folder / "ftp-server" / "large.bin").write_bytes(os.urandom(1 << 20) * (SIZE >> 20))
    upload = hub.folder / "upload.bin"
    upload.write_bytes(os.urandom(1 << 20) * 16)
    v4, v6 = lab.SERVER[0], f"[{lab.SERVER[1]}]"
    limit = ["--limit-rate", LIMIT]
    started = [hub.curl(*limit, f"ftp://{v4}/large.bin", "-o", "/dev/null", background=True),
               hub.curl(*limit, "-P", "-", f"ftp://{v6}/large.bin", "-o", "/dev/null", background=True),
               hub.curl(*limit, "-T", str(upload), f"ftp://{v4}/upload/a.bin", background=True)]
    cut_off = hub.curl(*limit, f"ftp://{v4}/large.bin", "-o", "/dev/null", background=True)
    time.sleep(2 * SECONDS_BETWEEN)
    cut_off.send_signal(signal.SIGKILL)
    hub.transfers()  # small ones meanwhile
    lab.check(all(curl.wait(timeout=60) == 0 for curl in started), "curl moved three large files")


def port_figures(hub):
    said = subprocess.run([hub.ftpsensord, "stats", "--json", "--socket", hub.stats_socket], capture_output=True, text=True, check=True)
    return json.loads(said.stdout)["ports"][0]


def packets_of(tcpdump_says):
    return int(next(line for line in tcpdump_says.splitlines() if line.endswith("packets captured")).split()[0])


def shunted_round(hub, rules, number):
    """The sensor and the capture of one round; PacketsLost also by what both received, as this port does not count what it loses."""
    # Three workers, one queue: who looks at a transfer need not be who receives its packets.
    sensor = start_sensor(hub, rules, f"shunted-{number}", workers=3, capture__resteer="on", capture__shunt="on",
                          capture__shunt_after="1MiB")
    lab.check("FIN and RST still arrive" in sensor.said(), "the port can, and it is said")
    tcpdump, capture = hub.start_tcpdump()
    transfers(hub)
    deadline = time.monotonic() + 15
    while port_figures(hub)["shunt_rules"] != 0 and time.monotonic() < deadline:
        time.sleep(0.5)
    hub.stop_witness(tcpdump)
    figures = port_figures(hub)
    status, _ = sensor.stop()
    lab.check(status == 0, "the sensor ends with status 0")
    lab.check_nothing_lost(sensor)
    if figures["received_packets"] < packets_of((hub.folder / "tcpdump.txt").read_text()):
        raise lab.PacketsLost(f"the sensor has received {figures['received_packets']} packets, tcpdump {packets_of((hub.folder / 'tcpdump.txt').read_text())}")
    lab.check(sensor.summary()["steered"] > 100, "packets went to other workers")
    lab.check(figures["shunt_rules_added"] == 8, f"two rules for each of four transfers: {figures['shunt_rules_added']}")
    lab.check(figures["shunt_rules"] == 0, "which are gone when the transfers are over")
    lab.check(figures["shunted_bytes"] > 50 << 20, f"the port counted {figures['shunted_bytes'] >> 20} MiB")
    return sensor, capture


def shunted_as_without(hub, rules):
    rounds = itertools.count()
    sensor, capture = lab.until_nothing_is_lost(lambda: shunted_round(hub, rules, next(rounds)))
    told, plain = lab.entries(sensor.logs), lab.entries(hub.read_capture(capture))
    marked = [entry["uid"] for entry in told["conn"] if entry.get("shunted")]
    lab.check(sorted(marked) == sorted(entry["uid"] for entry in large(told, "conn")), f"their entries, and no others, are marked: {marked}")
    for name in ("conn", "ftp"):
        for one, other in zip(large(told, name), large(plain, name), strict=True):
            check_entry(name, one, other)


def large(logs, name):
    """The entries of the large transfers, in the order in which they began."""
    connections = {entry["uid"]: entry for entry in logs["conn"]}
    def size(connection):
        return connection.get("orig_bytes", 0) + connection.get("resp_bytes", 0)
    moved = [entry for entry in logs[name] if size(connections.get(entry["uid"] if name == "conn" else entry.get("data_channel.uid"), {})) > 1 << 20
             and entry.get("command", "") not in ("PASV", "EPSV", "PORT", "EPRT")]
    return sorted(moved, key=lambda entry: (entry["id.orig_p"], entry["id.resp_p"]))


# Of the packets that only the port saw there are no letters; ids differ from capture to capture, and so do times: this port
# stamps nothing (shunts_test holds them).
NOT_COMPARED = ("history", "shunted", "uid", "control_uid", "data_channel.uid", "fuid", "_write_ts", "ts", "duration")


def told_of_unended(told, moved, end, entry):
    """The port also counts what is sent again: a busy machine loses segments. All of it is in the entry's packets, which bounds
    it; below is only what headers that grew take away."""
    shortest_headers = 40 * entry[f"{end}_pkts"]
    return moved * 49 / 50 <= told <= max(entry[f"{end}_ip_bytes"] - shortest_headers, moved)


def check_entry(name, one, other):
    """That of a transfer that was cut off (a RST) says of its payload what the port's figures say."""
    if name == "conn":
        for end in ("orig", "resp"):
            if one["conn_state"].startswith("RST") and told_of_unended(one[f"{end}_bytes"], other[f"{end}_bytes"], end, other):
                other = {**other, f"{end}_bytes": one[f"{end}_bytes"]}
    differences = {key: (one.get(key), other.get(key)) for key in {*one, *other} - {*NOT_COMPARED} if one.get(key) != other.get(key)}
    # Cut off, or open when the reply came (the server had written all of it, not sent): as of the port's last figures.
    if name == "ftp" and not other.get("data_channel.complete"):
        differences.pop("data_channel.bytes", None)
    what = one.get("command", one.get("conn_state"))
    lab.check(not differences, f"{name}: the entry of {what} is that of `read` of tcpdump's capture {differences or ''}".rstrip())


def counts_alone(hub, rules):
    """A port that can't match flags: refused by `on`, taken by `counts`."""
    blind = ["SOFT_FLOW_RULES=no_flags"]
    sensor = start_sensor(hub, rules, "refused", blind, capture__shunt="on")
    lab.check("can't let FIN and RST through while it counts (no match on TCP flags)" in sensor.said(), "it is said where a port can't")
    sensor.stop()
    sensor = start_sensor(hub, rules, "blind", blind, capture__shunt="counts", capture__shunt_after="1MiB")
    lab.check("how they end is not seen" in sensor.said(), "and what that costs with capture.shunt: counts")
    hub.curl("--limit-rate", LIMIT, f"ftp://{lab.SERVER[0]}/large.bin", "-o", "/dev/null")
    lab.wait_for(lambda: port_figures(hub)["shunt_rules"] == 0, "a silent transfer is given back")
    sensor.stop()
    data = [entry for entry in lab.entries(sensor.logs)["conn"] if entry.get("service") == "ftp-data"]
    lab.check(len(data) == 1 and told_of_unended(data[0]["resp_bytes"], SIZE, "resp", data[0]),
              f"its payload is about right: {data[0]['resp_bytes']}")
    lab.check([entry["conn_state"] for entry in data] == ["S1"], "its end was not seen")


def sticky_rules(hub, rules):
    """A port that does not take a rule away at once."""
    sensor = start_sensor(hub, rules, "sticky", ["SOFT_FLOW_RULES=sticky"], capture__shunt="on", capture__shunt_after="1MiB")
    hub.curl("--limit-rate", LIMIT, f"ftp://{lab.SERVER[0]}/large.bin", "-o", "/dev/null")
    lab.wait_for(lambda: "were not taken away by their port" in sensor.said(), "rules that the port keeps are said")
    lab.wait_for(lambda: port_figures(hub)["shunt_rules"] == 0, "they are tried again")
    lab.check(port_figures(hub)["shunt_rules_stuck"] == 0, "and then gone")
    sensor.stop()
    data = [entry for entry in lab.entries(sensor.logs)["conn"] if entry.get("service") == "ftp-data"]
    lab.check([(entry["conn_state"], entry["resp_bytes"]) for entry in data] == [("SF", SIZE)], "the entry is whole")


def no_counters(hub, rules):
    sensor = start_sensor(hub, rules, "none", ["SOFT_FLOW_RULES=no_count"], capture__shunt="counts")
    lab.check("can't count by flow rules (no counters): capture.shunt does nothing there" in sensor.said(), "a port that does not count")
    sensor.stop()
    sensor = hub.start_sensor(workers=1, folder="kernel", capture__shunt="on", metrics__port=0)
    lab.check("can't count by flow rules" in sensor.said(), "nor does DPDK's own AF_PACKET device")
    sensor.stop()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    lab.need()
    rules = os.path.realpath(sys.argv[2])
    with lab.Lab(sys.argv[1]) as hub:
        shunted_as_without(hub, rules)
        counts_alone(hub, rules)
        sticky_rules(hub, rules)
        no_counters(hub, rules)


main()
