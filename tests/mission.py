#!/usr/bin/env python3
"""The session of the mission's document gives the document's entries: fields, values, order of keys.

usage: mission.py --workers N FTPSENSORD MISSION_CAPTURE

Ids are random and left out; they have to be consistent. `_write_ts` is the due time: an ftp entry's next command, a
conn entry 5 seconds after the end (the document's own are up to 14 microseconds later, at the next packet of a busy
link)."""
import argparse
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

CONTROL = {"id.orig_h": "192.168.4.76", "id.orig_p": 53380, "id.resp_h": "196.216.2.24", "id.resp_p": 21}
DATA = {"id.orig_h": "192.168.4.76", "id.orig_p": 60474, "id.resp_h": "196.216.2.24", "id.resp_p": 31746}
SETTINGS = ["ftp.extended=false", "log.system_name=ds61", "log.node=worker-01"]
LOGIN = {"user": "anonymous", "password": "ftp@example.com"}


def entry(path, write_ts, ts, identity, **fields):
    day = "2020-08-16T06:26:"
    return {"_path": path, "_system_name": "ds61", "_write_ts": day + write_ts, "_node": "worker-01", "ts": day + ts,
            "uid": None, **identity, **fields}


CONN = [
    entry("conn", "09.771020Z", "03.774520Z", DATA, proto="tcp", service="ftp-data",
          duration=0.9965000152587891, orig_bytes=0, resp_bytes=74, conn_state="SF", local_orig=True, local_resp=False,
          missed_bytes=0, history="ShAdfFa", orig_pkts=4, orig_ip_bytes=216, resp_pkts=4, resp_ip_bytes=290, ip_proto=6,
          community_id="1:DNwvGR6Ots6pISvsdXBUIaG8y3Q="),
    entry("conn", "10.266224Z", "01.485394Z", CONTROL, proto="tcp", service="ftp",
          duration=3.780829906463623, orig_bytes=184, resp_bytes=451, conn_state="SF", local_orig=True,
          local_resp=False, missed_bytes=0, history="ShAdDafF", orig_pkts=20, orig_ip_bytes=1232, resp_pkts=17,
          resp_ip_bytes=1343, ip_proto=6, community_id="1:lEESxqaSVYqFZvWNb4OccTa9sTs="),
]
FTP = [
    entry("ftp", "04.077276Z", "03.553287Z", CONTROL, **LOGIN, command="EPSV", reply_code=229,
          reply_msg="Entering Extended Passive Mode (|||31746|).",
          **{"data_channel.passive": True, "data_channel.orig_h": "192.168.4.76", "data_channel.resp_h": "196.216.2.24",
             "data_channel.resp_p": 31746}),
    entry("ftp", "05.117287Z", "04.597290Z", CONTROL, **LOGIN, command="RETR",
          arg="ftp://196.216.2.24/pub/stats/afrinic/delegated-afrinic-extended-latest.md5", file_size=74,
          reply_code=226, reply_msg="Transfer complete.", fuid=None),
]


def read_log(folder, name):
    files = sorted(pathlib.Path(folder).rglob(f"{name}_*.log.gz"))
    expected = [f"{name}_20200816_06:00:00-07:00:00+0000.log.gz"]
    assert [f.name for f in files] == expected and files[0].parent.name == "2020-08-16", f"files: {files}"
    return [json.loads(line) for line in gzip.decompress(files[0].read_bytes()).decode().splitlines()]


def without_ids(entries):
    return [[(key, None if key in ("uid", "fuid") else value) for key, value in e.items()] for e in entries]


def check(log, entries, expected):
    """Prints what differs, value by value; True where nothing does."""
    ours, theirs = without_ids(entries), [list(e.items()) for e in expected]
    if ours == theirs:
        return True
    print(f"{log}.log differs from the document ({len(ours)} entries, {len(theirs)} expected)")
    for our, their in zip(ours, theirs):
        print(f"  ours, not the document's: {[f for f in our if f not in their]}")
        print(f"  the document's, not ours: {[f for f in their if f not in our]}")
        print(f"  keys in order: {[k for k, _ in our] == [k for k, _ in their]}")
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("sensor")
    parser.add_argument("mission_capture")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        capture = f"{folder}/session.pcap"
        subprocess.run([arguments.mission_capture, capture], check=True)
        settings = [word for setting in SETTINGS for word in ("--set", setting)]
        subprocess.run([arguments.sensor, "read", "--workers", str(arguments.workers), *settings,
                        "-o", f"{folder}/logs", capture], check=True)
        conn, ftp = read_log(f"{folder}/logs", "conn"), read_log(f"{folder}/logs", "ftp")
    good = check("conn", conn, CONN) & check("ftp", ftp, FTP)
    good = good and {e["uid"] for e in ftp} == {conn[1]["uid"]} != {conn[0]["uid"]}
    good = good and conn[0]["uid"].startswith("C") and ftp[1]["fuid"].startswith("F")
    print("the document's entries" if good else "not the document's entries")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
