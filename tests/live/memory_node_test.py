#!/usr/bin/env python3
"""A pinned worker's tables are kept on its CPU's NUMA node, as the kernel tells it of each mapping; one that may run
anywhere keeps nothing.

usage: memory_node_test.py FTPSENSORD

Of one node the kernel tells as much as of several. Needs: see lab.py, and a kernel with memory policies."""
import os
import pathlib
import re
import sys

import lab

CONNECTIONS = 1_000_000
TABLE_BYTES = 250 * CONNECTIONS  # connections alone


def kept_bytes(pid, node):
    """Of mappings that prefer that node."""
    sizes = {}
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
        begin, end = (int(part, 16) for part in line.split()[0].split("-"))
        sizes[begin] = end - begin
    kept = 0
    for line in pathlib.Path(f"/proc/{pid}/numa_maps").read_text().splitlines():
        begin, policy = line.split()[:2]
        if re.fullmatch(rf"prefer( \(many\))?:{node}", policy):
            kept += sizes.get(int(begin, 16), 0)
    return kept


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    lab.need(usual=())
    if not pathlib.Path("/proc/self/numa_maps").exists():
        lab.skip("this kernel has no memory policies")
    cpu = min(os.sched_getaffinity(0))
    node = int(next(pathlib.Path(f"/sys/devices/system/cpu/cpu{cpu}").glob("node*")).name[len("node"):])
    with lab.Lab(sys.argv[1], with_server=False) as hub:
        settings = {"limits__connections_max": CONNECTIONS}
        pinned = hub.start_sensor(workers=1, workers__cpus=f"[{cpu}]", **settings)
        kept = kept_bytes(pinned.process.pid, node)
        lab.check(kept >= TABLE_BYTES, f"{kept >> 20} MiB of a worker on CPU {cpu} are kept on node {node}")
        lab.check("gives no memory" not in pinned.said(), "the node gives memory")
        pinned.stop()
        free = hub.start_sensor(workers=1, folder="free", **settings)
        lab.check(kept_bytes(free.process.pid, node) == 0, "nothing is kept of a worker without a CPU or a node")
        free.stop()


main()
