#!/usr/bin/env python3
"""No output of the program holds a password: no log, in either form, nor what is said on standard output and error with
everything switched on; read from captures, and live from a port, where it is looked for in all that may be asked as well: the
statistics, the metrics and DPDK's telemetry. Exit status 77 where no port could be opened: all else was tested then.

usage: secrets_e2e_test.py FTPSENSORD SECRETS_TEST

SECRETS_TEST (tests/golden/secrets_test.cpp) leaves its captures, in which a password is said in all spellings."""
import gzip
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

SECRET = b"tr0ub4dor"
LOUD = ["--set", "messages=debug", "--set", "ftp.commands=[all]"]
LIVE_CAPTURES = 4
SKIPPED = 77
NOT_HERE = "DPDK did not start"  # of a machine without what DPDK needs
failures = 0


def fail(text):
    global failures
    failures += 1
    print(f"FAILED: {text}")


def contents(path):
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def search(what, directory, *outputs):
    """Looks for the secret; that there are entries shows that it was looked for in the right place."""
    files = [p for p in directory.rglob("*") if p.is_file()]
    logs = b"".join(contents(p) for p in files)
    if not any(command in logs for command in (b"DELE", b"USER", b"PASS", b"<init>")):
        fail(f"{what}: there is no session in the logs")
    for text in [logs, *(str(p).encode() for p in files), *outputs]:
        at = text.lower().find(SECRET)
        if at >= 0:
            fail(f"{what}: {text[max(0, at - 200):at + 40]!r}")


def read(program, work, captures):
    for form in ["json", "tsv"]:
        for workers in ["1", "3"]:
            logs = work / f"read-{form}-{workers}"
            for capture in captures:
                run = subprocess.run([program, "read", *LOUD, "--set", f"log.format={form}", "--workers", workers, "-o",
                                      logs / capture.stem, capture], capture_output=True, check=True)
                search(f"read {capture.name} {form}", logs / capture.stem, run.stdout, run.stderr)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def telemetry(runtime):
    """What DPDK's telemetry answers to each command of its own and of ours."""
    paths = list(runtime.glob("dpdk/*/dpdk_telemetry.v2"))
    if len(paths) != 1:
        fail(f"DPDK's telemetry has {len(paths)} sockets")
        return b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(10)
        client.connect(str(paths[0]))
        client.recv(1024)  # who answers

        def ask(command):
            client.send(command.encode())
            return client.recv(1 << 20)

        commands = json.loads(ask("/"))["/"]
        if "/ftpsensor/stats" not in commands:
            fail(f"DPDK's telemetry knows none of our commands, but {commands}")
        return b"".join(ask(command) + ask(f"{command},0") for command in commands)


def ask_everything(program, runtime, metrics_port):
    """All that a running sensor tells who asks, once it has seen the session's packets."""
    stats = [program, "stats", "--socket", str(runtime / "stats.sock")]
    deadline = time.monotonic() + 20
    while True:
        told = subprocess.run([*stats, "--json"], capture_output=True)
        if told.returncode == 0 and json.loads(told.stdout)["totals"]["ftp_entries"] > 0:
            break
        if time.monotonic() > deadline:
            fail(f"no entry of FTP in `stats`: {told.stdout[-300:]!r} {told.stderr!r}")
            return []
        time.sleep(0.1)
    table = subprocess.run(stats, capture_output=True)
    metrics = urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=10).read()
    answers = {"stats --json": told.stdout, "stats": table.stdout + table.stderr, "metrics": metrics, "telemetry": telemetry(runtime)}
    for what, word in (("stats", b"worker-01"), ("metrics", b"ftpsensor_worker_packets"), ("telemetry", b"ftp_entries")):
        if word not in answers[what]:
            fail(f"{what} does not say {word.decode()}: {answers[what][:300]!r}")
    return list(answers.values())


def live(program, work, captures):
    """False where no port could be opened here."""
    for number, capture in enumerate(captures):
        logs = work / f"live-{capture.stem}"
        runtime = work / f"run-{number}"  # short: it is in the names of sockets
        runtime.mkdir()
        shown = work / f"{number}.pcap"  # short, too: a device's arguments have 128 bytes (DPDK 24.11)
        shown.symlink_to(capture)
        port = free_port()
        daemon = subprocess.Popen(
            [program, "run", *LOUD, "-c", "/dev/null", "--set", f"log.directory={logs}", "--set",
             f'capture.ports=[{{vdev: "net_pcap0,rx_pcap={shown}"}}]', "--set", "eal.hugepages=off", "--set",
             "eal.memory=64MiB", "--set", "timeouts.tcp_close_delay=1s", "--set", f"metrics.port={port}", "--set",
             f"metrics.socket={runtime}/stats.sock", "--set", "metrics.log_interval=1s"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "RUNTIME_DIRECTORY": str(runtime)})
        for _ in range(300):
            if (runtime / "stats.sock").exists() or daemon.poll() is not None:
                break
            time.sleep(0.1)
        came_up = (runtime / "stats.sock").exists()
        answers = ask_everything(program, runtime, port) if daemon.poll() is None else []
        daemon.send_signal(signal.SIGTERM)
        out, err = daemon.communicate(timeout=30)
        said = err.decode(errors="replace").strip()
        if not came_up and NOT_HERE in said:
            print(f"note: no live run here: {said.splitlines()[-1:]}")
            return False
        if daemon.returncode != 0:
            fail(f"run {capture.name}: exit status {daemon.returncode}: {said[-500:]}")
        search(f"run {capture.name}", logs, out, err, *answers)
        if not list(logs.rglob("stats*.gz")):
            fail(f"run {capture.name}: no stats.log")
    return True


def main():
    program, secrets_test = sys.argv[1:]
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        (work / "captures").mkdir()
        subprocess.run([secrets_test], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "FTPSENSOR_TEST_CAPTURES": str(work / "captures")})
        captures = sorted(p for p in (work / "captures").iterdir() if p.name.startswith("secret-"))
        if len(captures) < 20:
            fail(f"only {len(captures)} captures")
        read(program, work, captures)
        # Ports that read a file need no rights but those of DPDK.
        was_live = live(program, work, captures[::max(1, len(captures) // LIVE_CAPTURES)])
        print(f"{len(captures)} captures read{' and some of them live' if was_live else ''}, {failures} failures")
    sys.exit(1 if failures else 0 if was_live else SKIPPED)


main()
