#!/usr/bin/env python3
"""Each command that the log of a real FTP server shows is accounted for in ours.

usage: servers_test.py FTPSENSORD [NAME...]

vsftpd, proftpd, pure-ftpd and pyftpdlib, one after another; curl, lftp, tnftp, ncftp, wget and aria2 visit each: as a
guest and as a local user, passive and active, by IPv4 and IPv6. NAMEs restrict the run to some of these. Needs: see
lab.py; a server or client that is not there is named and left out; with none of them the test is skipped.

Accounted for means: `ftpsensord read --set ftp.commands=[all]` on tcpdump's capture writes, for each session in the
server's own log, one entry for each command, in the server's order and no other, with the argument as sent (of a
command on a path, the URL of that path) and with the code of the last reply, where the server's log tells it. And with
the default set of commands, each RETR and STOR that ended well has its fuid and the number of bytes of the file."""
import collections
import posixpath
import sys
import time

import ftp_clients
import ftp_servers
import lab

PATH_COMMANDS = {"APPE", "CWD", "DELE", "MKD", "RETR", "RMD", "RNFR", "RNTO", "STOR", "STOU", "REST", "SIZE", "MDTM"}
GREETING = "<init>"  # not a command: what the server's first reply answers


def kinds_of_visit(client):
    """(user, password, active, IPv6) of each visit."""
    guest, local = (ftp_servers.GUEST, ftp_servers.GUEST_PASSWORD), (ftp_servers.LOCAL, ftp_servers.LOCAL_PASSWORD)
    return [(*guest, False, False), (*local, True, False), (*local, False, client.v6), (*guest, True, client.v6)]


def visit_server(hub, server, client):
    """All visits of a client; returns what was visited and what failed."""
    failures = []
    for number, (user, password, active, v6) in enumerate(kinds_of_visit(client)):
        folder = hub.folder / f"visit-{server.name}-{client.name}-{number}"
        folder.mkdir()
        visit = ftp_clients.Visit(hub, lab.SERVER[v6], user, password, active,
                                  server.guests_may_change or user != ftp_servers.GUEST, f"{client.name}-{number}", folder)
        how = f"{user}, {'active' if active else 'passive'}, IPv{6 if v6 else 4}"
        try:
            for name in client.visit(visit):
                if (folder / name).read_bytes() != ftp_servers.FILES[name]:
                    failures.append(f"{how}: {name} arrived differently")
        except (ftp_clients.Failed, OSError) as failed:
            failures.append(f"{how}: {failed}")
    return failures


def same_argument(taken, entry):
    """The argument that the server took against the one that we logged."""
    ours = entry.get("arg", "")
    if taken.argument is None:
        return ours in (ftp_servers.GUEST_PASSWORD, ftp_servers.LOCAL_PASSWORD)
    if taken.command not in PATH_COMMANDS or taken.argument == "":
        return ours == taken.argument
    host = entry["id.resp_h"]
    root = f"ftp://[{host}]/" if ":" in host else f"ftp://{host}/"
    if not ours.startswith(root):
        return False
    path, wanted = posixpath.normpath("/" + ours[len(root):]), posixpath.normpath(taken.argument)
    if wanted.startswith("/"):
        return path == wanted
    # Below the working directory, which the server's log does not tell.
    return ".." in wanted or path.endswith("/" + wanted) or wanted == "."


def differences(session, entries):
    """What a session of the server's log and our entries for it disagree on; empty where they agree."""
    found = []
    if [taken.command for taken in session] != [entry["command"] for entry in entries]:
        return [f"commands: {[t.command for t in session]}\n         ours: {[e['command'] for e in entries]}"]
    for taken, entry in zip(session, entries):
        if not same_argument(taken, entry):
            found.append(f"{taken.command} {taken.argument!r}, ours: {entry.get('arg')!r}")
        if taken.code is not None and taken.code != entry.get("reply_code"):
            found.append(f"{taken.command} {taken.argument!r} answered by {taken.code}, ours: {entry.get('reply_code')}")
    return found


