#!/usr/bin/env python3
"""What the sensor tells of itself: `stats`, Prometheus' metrics, DPDK's telemetry and stats.log have the same figures; a loss
is an entry that zgrep finds.

usage: figures_test.py FTPSENSORD SOFT_FLOW_RULES
    SOFT_FLOW_RULES   the library that plays a port's flow rules (soft_flow_rules.cpp)

promtool (package prometheus, in Debian 13 promtool) reads the metrics where it is installed. Needs: see lab.py."""
import glob
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time

import lab

METRIC = re.compile(r'^(ftpsensor_\w+?)(_total)?(?:\{(.*)\})? (\S+)$')
LABELS = re.compile(r'(\w+)="([^"]*)"')
SHUNTING_PORT = '[{vdev: "net_af_packet9,iface=' + lab.SPAN + ',framecnt=32768"}]'
CONNECTIONS_MAX = 4  # so few that the transfers evict some: a loss


def stats(hub):
    run = subprocess.run([hub.ftpsensord, "stats", "--json", "--socket", hub.stats_socket], capture_output=True, text=True)
    lab.check(run.returncode == 0, f"ftpsensord stats --json {run.stderr}".rstrip())
    return json.loads(run.stdout)


def scrape(hub):
    return hub.call("sensor", "curl", "--silent", "--fail", "http://127.0.0.1:9821/metrics").stdout


def metric_values(text):
    """(metric without _total, its labels) -> value."""
    found = {}
    for line in text.splitlines():
        match = METRIC.match(line)
        if match:
            found[match.group(1), frozenset(LABELS.findall(match.group(3) or ""))] = float(match.group(4))
    return found


def expected_metrics(figures):
    """The same of `stats --json`."""
    expected = {("ftpsensor_snapshot_time_seconds", frozenset()): figures["time_ns"] / 1e9}

    def add(prefix, row, *labels):
        names = frozenset((label, str(row[label])) for label in labels)
        for name, value in row.items():
            if name not in labels and not isinstance(value, (list, str)):
                expected[f"ftpsensor_{prefix}{name}", names] = float(value)

    add("", figures["sensor"])
    for port in figures["ports"]:
        add("port_", port, "port")
        for queue in port["queues"]:
            add("queue_", {**queue, "port": port["port"]}, "port", "queue")
    for worker in figures["workers"]:
        add("worker_", worker, "worker")
        for ring in worker["rings"]:
            add("ring_", {**ring, "worker": worker["worker"]}, "worker", "to")
    for log in figures["logs"]:
        add("log_", log, "log")
    for event in figures["events"]:
        expected["ftpsensor_events", frozenset([("event", event["event"])])] = float(event["count"])
    return expected


def same_moment(hub):
    """`stats --json` and the metrics of one snapshot; there is a new one each second."""
    for _ in range(20):
        before, text, after = stats(hub), scrape(hub), stats(hub)
        if before["number"] == after["number"]:
            return before, text
    return lab.check(False, "both could be asked within a second")


def close(a, b):
    return abs(a - b) <= 1e-5 * max(abs(a), abs(b), 1e-9)  # Prometheus' text has fewer digits


def check_metrics(hub):
    figures, text = same_moment(hub)
    told, expected = metric_values(text), expected_metrics(figures)
    lab.check(len(expected) > 60, f"{len(expected)} figures")
    missing = sorted(str(key) for key in {*told} ^ {*expected})
    lab.check(not missing, f"the same are metrics {missing[:5] or ''}".rstrip())
    different = {key: (told[key], expected[key]) for key in expected if not close(told[key], expected[key])}
    lab.check(not different, f"and have the same values {different or ''}".rstrip())
    if not shutil.which("promtool"):
        print("note: no promtool here: the metrics' form was not checked by it")
        return
    run = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    lab.check(run.returncode == 0 and not run.stderr, f"promtool check metrics {run.stdout}{run.stderr}".rstrip())


def telemetry(path, command):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.connect(path)
        client.recv(1024)  # who answers
        client.send(command.encode())
        return json.loads(client.recv(65536))[command.split(",")[0]]


