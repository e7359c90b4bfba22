#!/usr/bin/env python3
"""Many transfers at once, two workers: each command has its file, each file its connection, each connection its session.

usage: parallel_test.py FTPSENSORD [af_xdp]

A parallel lftp mirror of 200 files, and at the same time 40 curls: get and put, passive and active, IPv4 and IPv6. The
kernel spreads their connections over two AF_PACKET queues as it likes; with af_xdp, the span port has one queue,
whose worker gives the other its share. Needs: see lab.py, and lftp."""
import collections
import os
import subprocess
import sys
import threading
import time

import lab

FILES, CURLS, PARALLEL = 200, 40, 8
WAYS = {"epsv": [], "pasv": ["--disable-epsv"], "eprt": ["-P", "-"], "port": ["-P", "-", "--disable-eprt"]}
PLACES = [(lab.SERVER[0], way) for way in WAYS] + [(f"[{lab.SERVER[1]}]", way) for way in ("epsv", "eprt")]


def size_of(number):
    return 1 + number * 997  # each file has a length of its own


def make_files(hub):
    folder = hub.folder / "ftp-server" / "many"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number}.bin").write_bytes(os.urandom(size_of(number)))
    for number in range(CURLS):
        (hub.folder / f"put-{number}.bin").write_bytes(os.urandom(size_of(number) + 1))


def mirror(hub):
    script = f"set net:max-retries 1; set cmd:fail-exit yes; open ftp://{lab.SERVER[0]}; mirror --parallel={PARALLEL} many mirrored"
    return subprocess.run(hub.inside("client", "lftp", "--norc", "-c", script), cwd=hub.folder, capture_output=True, text=True,
                          timeout=60, env={**os.environ, "HOME": str(hub.folder)})


def start_curls(hub):
    """Every second one puts; every way and family takes its turn."""
    started = []
    for number in range(CURLS):
        host, way = PLACES[number // 2 % len(PLACES)]
        what = ([f"ftp://{host}/many/{number}.bin", "-o", "/dev/null"] if number % 2 == 0 else
                ["-T", str(hub.folder / f"put-{number}.bin"), f"ftp://{host}/upload/put-{number}.bin"])
        started.append(hub.curl(*WAYS[way], *what, background=True))
    return started


def make_traffic(hub):
    ended = []
    thread = threading.Thread(target=lambda: ended.append(mirror(hub)))
    thread.start()
    curls = start_curls(hub)
    failed = [curl.args for curl in curls if curl.wait(timeout=60) != 0]
    thread.join()
    lab.check(not failed, f"each curl did its transfer {failed or ''}".rstrip())
    lab.check(ended and ended[0].returncode == 0, f"lftp mirrored {ended[0].stderr if ended else ''}".rstrip())


def check_commands(found, early_replies_max):
    """Each RETR and STOR: its file, its connection, its bytes; of so many the reply may come before the connection's end."""
    connections = {entry["uid"]: entry for entry in found["conn"]}
    moved = [entry for entry in found["ftp"] if entry["command"] in ("RETR", "STOR")]
    commands = collections.Counter(entry["command"] for entry in moved)
    lab.check(commands == {"RETR": FILES + CURLS // 2, "STOR": CURLS // 2}, f"an entry for each transfer: {dict(commands)}")
    wrong, early = [], 0
    for entry in moved:
        name = entry["arg"].rsplit("/", 1)[-1]
        size = size_of(int(name.removeprefix("put-").removesuffix(".bin"))) + name.startswith("put-")
        carried = connections.get(entry.get("data_channel.uid"), {})
        counted = (carried.get("orig_bytes"), carried.get("resp_bytes"))
        if "duration" not in carried:  # all within one poll of a port that stamps nothing: as in Zeek, no bytes then
            counted = (size,)
        if "data_channel.bytes" not in entry and early < early_replies_max:
            early += 1
        elif entry.get("data_channel.bytes") != size:
            wrong.append((entry, carried))
        if ("fuid" not in entry or carried.get("control_uid") != entry["uid"] or
                size not in counted):
            wrong.append((entry, carried))
    lab.check(not wrong, f"each with its file, its connection and the bytes of its file {wrong[:3] or ''}".rstrip())
    used = [entry["data_channel.uid"] for entry in moved]
    lab.check(len(used) == len(set(used)), "no connection is told for two commands")


def check_connections(found):
    """Each data connection names its session, and there is one for each transfer (and each list that lftp took)."""
    sessions = {entry["uid"] for entry in found["conn"] if entry.get("service") == "ftp"}
    data = [entry for entry in found["conn"] if entry.get("service") == "ftp-data"]
    lab.check(len(data) >= FILES + CURLS, f"{FILES + CURLS} transfers' data connections and the lists': {len(data)}")
    strays = [entry for entry in data if entry.get("control_uid") not in sessions]
    lab.check(not strays, f"each names its session {strays[:3] or ''}".rstrip())
    others = [entry for entry in found["conn"] if entry["proto"] == "tcp" and entry.get("service") not in ("ftp", "ftp-data")]
    lab.check(not others, f"and there are no other connections {others[:3] or ''}".rstrip())


def check_round(ftpsensord, port):
    with lab.Lab(ftpsensord) as hub:
        make_files(hub)
        sensor = hub.start_sensor(workers=3 if port == "af_xdp" else 2, port=port,
                                  capture__resteer="on" if port == "af_xdp" else "auto")
        make_traffic(hub)
        time.sleep(0.5)  # the last FINs
        status, _ = sensor.stop()
        lab.check(status == 0, "the sensor ends with status 0")
        lab.check_nothing_lost(sensor)
        lab.check(sensor.summary()["steered"] > 100, "each worker received packets of the other's connections")
        found = lab.entries(sensor.logs)
        # In AF_XDP's queue packets of several processors meet in an order that is not always the senders'.
        check_commands(found, early_replies_max=5 if port == "af_xdp" else 0)
        check_connections(found)


def main():
    port = (sys.argv[2:] or ["interface"])[0]
    if len(sys.argv) not in (2, 3) or port not in ("interface", "af_xdp"):
        sys.exit(__doc__)
    lab.need("lftp")
    if port == "af_xdp":
        lab.need_af_xdp()
    lab.until_nothing_is_lost(lambda: check_round(sys.argv[1], port))


main()
