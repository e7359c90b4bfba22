#!/usr/bin/env python3
"""What a running sensor takes from a port: packets a second, and the rate at which it loses the first one.

usage: live.py [--json FILE] [--seconds N] [--limit PACKETS_A_SECOND] BUILD_DIR [CASE...]

CASE: net_pcap, veth (both by default).

net_pcap: DPDK's driver hands out the 512 packets of a capture over and over (infinite_rx=1), as fast as a worker asks.
Nothing can be lost: the figure is what a worker takes, the copy that the driver makes of each packet included. Once
acknowledgements of 256 connections, once 51 connections of ten packets, which are opened, closed and recorded each time.

veth: send_packets, a process of its own, sends on one end of a cable in network namespaces; the sensor listens on the
other through AF_PACKET. The rate goes up by a quarter every N seconds (default 2), until the sensor's own counters show
that packets were lost, or the sender cannot send more, or the limit is reached. The sending and the kernel's copy into
the ring run on the sender's CPU; on a machine of two CPUs two workers share theirs with it.

Root, ip, taskset; without them it says so and has no rows. Some four minutes; nothing else should run then."""
import argparse
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/live"))
import isolation  # noqa: E402

WORKERS = [1, 2]
TRAFFIC = {"live": "64-byte packets of 10 k connections", "mixed": "mixed sizes of 10 k connections",
           "short": "connections of ten packets"}
FIRST_RATE, STEP = 100_000, 1.25
SENDER_LAGS = 0.95  # of the rate that was asked for: it cannot send more
WARM_UP = (40_000, 3)  # packets a second, seconds: all handshakes of "live", twice


