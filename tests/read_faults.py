#!/usr/bin/env python3
"""What goes wrong around `ftpsensord read` is said, and its exit status says so, too.

usage: read_faults.py FTPSENSOR MISSION_CAPTURE"""
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

USER = 64998  # nobody's
PATIENCE = 30  # seconds


def check(what, good, details=""):
    print("ok  " if good else "FAIL", what, details if not good else "", flush=True)
    if not good:
        sys.exit(1)


def run(*command, **options):
    return subprocess.run(command, capture_output=options.get("stdout") is None, text=True, timeout=PATIENCE, **options)


def a_folder_in_the_way(binary, capture, work):
    """Of the day: the file cannot be moved there."""
    logs = work / "in_the_way"
    logs.mkdir()
    (logs / "2020-08-16").write_text("a file of that name")
    said = run(binary, "read", "-o", str(logs), capture)
    check("logs that cannot be moved to their place: status 1", said.returncode == 1, said)
    check("and it is said where they are", f"not finished {logs}/current" in said.stdout, said.stdout)
    check("and there they are", (logs / "current" / "conn.log.gz").stat().st_size > 0)
    (logs / "2020-08-16").unlink()
    said = run(binary, "read", "-o", str(logs), capture)
    check("the next one finishes them", said.returncode == 0 and len(list((logs / "2020-08-16").glob("conn_*"))) == 2, said)


def standard_descriptors(binary, capture, work):
    closed = run("sh", "-c", f'exec "{binary}" read -o "{work}/closed" - <&-')
    check("standard input that is closed is an end at once", closed.returncode == 1 and "damaged" in closed.stdout, closed)
    for command in ([binary, "--help"], [binary, "read", "-o", str(work / "full"), capture]):
        with open("/dev/full", "w") as full:
            said = run(*command, stdout=full, stderr=subprocess.PIPE)
        check(f"{command[1]}: output that cannot be written is no success",
              said.returncode == 1 and "standard output could not be written" in said.stderr, said)


def too_few_threads(binary, capture, work):
    """For some of the workers; whichever is the one too many."""
    if os.geteuid() != 0:
        print("note: no root here: what happens with too few threads was not tried")
        return
    home = work / "threads"
    home.mkdir()
    os.chown(work, USER, USER)
    os.chown(home, USER, USER)
    binary, capture = shutil.copy(binary, home), shutil.copy(capture, home)

    def as_somebody(threads):
        resource.setrlimit(resource.RLIMIT_NPROC, (threads, threads))
        os.setgroups([])
        os.setgid(USER)
        os.setuid(USER)

    failed = 0
    for threads in range(1, 40):
        said = run(binary, "read", "-o", f"{home}/logs-{threads}", "--workers", "8", capture, cwd=home,
                   preexec_fn=lambda threads=threads: as_somebody(threads))
        if said.returncode == 0:
            break
        failed += 1
        if said.returncode != 1 or "no further thread can be started" not in said.stderr:
            check(f"with {threads} threads", False, said)
    check(f"{failed} reads with too few threads for 8 workers end with the sentence, and status 1", failed >= 8 and said.returncode == 0)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    binary, write_capture = (str(pathlib.Path(argument).resolve()) for argument in sys.argv[1:])
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        capture = str(work / "mission.pcap")
        subprocess.run([write_capture, capture], check=True)
        a_folder_in_the_way(binary, capture, work)
        standard_descriptors(binary, capture, work)
        too_few_threads(binary, capture, work)


main()
