#!/usr/bin/env python3
"""A server behind NAT announces an address that is not on this wire; the client connects to the one it knows. Matched.

usage: nat_test.py FTPSENSORD [SERVER...]

vsftpd (pasv_address), proftpd (MasqueradeAddress) and pure-ftpd (-P), one after another; curl and lftp, which do not
believe the address in a 227 reply, get and put; two workers. Needs: see lab.py; a server or client that is not there is
left out and named."""
import shutil
import sys
import time

import ftp_clients
import ftp_servers
import lab

ANNOUNCED = "203.0.113.7"
SIZES = {"RETR": len(ftp_servers.FILES["small.bin"]), "STOR": ftp_clients.UPLOAD_BYTES}


def visit_by_curl(hub, tag):
    base, login = f"ftp://{lab.SERVER[0]}", f"{ftp_servers.LOCAL}:{ftp_servers.LOCAL_PASSWORD}"
    usual = ["--user", login, "--disable-epsv", "--ftp-skip-pasv-ip"]
    hub.curl(*usual, f"{base}/small.bin", "-o", "/dev/null")
    hub.curl(*usual, "-T", str(hub.folder / "to-upload.bin"), f"{base}/upload/{tag}.bin")


def visit_by_lftp(hub, tag):
    folder = hub.folder / tag
    folder.mkdir()
    visit = ftp_clients.Visit(hub, lab.SERVER[0], ftp_servers.LOCAL, ftp_servers.LOCAL_PASSWORD, False, True, tag, folder)
    visit.run("lftp", "--norc", "-c", f"set cmd:fail-exit yes; set net:max-retries 1; set ftp:ssl-allow no; "
              f"set ftp:fix-pasv-address yes; open -u {visit.user},{visit.password} ftp://{visit.host}; "
              f"get small.bin; put {visit.upload} -o upload/{tag}.bin; quit")


CLIENTS = {"curl": visit_by_curl, "lftp": visit_by_lftp}


def check_entries(found, who, clients):
    announced = [entry for entry in found["ftp"] if entry["command"] == "PASV"]
    lab.check(announced and all(entry["data_channel.resp_h"] == ANNOUNCED for entry in announced),
              f"{who}: {len(announced)} replies announced {ANNOUNCED}")
    connections = {entry["uid"]: entry for entry in found["conn"]}
    moved = [entry for entry in found["ftp"] if entry["command"] in SIZES]
    lab.check(len(moved) == len(SIZES) * len(clients), f"{who}: {len(moved)} transfers by {' and '.join(clients)}")
    for entry in moved:
        carried = connections.get(entry.get("data_channel.uid"), {})
        right = ("fuid" in entry and entry.get("data_channel.bytes") == SIZES[entry["command"]] and
                 carried.get("service") == "ftp-data" and carried.get("control_uid") == entry["uid"] and
                 carried.get("id.resp_h") == lab.SERVER[0])
        lab.check(right, f"{who}: {entry['command']} names its file, bytes and connection {'' if right else (entry, carried)}".rstrip())


def check_server(ftpsensord, kind, clients):
    with lab.Lab(ftpsensord, with_server=False) as hub:
        ftp_clients.make_upload(hub.folder)
        server = kind(hub, announced=ANNOUNCED)
        server.start()
        sensor = hub.start_sensor(workers=2, folder=f"logs-{server.name}")
        for client in clients:
            CLIENTS[client](hub, f"{server.name}-{client}")
        time.sleep(0.3)  # the last FINs
        server.stop()
        status, _ = sensor.stop()
        lab.check(status == 0, "the sensor ends with status 0")
        lab.check_nothing_lost(sensor)
        check_entries(lab.entries(sensor.logs), server.name, clients)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    lab.need("openssl", usual=("curl",))
    servers = [kind for kind in (ftp_servers.Vsftpd, ftp_servers.Proftpd, ftp_servers.PureFtpd)
               if not sys.argv[2:] or kind.name in sys.argv[2:]]
    for kind in servers:
        if kind.missing():
            print(f"note: {kind.name} is left out: needs {kind.missing()}")
    servers = [kind for kind in servers if not kind.missing()]
    if not servers:
        lab.skip("needs one of vsftpd, proftpd, pure-ftpd")
    clients = [client for client in CLIENTS if shutil.which(client)]
    for kind in servers:
        lab.until_nothing_is_lost(lambda kind=kind: check_server(sys.argv[1], kind, clients))


main()
