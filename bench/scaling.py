#!/usr/bin/env python3
"""What a port needs in cores, memory and disk, from measured costs: the tables of docs/scaling.md.

usage: scaling.py [--write] RESULTS_JSON

RESULTS_JSON: what `./dev bench pipeline log` left, build-bench/bench/results.json. --write puts the tables into
docs/scaling.md, between its two marks, else they are printed. Costs are the means of the benchmark, not its best: what a core does all day.
What is not measured is in ASSUMED, and named in the text."""
import argparse
import json
import math
import pathlib
import re
import sys

DOC = pathlib.Path(__file__).resolve().parent.parent / "docs/scaling.md"
BEGIN, END = "<!-- scaling.py: begin -->", "<!-- scaling.py: end -->"
ASSUMED = {"receive_ns": 20}  # a DPDK driver's poll and the view of a packet: see the document

# At 10 Gbit/s: bytes of a frame without preamble and gap, connections live, connections a second.
MIXES = {
    "small": ("64-byte packets alone", 64, 1_000_000, 100_000),
    "usual": ("800 bytes a packet on average", 800, 200_000, 10_000),
    "bulk": ("1514-byte packets", 1518, 10_000, 1_000),
}
ON_THE_WIRE = 20  # preamble and gap
PORTS = [10, 40, 100, 400]  # Gbit/s
LIVE = {10_000: "64 bytes, 10 k live", 100_000: "64 bytes, 100 k live", 1_000_000: "64 bytes, 1 M live",
        10_000_000: "64 bytes, 10 M live"}
SHORT_PACKETS = 10  # of a connection in "short connections, recorded"


class Costs:
    def __init__(self, rows):
        def figure(bench, case, name):
            found = [row[name] for row in rows if row["bench"] == bench and row.get("case") == case and name in row]
            if not found:
                sys.exit(f"scaling: there is no {name} of '{case}': ./dev bench {bench}")
            return found[-1]

        self.packet = {live: figure("pipeline", case, "ns_packet_mean") for live, case in LIVE.items()}
        self.connection_ns = (figure("pipeline", "short connections, recorded", "ns_connection")
                              - SHORT_PACKETS * self.packet[100_000])
        self.connection_bytes = figure("pipeline", LIVE[10_000_000], "bytes_connection")
        self.syn_ns = figure("pipeline", "SYN flood, table of 1 M", "ns_packet")
        self.merge_ns = figure("log", "merge, conn json", "ns_entry")
        self.write_ns = figure("log", "write, conn json", "ns_entry")
        self.entry_bytes = figure("log", "format, conn json", "bytes_entry")
        self.times_smaller = figure("log", "compress conn json, level 1", "times_smaller")

    def packet_ns(self, live):
        """Between what was measured, by the logarithm of the connections that are live."""
        counts = sorted(self.packet)
        live = min(max(live, counts[0]), counts[-1])
        for low, high in zip(counts, counts[1:]):
            if live <= high:
                share = math.log(live / low) / math.log(high / low)
                return self.packet[low] + share * (self.packet[high] - self.packet[low])

    def workers(self, gigabits, mix):
        """Cores for packets and new connections; each worker has its share of the connections that are live."""
        _, frame_bytes, live, opened = MIXES[mix]
        scale, workers = gigabits / 10, 1.0
        for _ in range(20):
            ns = self.packet_ns(live * scale / max(1, math.ceil(workers))) + ASSUMED["receive_ns"]
            workers = (packets_a_second(frame_bytes) * scale * ns + opened * scale * self.connection_ns) / 1e9
        return workers


def packets_a_second(frame_bytes):
    return 10e9 / 8 / (frame_bytes + ON_THE_WIRE)


def short(value, digits=2):
    """Two digits, as a forecast deserves."""
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{value:.0f}"


def count(value, digits=2):
    for unit, name in ((1e6, " M"), (1e3, " k")):
        if value >= unit:
            return short(value / unit, digits) + name
    return short(value, digits)


