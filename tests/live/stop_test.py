#!/usr/bin/env python3
"""SIGTERM in the middle of live traffic: logs end whole, open connections are recorded, status 0, in under two seconds.

usage: stop_test.py FTPSENSORD

Needs: see lab.py."""
import subprocess
import sys
import time

import lab

PARALLEL = 4


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    lab.need("gzip")
    with lab.Lab(sys.argv[1]) as hub:
        sensor = hub.start_sensor(workers=2)
        hub.curl(f"ftp://{lab.SERVER[0]}/hello.txt", "-o", "/dev/null")  # one that is over
        downloads = [hub.curl("--limit-rate", "4M", f"ftp://{lab.SERVER[0]}/big.bin", "-o", "/dev/null", background=True)
                     for _ in range(PARALLEL)]
        time.sleep(2)
        lab.check(all(d.poll() is None for d in downloads), "the downloads go on")
        status, seconds = sensor.stop()
        lab.check(all(d.poll() is None for d in downloads), "and go on after the sensor's end")
        lab.check(status == 0, f"status 0, was {status}")
        lab.check(seconds < 2, f"in under 2 s, took {seconds:.2f}")

        files = lab.log_files(sensor.logs)
        lab.check(files, "there are logs")
        for path in files:
            run = subprocess.run(["gzip", "-t", str(path)], capture_output=True, text=True)
            lab.check(run.returncode == 0, f"{path.relative_to(sensor.logs)} is whole {run.stderr}".rstrip())
            lab.check("current" not in path.relative_to(sensor.logs).parts, "and rotated")
        found = lab.entries(sensor.logs)  # fails where a line is not JSON
        services = [entry.get("service") for entry in found["conn"]]
        lab.check(services.count("ftp") == PARALLEL + 1, f"all control connections recorded: {services}")
        open_data = [e for e in found["conn"] if e.get("service") == "ftp-data" and e["conn_state"] == "S1"]
        lab.check(len(open_data) == PARALLEL, f"open data connections recorded as open, found {len(open_data)}")
        lab.check(all(e["resp_bytes"] > 1_000_000 for e in open_data), "with what they had moved")
        retrievals = [e for e in found["ftp"] if e["command"] == "RETR" and e["arg"].endswith("big.bin")]
        lab.check(len(retrievals) == PARALLEL, f"commands still open recorded, found {len(retrievals)}")
        figures = sensor.summary()
        lab.check(figures["kernel_drops"] == 0 and figures["conn_records_dropped"] == 0, "nothing dropped")


main()