def check_telemetry(hub):
    paths = glob.glob(f"{hub.folder}/dpdk/*/dpdk_telemetry.v2")
    lab.check(len(paths) == 1, "DPDK's telemetry has a socket")
    path = paths[0]
    for _ in range(20):
        before = stats(hub)
        totals, workers = telemetry(path, "/ftpsensor/stats"), telemetry(path, "/ftpsensor/workers")
        connections, first = telemetry(path, "/ftpsensor/connections"), telemetry(path, "/ftpsensor/workers,1")
        if stats(hub)["number"] == before["number"]:
            break
    counts = {name: value for name, value in before["totals"].items() if isinstance(value, int)}
    lab.check({name: totals[name] for name in counts} == counts, "/ftpsensor/stats has the totals")
    lab.check(workers["packets"] == [worker["packets"] for worker in before["workers"]], "/ftpsensor/workers each worker's")
    lab.check(first["packets"] == workers["packets"][0] and first["polls"] > 0, "/ftpsensor/workers,1 all of one")
    lab.check(connections["connections"] == before["totals"]["connections"], "/ftpsensor/connections the connections")
    lab.check(telemetry(path, "/ftpsensor/workers,9") is None, "a worker that is not there has no answer")


def check_access(hub):
    command = ["setpriv", "--reuid=daemon", "--regid=daemon", "--clear-groups", hub.ftpsensord, "stats", "--json", "--socket", hub.stats_socket]
    if shutil.which("setpriv") and os.access(hub.ftpsensord, os.X_OK):
        run = subprocess.run(command, capture_output=True, text=True)
        if "Permission denied" not in run.stderr:  # the program itself may be in a folder of root's
            lab.check(run.returncode == 1 and "you may not ask" in run.stderr, f"a stranger may not ask: {run.stderr.strip()}")
    run = subprocess.run([hub.ftpsensord, "stats", "--socket", "/nonexistent/stats.sock"], capture_output=True, text=True)
    lab.check(run.returncode == 1 and "no sensor answers at" in run.stderr, f"where none runs: {run.stderr.strip()}")


def check_table(hub):
    run = subprocess.run([hub.ftpsensord, "stats", "--socket", hub.stats_socket], capture_output=True, text=True)
    lab.check(run.returncode == 0, f"ftpsensord stats {run.stderr}".rstrip())
    for word in (lab.SPAN, "worker-01", "worker-02", "conn", "ftp", "stats", "connection_evicted"):
        lab.check(re.search(rf"^{word} ", run.stdout, re.M), f"the table has a row {word}")


def check_stats_log(sensor):
    found = lab.entries(sensor.logs)["stats"]
    figures = sensor.summary()
    lab.check(all(set(entry) >= {"_system_name", "_write_ts", "ts", "ts_delta", "scope"} for entry in found),
              f"{len(found)} entries in stats.log, with the envelope")
    scopes = {entry["scope"] for entry in found}
    lab.check(scopes == {"sensor", "port", "queue", "worker", "ring", "log", "event", "loss"}, f"of scopes {sorted(scopes)}")
    for scope, name, total in (("sensor", "received_packets", "received"), ("port", "received_packets", "received"),
                               ("queue", "received_packets", "received"), ("sensor", "conn_entries", "conn_entries")):
        counted = sum(entry[name] for entry in found if entry["scope"] == scope)
        lab.check(counted == figures[total], f"the sum of {name} of each {scope} is the summary's: {counted}")
    losses = [entry for entry in found if entry["scope"] == "loss"]
    evicted = sum(entry["count"] for entry in losses if entry["loss"] == "connections_evicted")
    event = sum(entry["count"] for entry in found if entry.get("event") == "connection_evicted")
    lab.check(evicted == event > 0, f"each evicted connection is in an entry of loss: {evicted}")
    grep = subprocess.run(["zgrep", "-h", '"loss"', *glob.glob(f"{sensor.logs}/*/stats_*")], capture_output=True, text=True)
    lab.check([json.loads(line) for line in grep.stdout.splitlines()] == losses, "zgrep '\"loss\"' finds these, no others")
    busy = [entry["busy_ratio"] for entry in found if entry["scope"] == "worker"]
    lab.check(all(0 <= ratio <= 1 for ratio in busy) and max(busy) > 0, f"workers were busy up to {max(busy):.3f}")