def table(head, rows):
    return "\n".join(["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]])


def tables(results):
    costs = Costs(results["rows"])
    machine = results["machine"]
    mixes = table(["mix", "packets at 10 Gbit/s", "connections live", "new ones"], [
        [f"{mix}: {what}", count(packets_a_second(size), 3) + " a second", count(live), count(opened) + " a second"]
        for mix, (what, size, live, opened) in MIXES.items()])
    measured = table(["cost", "measured"], [
        ["a packet at 10 thousand, 100 thousand, 1 million, 10 million connections",
         ", ".join(f"{ns:.0f}" for _, ns in sorted(costs.packet.items())) + " ns"],
        ["receiving it, assumed", f"{ASSUMED['receive_ns']} ns"],
        ["a new connection, beyond its packets", f"{costs.connection_ns:.0f} ns"],
        ["a SYN of a flood, which makes another one leave a full table", f"{costs.syn_ns:.0f} ns"],
        ["a connection in memory", f"{costs.connection_bytes:.0f} bytes"],
        ["a conn entry: logger, writer", f"{costs.merge_ns:.0f}, {costs.write_ns:.0f} ns"],
        ["a conn entry: text, file", f"{costs.entry_bytes:.0f}, {costs.entry_bytes / costs.times_smaller:.0f} bytes"]])
    ports = []
    for gigabits in PORTS:
        live, opened = (MIXES[mix][at] * gigabits / 10 for mix, at in (("small", 2), ("usual", 3)))
        file_bytes = opened * costs.entry_bytes / costs.times_smaller
        ports.append([f"{gigabits} Gbit/s", *(short(costs.workers(gigabits, mix)) for mix in MIXES),
                      short(live * costs.connection_bytes / 1e9) + " GB", count(opened),
                      f"{short(opened * costs.merge_ns / 1e9)} + {short(opened * costs.write_ns / 1e9)} cores",
                      f"{short(file_bytes / 1e6)} MB, {short(file_bytes * 86400 / 1e9)} GB"])
    needs = table(["port", *(f"{mix}: workers" for mix in MIXES), "tables (small)", "conn entries a second (usual)",
                   "logger and writer", "log disk: a second, a day"], ports)
    ends = table(["what ends first", "at"], [
        ["a worker, packets of 64 bytes, 1 M live",
         count(1e9 / (costs.packet_ns(1_000_000) + ASSUMED["receive_ns"])) + " a second"],
        ["a worker, new connections of ten packets",
         count(1e9 / (costs.connection_ns + SHORT_PACKETS * (costs.packet_ns(100_000) + ASSUMED["receive_ns"]))) + " a second"],
        ["a worker, SYNs of a flood", count(1e9 / (costs.syn_ns + ASSUMED["receive_ns"])) + " a second"],
        ["the logger", count(1e9 / costs.merge_ns) + " records a second"],
        ["the writer of conn.log", count(1e9 / costs.write_ns) + " entries a second"]])
    source = (f"By `bench/scaling.py` from `./dev bench pipeline log` at commit {results['commit']}, {results['compiler']['name']}, "
              f"{machine['processor']}, load {machine['load_before']:.1f} before.")
    return "\n\n".join([source, mixes, measured, needs, ends])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("results", type=pathlib.Path)
    arguments = parser.parse_args()
    text = tables(json.loads(arguments.results.read_text()))
    if not arguments.write:
        print(text)
        return
    document = DOC.read_text()
    block = re.compile(re.escape(BEGIN) + ".*" + re.escape(END), re.DOTALL)
    if len(block.findall(document)) != 1:
        sys.exit(f"{DOC}: its two marks are not there once each")
    DOC.write_text(block.sub(lambda _: f"{BEGIN}\n\n{text}\n\n{END}", document))
    print(f"{DOC} is written")


if __name__ == "__main__":
    main()
