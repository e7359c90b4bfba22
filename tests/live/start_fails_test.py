#!/usr/bin/env python3
"""A start that fails half-way, because the machine gives it only so many threads, whichever is the one too many: it is
said, and it ends at once.

usage: start_fails_test.py FTPSENSORD

Needs root, to act as a user of whom nothing else runs."""
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
USER = 64999  # nobody's
WORKERS = 6
THREADS_MAX = 60


def start(ftpsensord, folder, threads):
    """Returns what it said, or None where it captured."""
    def as_somebody():
        resource.setrlimit(resource.RLIMIT_NPROC, (threads, threads))
        os.setgroups([])
        os.setgid(USER)
        os.setuid(USER)

    command = [ftpsensord, "run", "-c", f"{folder}/sensor.yaml"]
    said = folder / "said.txt"
    with said.open("w") as messages:
        process = subprocess.Popen(command, stdout=messages, stderr=messages, env={"RUNTIME_DIRECTORY": str(folder)}, cwd=folder,
                                   preexec_fn=as_somebody)
    deadline = time.monotonic() + 20
    while process.poll() is None and ": capturing" not in said.read_text():
        if time.monotonic() > deadline:
            process.kill()
            sys.exit(f"FAILED: with {threads} threads it hangs, having said: {said.read_text()}")
        time.sleep(0.02)
    if process.poll() is None:
        process.terminate()
        process.wait(timeout=20)
        return None
    if process.returncode != 1:
        sys.exit(f"FAILED: with {threads} threads it ends with {process.returncode}, having said: {said.read_text()}")
    return said.read_text()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if os.geteuid() != 0:
        print("SKIPPED: needs root")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chown(folder, USER, USER)
        ftpsensord = shutil.copy(sys.argv[1], folder)  # where that user may go: /root is nobody's else
        (folder / "sensor.yaml").write_text(f"""
capture: {{ports: [{{vdev: "net_null0,size=64"}}], poll: adaptive, resteer: "off"}}
workers: {{count: {WORKERS}}}
limits: {{connections_max: 1000, ftp_sessions_max: 100}}
eal: {{hugepages: "off", memory: 128MiB}}
log: {{directory: {folder}/logs}}
metrics: {{port: 0, socket: ""}}
""")
        failed = []
        for threads in range(1, THREADS_MAX):
            said = start(ftpsensord, folder, threads)
            if said is None:
                break
            failed.append(said)
        else:
            sys.exit(f"FAILED: it never captures: {failed[-1]}")
        print(f"ok: {len(failed)} starts with too few threads end, and with {threads} it captures; the last said: {failed[-1]}")
        if "packet buffers in ordinary pages" not in failed[-1]:
            sys.exit("FAILED: what it found before that is not said")
        if len(failed) < WORKERS or "no further thread can be started" not in failed[-1]:
            sys.exit("FAILED: that is not what was to fail")


main()
