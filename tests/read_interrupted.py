#!/usr/bin/env python3
"""Ctrl-C, or SIGTERM, ends `ftpsensord read` with all that it has seen in dated files, and a summary.

usage: read_interrupted.py FTPSENSOR MISSION_CAPTURE"""
import gzip
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE = 20  # seconds


def check(what, good, details=""):
    print("ok  " if good else "FAIL", what, details if not good else "", flush=True)
    if not good:
        sys.exit(1)


def entries(logs, log):
    return [json.loads(line) for path in logs.glob(f"2020-08-16/{log}_*") for line in gzip.open(path, "rt")]


def start(binary, logs, *captures, **options):
    return subprocess.Popen([binary, "read", "--seed", "1", "-o", str(logs), *captures], stdout=subprocess.PIPE, text=True,
                            **options)


def slept_on_pipe(process):
    """Waits until it has taken what was sent and waits for more."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        where = pathlib.Path(f"/proc/{process.pid}/syscall").read_text().split()[0]
        if where in ("0", "7", "271"):  # read, poll, ppoll
            return
        time.sleep(0.02)
    check("it waits for its pipe", False, where)


def whole(logs, text, what):
    check(f"{what}: both connections are in the dated folder",
          sorted(e["service"] for e in entries(logs, "conn")) == ["ftp", "ftp-data"], entries(logs, "conn"))
    check(f"{what}: and the session's commands",
          sorted(e["command"] for e in entries(logs, "ftp")) == ["EPSV", "RETR"], entries(logs, "ftp"))
    check(f"{what}: the summary says where it stopped", "stopped " in text and "connections  2" in text, text)


def open_pipe(binary, mission, work, number, workers):
    logs = work / f"pipe-{number.name}-{workers}"
    process = start(binary, logs, "--workers", workers, "-", stdin=subprocess.PIPE)
    process.stdin.buffer.write(mission)
    process.stdin.buffer.flush()
    slept_on_pipe(process)
    began = time.monotonic()
    process.send_signal(number)
    text = process.stdout.read()
    status = process.wait(PATIENCE)
    what = f"{number.name} on an open pipe, {workers} workers"
    check(f"{what}: status 0, within seconds", status == 0 and time.monotonic() - began < 10, (status, text))
    whole(logs, text, what)
    process.stdin.close()


def what_was_sent(binary, mission, work):
    """Ctrl-C reaches the writer, too: what it still writes, and closes, is read to its end."""
    logs = work / "rest"
    process = start(binary, logs, "-", stdin=subprocess.PIPE)
    half = len(mission) // 2
    process.stdin.buffer.write(mission[:half])
    process.stdin.buffer.flush()
    slept_on_pipe(process)
    process.send_signal(signal.SIGINT)
    process.stdin.buffer.write(mission[half:])
    process.stdin.close()
    text, status = process.stdout.read(), process.wait(PATIENCE)
    check("what the writer still sent is read: nothing was cut", status == 0 and "stopped" not in text and
          "damaged" not in text and "connections  2" in text, text)


def second_signal(binary, mission, work):
    """A writer that goes on is cut after two seconds; whoever does not wait for it sends another."""
    process = start(binary, work / "second", "-", stdin=subprocess.PIPE)
    process.stdin.buffer.write(mission)
    process.stdin.buffer.flush()
    slept_on_pipe(process)
    process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    status = process.wait(PATIENCE)
    check("a second signal ends it at once", status == -signal.SIGTERM, status)


def ignored(binary, mission, work):
    """nohup, or a script's background job."""
    process = start(binary, work / "ignored", "-", stdin=subprocess.PIPE,
                    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    process.stdin.buffer.write(mission[:1000])
    process.stdin.buffer.flush()
    slept_on_pipe(process)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    check("a signal that was ignored stays so", process.poll() is None)
    process.stdin.buffer.write(mission[1000:])
    process.stdin.close()
    text = process.stdout.read()
    check("and all is read", process.wait(PATIENCE) == 0 and "connections  2" in text and "stopped" not in text, text)


def named_pipe(binary, mission, work):
    """One that nobody has opened for writing: what was read before it stays."""
    (work / "before.pcap").write_bytes(mission)
    pipe, logs = work / "pipe", work / "named"
    os.mkfifo(pipe)
    process = start(binary, logs, str(work / "before.pcap"), str(pipe))
    slept_on_pipe(process)
    process.send_signal(signal.SIGTERM)
    text, status = process.stdout.read(), process.wait(PATIENCE)
    check("a named pipe without a writer is waited for no longer", status == 0 and f"stopped      {pipe}" in text, (status, text))
    whole(logs, text, "the file before it")
    process = start(binary, work / "written", str(pipe))
    time.sleep(0.2)
    with open(pipe, "wb") as writer:
        writer.write(mission[:1000])
        writer.flush()
        time.sleep(0.2)
        writer.write(mission[1000:])
    text, status = process.stdout.read(), process.wait(PATIENCE)
    check("and one with a writer is read to its end", status == 0 and "connections  2" in text and "damaged" not in text, (status, text))


def files(binary, mission, work):
    """Files end at the packet where the signal came; those behind are not read, and the summary says so."""
    (work / "mission.pcap").write_bytes(mission)
    logs = work / "files"
    process = start(binary, logs, "-", str(work / "mission.pcap"), stdin=subprocess.PIPE)
    process.stdin.buffer.write(mission)
    process.stdin.buffer.flush()
    slept_on_pipe(process)
    process.send_signal(signal.SIGTERM)
    text, status = process.stdout.read(), process.wait(PATIENCE)
    check("the file behind the pipe is not read", status == 0 and "connections  2" in text, text)
    whole(logs, text, "the pipe before it")
    process.stdin.close()


def main():
    binary, mission_capture = sys.argv[1:]
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        subprocess.run([mission_capture, str(work / "made.pcap")], check=True, stdout=subprocess.DEVNULL)
        mission = (work / "made.pcap").read_bytes()
        for number, workers in ((signal.SIGINT, "1"), (signal.SIGTERM, "1"), (signal.SIGINT, "3")):
            open_pipe(binary, mission, work, number, workers)
        what_was_sent(binary, mission, work)
        second_signal(binary, mission, work)
        ignored(binary, mission, work)
        files(binary, mission, work)
        named_pipe(binary, mission, work)


if __name__ == "__main__":
    main()
