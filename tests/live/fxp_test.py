#!/usr/bin/env python3
"""FXP: lftp lets one vsftpd send a file to another one. The connection between the two servers is both sessions', and each
command has its file and its bytes.

usage: fxp_test.py FTPSENSORD

Two workers; either server listens (ftp:fxp-passive-source). Needs: see lab.py, and lftp."""
import subprocess
import sys
import time

import lab

FILES = ["small.bin", "hello.txt"]
SERVERS = {lab.SERVER[0], lab.SERVER2[0]}


def transfer(hub):
    """Each file, by either way; every copy has a name of its own."""
    for passive in ("no", "yes"):
        for file in FILES:
            to = f"ftp://{lab.SERVER2[0]}/upload/{passive}-{file}"
            run = subprocess.run(hub.inside("client", "lftp", "--norc", "-c",
                                            f"set cmd:fail-exit yes; set net:max-retries 1; set ftp:ssl-allow no; "
                                            f"set ftp:use-fxp yes; set ftp:fxp-force yes; set ftp:fxp-passive-source {passive}; "
                                            f"get ftp://{lab.SERVER[0]}/{file} -o {to}"),
                                 capture_output=True, text=True, timeout=60)
            lab.check(run.returncode == 0, f"lftp sends {file} from server to server {run.stderr}".rstrip())


def check_entries(hub, found):
    connections = {entry["uid"]: entry for entry in found["conn"]}
    moved = {(entry["command"], entry["arg"].rsplit("/", 1)[-1]): entry for entry in found["ftp"]
             if entry["command"] in ("RETR", "STOR")}
    retrievals = [entry for entry in found["ftp"] if entry["command"] == "RETR"]
    lab.check(len(retrievals) == 2 * len(FILES), f"{2 * len(FILES)} RETR, found {len(retrievals)}")
    for passive in ("no", "yes"):
        for file in FILES:
            size = (hub.folder / "ftp-server" / file).stat().st_size
            stored = moved.get(("STOR", f"{passive}-{file}"))
            lab.check(stored, f"an entry for STOR {passive}-{file}")
            carried = connections.get(stored.get("data_channel.uid"), {})
            sent = [entry for entry in retrievals if entry.get("data_channel.uid") == stored.get("data_channel.uid")]
            lab.check({carried.get("id.orig_h"), carried.get("id.resp_h")} == SERVERS, "its connection is the servers'")
            lab.check(len(sent) == 1 and sent[0]["arg"].endswith(file), "which is RETR's, too")
            lab.check(all("fuid" in entry and entry.get("data_channel.bytes") == size for entry in (stored, sent[0])),
                      f"each with its file and its {size} bytes")
            lab.check(carried.get("service") == "ftp-data" and carried.get("control_uid") in (stored["uid"], sent[0]["uid"]),
                      "and it names one of the sessions")


def check_round(ftpsensord):
    with lab.Lab(ftpsensord, with_server=False, hosts=("client", "server", "server2")) as hub:
        for role in ("server", "server2"):
            hub.start_vsftpd(role, pasv_promiscuous="YES", port_promiscuous="YES", connect_from_port_20="NO")
        sensor = hub.start_sensor(workers=2)
        transfer(hub)
        time.sleep(0.5)  # the last FINs
        status, _ = sensor.stop()
        lab.check(status == 0, "the sensor ends with status 0")
        lab.check_nothing_lost(sensor)
        check_entries(hub, lab.entries(sensor.logs))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    lab.need("lftp")
    lab.until_nothing_is_lost(lambda: check_round(sys.argv[1]))


main()