def need():
    missing = [name for name in ("ip", "taskset") if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
    if os.geteuid() != 0:
        missing.insert(0, "root")
    if missing:
        return f"needs {', '.join(missing)}"
    try:
        isolation.enter()
    except OSError as error:
        return f"may not make namespaces ({error})"
    return None


# ---- the sensor ------------------------------------------------------------------------------------------------------

class Sensor:
    def __init__(self, build, folder, port, workers, inside=(), cpus=""):
        self.program = str(build / "daemon/ftpsensord")
        self.socket = folder / "stats.sock"
        configuration = folder / "ftpsensor.yaml"
        configuration.write_text(f"capture: {{ports: [{port}]}}\n")
        self.messages = folder / "sensor.txt"
        command = [*inside, "env", f"RUNTIME_DIRECTORY={folder}", self.program, "run", "-c", str(configuration),
                   f"--set=workers.count={workers}", f"--set=workers.cpus=[{cpus}]", f"--set=log.directory={folder / 'logs'}",
                   "--set=log.retention.free=0", f"--set=metrics.socket={self.socket}", "--set=metrics.port=0"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=open(self.messages, "wb"))
        deadline = time.monotonic() + 30
        while ": capturing" not in self.messages.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"live: the sensor does not capture:\n{self.messages.read_text()}")
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)

    def stats(self):
        """The next snapshot: all that happened before this call is in it."""
        begin = time.time_ns()
        while True:
            run = subprocess.run([self.program, "stats", "--json", "--socket", str(self.socket)], capture_output=True,
                                 text=True)
            if run.returncode == 0:
                stats = json.loads(run.stdout)
                if stats["time_ns"] > begin:
                    return stats
            elif self.process.poll() is not None:
                sys.exit(f"live: the sensor ended:\n{self.messages.read_text()}")
            time.sleep(0.1)

    def worker_cpu_seconds(self):
        seconds = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            name, rest = (task / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
            if name.startswith("worker-"):
                seconds += sum(map(int, rest.split()[11:13])) / os.sysconf("SC_CLK_TCK")
        return seconds


def losses(stats):
    totals = stats["totals"]
    return {"lost_packets": totals["lost_packets"], "records_dropped": totals["records_dropped"]}


# ---- net_pcap --------------------------------------------------------------------------------------------------------

def frame(from_client, flow, seq, ack, flags, payload=0):
    client, server = (0x0a000000 + flow, 32768 + flow % 28232), (0xc6120001, 443)
    (source, source_port), (target, target_port) = (client, server) if from_client else (server, client)
    ip = struct.pack(">BBHHHBBHII", 0x45, 0, 40 + payload, 0, 0, 64, 6, 0, source, target)
    tcp = struct.pack(">HHIIBBHHH", source_port, target_port, seq, ack, 0x50, flags, 0xffff, 0, 0)
    return (bytes(12) + b"\x08\0" + ip + tcp + bytes(payload)).ljust(60, b"\0")


def acknowledgements(first_flow):
    return [frame(from_client, first_flow + flow, 1, 1, 0x10) for from_client in (True, False) for flow in range(256)]


def ten_packets(first_flow):
    fin, syn, push, ack = 1, 2, 8, 16
    steps = [(True, 0, 0, syn, 0), (False, 0, 1, syn | ack, 0), (True, 1, 1, ack, 0), (True, 1, 1, push | ack, 100),
             (False, 1, 101, push | ack, 400), (True, 101, 401, ack, 0), (False, 401, 101, push | ack, 400),
             (True, 101, 801, fin | ack, 0), (False, 801, 102, fin | ack, 0), (True, 102, 802, ack, 0)]
    return [frame(step[0], first_flow + flow, *step[1:]) for step in steps for flow in range(51)]


LOOPS = {"acknowledgements of 256 connections": acknowledgements, "51 connections of ten packets": ten_packets}


def write_capture(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for number, data in enumerate(frames):
            file.write(struct.pack("<IIII", 1_600_000_000, number, len(data), len(data)) + data)


def net_pcap(build, folder, seconds, row, _):
    for what, frames in LOOPS.items():
        for workers in WORKERS:
            place = folder / f"pcap-{what.split()[-1]}-{workers}"
            place.mkdir()
            queues = []
            for queue in range(workers):
                write_capture(place / f"{queue}.pcap", frames(1000 * queue))
                queues.append(f"rx_pcap={place / str(queue)}.pcap")
            port = f'{{vdev: "net_pcap0,{",".join(queues)},infinite_rx=1"}}'
            with Sensor(build, place, port, workers) as sensor:
                time.sleep(1)
                before, cpu = sensor.stats(), sensor.worker_cpu_seconds()
                time.sleep(2 * seconds)
                after, cpu = sensor.stats(), sensor.worker_cpu_seconds() - cpu
                took = (after["time_ns"] - before["time_ns"]) / 1e9
                packets = after["totals"]["received_packets"] - before["totals"]["received_packets"]
                row(f"net_pcap, {what}, {workers} worker{'s'[:workers > 1]}",
                    {"packets_s": packets / took, "cpu_ns_packet": cpu / packets * 1e9, **losses(after)})


# ---- a cable ---------------------------------------------------------------------------------------------------------

def lay_cable():
    for namespace in ("sender", "sensor"):
        subprocess.run(["ip", "netns", "add", namespace], check=True)
    subprocess.run("ip link add eth0 netns sender type veth peer name span netns sensor".split(), check=True)
    for namespace, interface in (("sender", "eth0"), ("sensor", "span")):
        subprocess.run(["ip", "netns", "exec", namespace, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"], check=True)
        subprocess.run(["ip", "-n", namespace, "link", "set", interface, "up"], check=True)


class Sender:
    def __init__(self, build, kind, cpu):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", "sender", "taskset", "-c", str(cpu), str(build / "bench/send_packets"), "eth0", kind],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=10)

    def send(self, rate, seconds):
        """Packets sent, packets that the cable refused, packets a second."""
        self.process.stdin.write(f"{rate} {seconds}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if len(answer) != 3:
            sys.exit("live: the sender ended")
        return int(answer[0]), int(answer[1]), int(answer[0]) / float(answer[2])


def first_loss(sensor, sender, seconds, limit):
    """Goes up until something is lost. The rate before, that rate, and what was lost; no such rate: what ended it."""
    sender.send(*WARM_UP)
    before = sensor.stats()
    figures = {"packets_s_without_loss": 0}
    rate, lags = FIRST_RATE, 0
    while rate <= limit:
        sent, refused, actual = sender.send(rate, seconds)
        after = sensor.stats()
        seen = after["totals"]["received_packets"] - before["totals"]["received_packets"]
        lost = {name: value - losses(before)[name] for name, value in losses(after).items()}
        before = after
        # Frames that the kernel dropped before the ring (its backlog): of these no counter of the sensor knows.
        lost["lost_on_the_cable"] = max(0, sent - seen - lost["lost_packets"])
        if any(lost.values()):
            return {**figures, "packets_s_first_loss": actual, **lost}
        figures = {"packets_s_without_loss": max(actual, figures["packets_s_without_loss"])}
        lags = lags + 1 if actual < SENDER_LAGS * rate else 0
        if lags == 2:
            return {**figures, "sender_at_its_limit": 1}
        rate *= STEP
    return {**figures, "limit_reached": 1}


def veth(build, folder, seconds, row, limit):
    lay_cable()
    cpus = sorted(os.sched_getaffinity(0))
    for kind, what in TRAFFIC.items():
        for workers in WORKERS:
            place = folder / f"veth-{kind}-{workers}"
            place.mkdir()
            pinned = ",".join(map(str, cpus[:workers])) if workers < len(cpus) else ""
            with Sensor(build, place, "{interface: span}", workers, ["ip", "netns", "exec", "sensor"], pinned) as sensor:
                with Sender(build, kind, cpus[-1]) as sender:
                    row(f"veth, {what}, {workers} worker{'s'[:workers > 1]}", first_loss(sensor, sender, seconds, limit))


CASES = {"net_pcap": net_pcap, "veth": veth}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--limit", type=float, default=5e6)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    arguments = parser.parse_args()
    for name in arguments.cases:
        if name not in CASES:
            parser.error(f"there is no case '{name}'")
    build = arguments.build.resolve()
    rows = []
    out = open(arguments.json, "w") if arguments.json else None  # before the folders are other ones

    def row(name, figures):
        print(f"{name:58}" + "".join(f"  {value:,.{1 if value < 1000 and value % 1 else 0}f} {figure}"
                                     for figure, value in figures.items()), flush=True)
        rows.append({"bench": "live", "case": name, **figures})

    def write_rows():
        if out:
            out.write(json.dumps(rows, indent=1) + "\n")
            out.close()

    missing = need()
    if missing:
        print(f"note: no live rates: {missing}")
        return write_rows()
    with tempfile.TemporaryDirectory(dir=isolation.FILES) as folder:
        for name in arguments.cases or CASES:
            CASES[name](build, pathlib.Path(folder), arguments.seconds, row, arguments.limit)
    write_rows()


if __name__ == "__main__":
    main()