def check_gaps(hub):
    """A sensor that is kept from a sixteenth of each stream, by sequence numbers: what it missed is what conn.log says."""
    sensor = hub.start_sensor(folder="gaps", capture__filter='"not (greater 1000 and tcp[4:4] & 0xf0000 = 0x30000)"', metrics__log_interval="1s",
                              timeouts__tcp_close_delay="1s")
    hub.curl(f"ftp://{lab.SERVER[0]}/small.bin", "-o", "/dev/null")
    hub.curl(f"ftp://{lab.SERVER[0]}/big.bin", "-o", "/dev/null")
    time.sleep(1.5)
    figures = stats(hub)
    sensor.stop()
    found = lab.entries(sensor.logs)
    missed = sum(entry["missed_bytes"] for entry in found["conn"])
    told = sum(entry["count"] for entry in found["stats"] if entry.get("loss") == "missed_bytes")
    lab.check(told == missed > 1_000_000, f"conn.log misses {missed} bytes, entries of loss {told}")
    captured = figures["totals"]["payload_bytes"]
    share = missed / (missed + captured)
    lab.check(share > 0.01, f"which is {share:.3f} of the payload")  # more where the sensor is slow: under a sanitizer


def check_many_queues(hub):
    """More queues than DPDK's statistics have places (16): a port's figures are those of all of them."""
    sensor = hub.start_sensor(workers=20, folder="queues", capture__ring_bytes="1MiB", capture__resteer="off")

    def agree():
        figures = stats(hub)
        port, workers = figures["ports"][0], figures["workers"]
        packets = [queue["received_packets"] for queue in port["queues"]]
        sums = [(sum(packets), port["received_packets"]), (sum(packets), sum(worker["packets"] for worker in workers)),
                (sum(worker["bytes"] for worker in workers), port["received_bytes"])]
        return sum(packets[16:]) > 0 and all(one == other for one, other in sums)

    for host in 12 * [lab.SERVER[0], f"[{lab.SERVER[1]}]"]:  # two connections each
        hub.curl(f"ftp://{host}/hello.txt", "-o", "/dev/null")
    lab.wait_for(lambda: time.sleep(1) or agree(), "of 20 queues, some beyond the 16th had packets; the port's packets and bytes are those of all")
    sensor.stop()


def check_shunted(hub, rules):
    """What a port counts by its flow rules is told like all other figures, while it counts."""
    (hub.folder / "ftp-server" / "large.bin").write_bytes(os.urandom(1 << 20) * 16)
    sensor = hub.start_sensor(folder="shunted", environment=[f"LD_PRELOAD={rules}"], capture__ports=SHUNTING_PORT, capture__shunt="on",
                              capture__shunt_after="64KiB", metrics__log_interval="1s")
    curl = hub.curl("--limit-rate", "3M", f"ftp://{lab.SERVER[0]}/large.bin", "-o", "/dev/null", background=True)
    lab.wait_for(lambda: stats(hub)["ports"][0]["shunted_bytes"] > 1 << 20, "a port counts a transfer by its rules")
    check_metrics(hub)
    lab.check(curl.wait(timeout=60) == 0, "the transfer went through")
    lab.wait_for(lambda: stats(hub)["ports"][0]["shunt_rules"] == 0, "the rules are gone when it is over")
    check_metrics(hub)
    told = stats(hub)["ports"][0]
    lab.check(told["shunt_rules_added"] == 2 and told["shunt_rules_refused"] == 0, "there were two")
    sensor.stop()
    found = lab.entries(sensor.logs)
    for name in ("shunted_packets", "shunted_bytes", "shunt_rules_added"):
        counted = sum(entry[name] for entry in found["stats"] if entry["scope"] == "port")
        lab.check(counted == told[name] > 0, f"the sum of {name} in stats.log is that of stats: {counted}")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    lab.need("zgrep")
    with lab.Lab(sys.argv[1]) as hub:
        sensor = hub.start_sensor(workers=2, metrics__log_interval="2s", limits__connections_max=CONNECTIONS_MAX,
                                  limits__ftp_sessions_max=CONNECTIONS_MAX)
        hub.transfers()
        time.sleep(2.5)  # a snapshot, and an interval of stats.log
        check_metrics(hub)
        check_table(hub)
        check_telemetry(hub)
        check_access(hub)
        status, _ = sensor.stop()
        lab.check(status == 0, "stopped")
        left = [*hub.folder.glob("dpdk/*"), *hub.folder.glob("*.sock")]
        lab.check(not left, f"no socket or folder is left behind {left or ''}".rstrip())
        check_stats_log(sensor)
        check_gaps(hub)
        check_many_queues(hub)
        check_shunted(hub, sys.argv[2])


main()
