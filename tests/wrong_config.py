#!/usr/bin/env python3
"""A configuration that can't work ends `run` with 2, so that systemd does not try it again for ever; the key is named.

usage: wrong_config.py FTPSENSORD

DPDK starts without huge pages and without rights."""
import os
import pathlib
import subprocess
import sys
import tempfile

# What is set wrongly, and how the message begins.
WRONG = {
    "capture.filter=tcp portt 21": "ftpsensord: capture.filter: ",
    "log.group=no-such-group": "ftpsensord: log.group: there is no group 'no-such-group' on this machine; try: groupadd no-such-group\n",
    "eal.eal_args=[--nonsense]": "ftpsensord: eal.eal_args: ",
    "eal.eal_args=[-l, '99999']": "ftpsensord: eal.eal_args: ",
}
# Needs a port whose buffers are more than eal.memory.
MEMORY = ["--set=eal.memory=16MiB", "--set=capture.snaplen=65535", "--set=workers.count=8"]
failures = []


def check(holds, what):
    print(f"{'ok' if holds else 'FAILED'}: {what}")
    if not holds:
        failures.append(what)


def call(ftpsensord, folder, command, *arguments):
    return subprocess.run([ftpsensord, command, "-c", f"{folder}/sensor.yaml", *arguments], cwd=folder, timeout=60, text=True,
                          capture_output=True, env={**os.environ, "RUNTIME_DIRECTORY": str(folder)})


def last_line(run):
    return run.stderr.splitlines(keepends=True)[-1] if run.stderr else ""


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    ftpsensord = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "sensor.yaml").write_text(f"""
capture: {{ports: [{{vdev: "net_null0,size=64"}}], poll: adaptive, resteer: "off"}}
limits: {{connections_max: 1000, ftp_sessions_max: 100}}
eal: {{hugepages: "off", memory: 128MiB}}
log: {{directory: {folder}/logs, retention: {{free: 1MiB}}}}
metrics: {{port: 0, socket: ""}}
""")
        for setting, begin in WRONG.items():
            run = call(ftpsensord, folder, "run", "--set", setting)
            check(run.returncode == 2, f"{setting}: status {run.returncode}")
            check(last_line(run).startswith(begin), f"it says: {last_line(run)}")
            check(not run.stdout, f"and prints nothing else: {run.stdout[:60]!r}")
        run = call(ftpsensord, folder, "run", *MEMORY)
        check(run.returncode == 2 and "raise eal.memory or lower" in last_line(run), f"eal.memory: {run.returncode}, {last_line(run)}")
        for setting in ("log.group=no-such-group", "capture.filter=tcp portt 21"):
            run = call(ftpsensord, folder, "read", "--set", setting, "/dev/null")
            check(run.returncode == 2 and last_line(run).startswith(WRONG[setting]), f"so does read: {run.returncode}, {last_line(run)}")

        run = call(ftpsensord, folder, "check")
        check(run.returncode == 0, f"without any of it check is content: {run.stdout[-120:]}")
        for setting in ("log.group=no-such-group", "capture.filter=tcp portt 21"):
            run = call(ftpsensord, folder, "check", "--set", setting)
            key = setting.partition("=")[0]
            check(run.returncode == 1 and f" problem  {key}: " in run.stdout, f"check says what is wrong with {setting}")
    sys.exit(1 if failures else 0)


main()