def sessions_of(entries):
    """Entries of commands by connection, in the order of the connections' first entries."""
    by_uid = collections.defaultdict(list)
    for entry in entries:
        by_uid[entry["uid"]].append(entry)
    found = [sorted(session, key=lambda entry: entry["ts"]) for session in by_uid.values()]
    found.sort(key=lambda session: session[0]["ts"])
    found = [[entry for entry in session if entry["command"] != GREETING] for session in found]
    return [session for session in found if session]


def check_transfers(server, entries, connections):
    """The default set: each transfer that ended well has its file and all bytes, and is said to be complete if it was so by then."""
    moved = [entry for entry in entries if entry["command"] in ("RETR", "STOR") and entry.get("reply_code") == 226]
    without = [entry for entry in moved if "fuid" not in entry]
    lab.check(moved and not without, f"{server.name}: each of {len(moved)} transfers has its fuid {without or ''}".rstrip())
    wrong = []
    for entry in moved:
        content = ftp_servers.FILES.get(entry["arg"].rsplit("/", 1)[-1])
        size = len(content) if entry["command"] == "RETR" else ftp_clients.UPLOAD_BYTES
        if entry.get("data_channel.bytes") != size or not lab.is_whole(entry, connections):
            wrong.append(entry)
    lab.check(not wrong, f"{server.name}: and is complete, with the bytes of its file {wrong or ''}".rstrip())


def check_server(hub, kind, clients):
    server = kind(hub)
    tcpdump, capture = hub.start_tcpdump()
    server.start()
    ends, failures = [], []
    for client in clients:
        failures += [f"{client.name}, {failed}" for failed in visit_server(hub, server, client)]
        ends.append(len(server.sessions()))
    time.sleep(0.2)  # the last FINs
    server.stop()
    lab.check(hub.stop_tcpdump(tcpdump) == 0, f"{server.name}: tcpdump lost nothing")
    lab.check(not failures, f"{server.name}: the clients did what they were told " + "\n".join(failures))

    theirs = [session for session in server.sessions() if session]
    logs = hub.read_capture(capture, folder=f"all-{server.name}", ftp__commands="[all]", ftp__passwords="all")
    ours = sessions_of(lab.entries(logs)["ftp"])
    lab.check(len(theirs) == len(ours), f"{server.name}: {len(theirs)} sessions in its log, {len(ours)} in ours")
    begin, wrong = 0, []
    for client, end in zip(clients, ends):
        for session, entries in zip(theirs[begin:end], ours[begin:end]):
            wrong += [f"{client.name}: {entries[0]['uid']}: {line}" for line in differences(session, entries)]
        commands = [taken.command for session in theirs[begin:end] for taken in session]
        counts = " ".join(f"{name} {count}" for name, count in sorted(collections.Counter(commands).items()))
        print(f"  {server.name}, {client.name}: {end - begin} sessions, {len(commands)} commands: {counts}")
        begin = end
    lab.check(not wrong, f"{server.name}: each command accounted for\n" + "\n".join(wrong[:40]) if wrong else
              f"{server.name}: each of {sum(map(len, theirs))} commands accounted for")
    found = lab.entries(hub.read_capture(capture, folder=f"default-{server.name}"))
    check_transfers(server, found["ftp"], {entry["uid"]: entry for entry in found["conn"]})


def present(candidates, names):
    """Those of the candidates that are asked for and there; says which are not there."""
    asked = [candidate for candidate in candidates if not names or candidate.name in names]
    for candidate in asked:
        if candidate.missing():
            print(f"note: {candidate.name} is left out: needs {candidate.missing()}")
    return [candidate for candidate in asked if not candidate.missing()]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    unknown = set(sys.argv[2:]) - {one.name for one in (*ftp_servers.ALL, *ftp_clients.ALL)}
    if unknown:
        sys.exit(f"no such server or client: {' '.join(sorted(unknown))}")
    lab.need("openssl", usual=())
    wanted_servers, wanted_clients = ([one.name for one in kind if one.name in sys.argv[2:]]
                                      for kind in (ftp_servers.ALL, ftp_clients.ALL))
    servers, clients = present(ftp_servers.ALL, wanted_servers), present(ftp_clients.ALL, wanted_clients)
    if not servers or not clients:
        lab.skip("needs an FTP server and a client")
    with lab.Lab(sys.argv[1], with_server=False) as hub:
        ftp_clients.make_upload(hub.folder)
        for kind in servers:
            check_server(hub, kind, clients)


main()
