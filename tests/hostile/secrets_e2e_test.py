#!/usr/bin/env python3
"""No output of the program holds a password: neither log, in either form, nor what is said on standard output and error
with everything switched on; read from captures, and live from a port.

usage: secrets_e2e_test.py FTPSENSORD SECRETS_TEST

SECRETS_TEST (tests/golden/secrets_test.cpp) leaves its captures, in which a password is said in all spellings."""
import gzip
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

SECRET = b"tr0ub4dor"
LOUD = ["--set", "messages=debug", "--set", "ftp.commands=[all]"]
LIVE_CAPTURES = 4
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
    if b"DELE" not in logs and b"USER" not in logs and b"PASS" not in logs:
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


def live(program, work, captures):
    """False where no port could be opened here."""
    for capture in captures:
        logs = work / f"live-{capture.stem}"
        daemon = subprocess.Popen(
            [program, "run", *LOUD, "-c", "/dev/null", "--set", f"log.directory={logs}", "--set",
             f'capture.ports=[{{vdev: "net_pcap0,rx_pcap={capture}"}}]', "--set", "eal.hugepages=off", "--set",
             "eal.memory=64MiB", "--set", "timeouts.tcp_close_delay=1s"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "RUNTIME_DIRECTORY": str(work)})
        time.sleep(4)
        daemon.send_signal(signal.SIGTERM)
        out, err = daemon.communicate(timeout=30)
        if daemon.returncode != 0:
            print(f"note: no live run here: {err.decode(errors='replace').strip().splitlines()[-1:]}")
            return False
        search(f"run {capture.name}", logs, out, err)
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
    sys.exit(1 if failures else 0)


main()
