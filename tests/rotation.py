#!/usr/bin/env python3
"""A capture over an hour boundary of packet time leaves two dated files a log, and nothing is lost between them.

usage: rotation.py FTPSENSORD MISSION_CAPTURE

Moves the mission's session in time so that the hour ends in the middle of it, reads it, and looks at what is there as an
analyst does, with zgrep."""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

HEADER = struct.Struct("<IIII")
BOUNDARY = 1597561200  # 2020-08-16 07:00:00 UTC
SESSION = 1597559165  # what of the session comes to lie on it: 06:26:05


def moved(capture, seconds):
    """The capture with all its times moved; little-endian pcap with microseconds."""
    magic = struct.unpack_from("<I", capture)[0]
    if magic != 0xA1B2C3D4:
        sys.exit(f"rotation.py: not the kind of capture that this test moves: {magic:x}")
    out, at = bytearray(capture[:24]), 24
    while at < len(capture):
        time, micros, captured, length = HEADER.unpack_from(capture, at)
        out += HEADER.pack(time + seconds, micros, captured, length) + capture[at + 16:at + 16 + captured]
        at += 16 + captured
    return bytes(out)


def main():
    binary, mission_capture = sys.argv[1:]
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        subprocess.run([mission_capture, str(work / "mission.pcap")], check=True, stdout=subprocess.DEVNULL)
        # 06:26:04.6 becomes 06:59:59.6: the EPSV entry is of one hour, the RETR entry and both connections of the next.
        # Another time the session runs a minute earlier, all of it in the first hour.
        # The file has a name at which analysts' `sed 's/.*gz://'` would cut the entry, were it written as it is.
        mission = (work / "mission.pcap").read_bytes().replace(b"latest.md5", b"latest.gz:")
        (work / "early.pcap").write_bytes(moved(mission, BOUNDARY - SESSION - 60))
        (work / "late.pcap").write_bytes(moved(mission, BOUNDARY - SESSION))
        subprocess.run([binary, "read", "--seed", "1", "-o", str(work / "logs"), str(work / "early.pcap"),
                        str(work / "late.pcap")], check=True, stdout=subprocess.DEVNULL)
        files = sorted(p.name for p in (work / "logs" / "2020-08-16").iterdir())
        entries = {}
        for name in files:
            text = subprocess.run(["zcat", name], cwd=work / "logs" / "2020-08-16", check=True, capture_output=True,
                                  text=True).stdout
            entries[name] = [json.loads(line) for line in text.splitlines()]
        for name in files:
            print(name, [e.get("command", e.get("service")) for e in entries[name]])
        expected = {
            "conn_20200816_06:00:00-07:00:00+0000.log.gz": ["ftp-data", "ftp"],
            "conn_20200816_07:00:00-08:00:00+0000.log.gz": ["ftp-data", "ftp"],
            "ftp_20200816_06:00:00-07:00:00+0000.log.gz": ["EPSV", "RETR", "EPSV"],
            "ftp_20200816_07:00:00-08:00:00+0000.log.gz": ["RETR"],
        }
        found = {name: [e.get("command", e.get("service")) for e in entries[name]] for name in files}
        if found != expected:
            sys.exit(f"rotation.py: expected {expected}")
        uid = entries[files[3]][0]["uid"]
        lines = subprocess.run(f"zgrep -h {uid} */*", shell=True, cwd=work / "logs", check=True,
                               capture_output=True, text=True).stdout.splitlines()
        if sorted(json.loads(line)["_path"] for line in lines) != ["conn", "conn", "ftp", "ftp"]:  # control_uid finds the transfer
            sys.exit(f"rotation.py: zgrep on the uid found {lines}")
        cut = subprocess.run(f"zgrep {uid} */* | sed 's/.*gz://'", shell=True, cwd=work / "logs", check=True,
                             capture_output=True, text=True).stdout.splitlines()
        if cut != lines:
            sys.exit(f"rotation.py: the analysts' sed leaves {cut}")
        arguments = [json.loads(line).get("arg", "") for line in lines]
        if not any(argument.endswith("latest.gz:") for argument in arguments):
            sys.exit(f"rotation.py: the file's name is not in {arguments}")
        print("one zgrep on the uid finds the session over both hours")


if __name__ == "__main__":
    main()
