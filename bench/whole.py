#!/usr/bin/env python3
"""What the whole program costs on captures: CPU seconds of `ftpsensord read`, beside Suricata's where it is installed.

usage: whole.py [--json FILE] [--rounds N] [--keep DIR] BUILD_DIR [CAPTURE...]

The captures (ftp, short, bulk; all by default) are made by write_captures, in BUILD_DIR/bench, and removed at the end;
--keep has them in DIR, and takes those that are there. CPU is that of the whole process, user and system, start and end
included, the least of N rounds (default 2) in which the programs take turns. The files lie in the page cache as reading
from the disk puts them there (in large pages, where the file system has them), not as their writing did. Suricata runs without rules, with its
parsers for FTP alone, eve's flow and ftp as its only output and without checksums; the sensor has an entry for each FTP
command (ftp.commands: [all]), as Suricata has. Each run's entries are counted: a program that did not see all connections
would be no peer."""
import argparse
import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

CAPTURES = {"ftp": "FTP sessions", "short": "short connections", "bulk": "bulk transfers"}

# Nothing that is not asked for: no packet pool for a port, no other parser, no statistics. Memory so that nothing is lost.
SURICATA_YAML = """%YAML 1.1
---
default-log-dir: {directory}
stats: {{enabled: no}}
logging: {{default-log-level: error, outputs: [{{console: {{enabled: yes}}}}]}}
outputs:
  - eve-log: {{enabled: yes, filetype: regular, filename: eve.json, types: [flow, ftp]}}
flow: {{memcap: 2gb, hash-size: 262144, prealloc: 10000, emergency-recovery: 30}}
stream: {{memcap: 2gb, checksum-validation: no, inline: no, reassembly: {{memcap: 2gb, depth: 1mb}}}}
app-layer:
  protocols: {{ftp: {{enabled: yes, memcap: 1gb}}, dns: {{tcp: {{enabled: no}}, udp: {{enabled: no}}}}, {others}}}
threading: {{set-cpu-affinity: no}}
"""
SURICATA_OTHER_PARSERS = """http tls ssh imap smtp smb dcerpc nfs ntp tftp ike krb5 quic dhcp snmp sip rfb mqtt telnet rdp
http2 bittorrent-dht""".split()


def suricata_yaml(directory):
    others = ", ".join(f"{name}: {{enabled: no}}" for name in SURICATA_OTHER_PARSERS)
    return SURICATA_YAML.format(directory=directory, others=others)


def sensor(build, workers):
    def command(capture, directory):
        return [str(build / "daemon/ftpsensord"), "read", "--workers", str(workers), "--set", "ftp.commands=[all]", "-o",
                str(directory), str(capture)]

    def entries(directory):
        counts = {"conn": 0, "ftp": 0}
        for log in counts:
            for path in directory.glob(f"*/{log}_*.gz"):
                with gzip.open(path) as lines:
                    counts[log] += sum(1 for _ in lines)
        return counts

    return f"ftpsensord, {workers} worker{'s' if workers > 1 else ''}", command, entries


def suricata(mode, what):
    def command(capture, directory):
        config = directory / "suricata.yaml"
        config.write_text(suricata_yaml(directory))
        return ["suricata", "-c", str(config), "-r", str(capture), "-S", "/dev/null", "-l", str(directory), "-k", "none",
                "--runmode", mode]

    def entries(directory):
        counts = {"conn": 0, "ftp": 0}
        with open(directory / "eve.json", "rb") as eve:
            for line in eve:
                counts["conn"] += b'"event_type":"flow"' in line
                counts["ftp"] += b'"event_type":"ftp' in line
        return counts

    return f"Suricata, {what}", command, entries


def run(program, capture):
    """One run: its figures."""
    _, command, entries = program
    with tempfile.TemporaryDirectory(dir=capture.parent) as name:
        directory = pathlib.Path(name)
        arguments = command(capture, directory)
        with open(directory / "output", "wb") as output:
            begin = time.monotonic()
            child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(child.pid, 0)
            wall = time.monotonic() - begin
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.exit(f"{' '.join(arguments)}: exit status {child.returncode}\n{(directory / 'output').read_text()}")
        return {"cpu_s": usage.ru_utime + usage.ru_stime, "user_s": usage.ru_utime, "system_s": usage.ru_stime,
                "wall_s": wall, "rss_mb": usage.ru_maxrss / 1024, **entries(directory)}


def read_from_disk(capture):
    with open(capture, "rb", buffering=0) as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while file.read(1 << 20):
            pass


def measure(programs, name, capture, rounds):
    """A row a program: of each the round that took least CPU."""
    read_from_disk(capture)
    best = {}
    for _ in range(rounds):
        for program in programs:
            figures = run(program, capture)
            if program[0] not in best or figures["cpu_s"] < best[program[0]]["cpu_s"]:
                best[program[0]] = figures
    peers = [figures["cpu_s"] for title, figures in best.items() if title.startswith("Suricata")]
    print(f"{CAPTURES[name]}, {capture.stat().st_size / 1e6:.0f} MB")
    for title, figures in best.items():
        line = (f"  {title:24} {figures['cpu_s']:7.2f} s CPU ({figures['user_s']:.2f} + {figures['system_s']:.2f})"
                f" {figures['wall_s']:7.2f} s {figures['rss_mb']:7.0f} MB {figures['conn']:8} connections"
                f" {figures['ftp']:7} ftp entries")
        if peers and not title.startswith("Suricata"):
            figures["times_less_than_suricata"] = min(peers) / figures["cpu_s"]
            line += f"  {figures['times_less_than_suricata']:.1f} times less"
        print(line, flush=True)
    return [{"bench": "whole", "case": CAPTURES[name], "program": title, **figures} for title, figures in best.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("captures", nargs="*", metavar="CAPTURE")
    arguments = parser.parse_args()
    for name in arguments.captures:
        if name not in CAPTURES:
            parser.error(f"there is no capture '{name}'")

    programs = [sensor(arguments.build, 1), sensor(arguments.build, 2)]
    if shutil.which("suricata"):
        programs += [suricata("single", "1 thread"), suricata("autofp", "as it comes")]
    else:
        print("note: there is no suricata here to stand beside (apt install suricata)")
    rows = []
    with tempfile.TemporaryDirectory(dir=arguments.build / "bench", prefix="captures-") as temporary:
        folder = arguments.keep or pathlib.Path(temporary)
        for name in arguments.captures or CAPTURES:
            capture = (folder / f"{name}.pcap").resolve()
            if not capture.exists():
                subprocess.run([arguments.build / "bench/write_captures", name, capture], check=True)
            rows += measure(programs, name, capture, arguments.rounds)
            if not arguments.keep:
                capture.unlink()
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
