"""FTP servers of other projects in the lab, each with its own log of the commands that it got.

A server runs in the lab's server namespace, with a private view of the machine: its own /etc/passwd (where the users
GUEST and LOCAL exist), its own /etc/pam.d, /run and /dev/log. The machine itself is left as it is. One at a time:
each listens on port 21 of all addresses.

sessions() reads the server's log: a list of sessions, each a list of Taken in the order in which the server took them.
"""
import dataclasses
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading

import lab

GUEST, GUEST_PASSWORD = "anonymous", "guest@example.com"
LOCAL, LOCAL_PASSWORD = "lara", "Correct-Horse-7"
LOCAL_ID, FTP_ID = 64998, 64997  # users of the private /etc/passwd
PASSIVE_PORTS = (40000, 40999)

FILES = {"hello.txt": b"hello, sensor\n", "small.bin": bytes(range(256)) * 300}  # in the root and in pub/

# Mounts are the namespace's own: `ip netns exec` gives each command its own.
PRIVATE = """set -e
for device in null zero full random urandom tty; do
    [ -e "/dev/$device" ] || continue
    : > "$0/dev/$device"
    mount --bind "/dev/$device" "$0/dev/$device"
done
mount --rbind "$0/dev" /dev
mount --bind "$0/run" /run
mount --bind "$0/passwd" /etc/passwd
mount --bind "$0/pam.d" /etc/pam.d
ulimit -n 1024 # some close each possible file for each session
exec "$@"
"""


def hashed(password):
    """As crypt(3) does it."""
    return subprocess.run(["openssl", "passwd", "-5", password], check=True, capture_output=True, text=True).stdout.strip()


@dataclasses.dataclass
class Taken:
    """A command in a server's log. None: the log hides the argument (passwords), or does not tell the code."""

    command: str
    argument: str
    code: int = None  # of the last reply to it


def make_root(folder):
    """What each server serves; anew for each."""
    root = folder / "ftp"
    shutil.rmtree(root, ignore_errors=True)
    for place in (root, root / "pub"):
        place.mkdir()
        for name, content in FILES.items():
            (place / name).write_bytes(content)
    (root / "upload").mkdir()
    (root / "upload").chmod(0o777)
    return root


def make_private(folder):
    for name in ("dev", "run", "pam.d", "empty"):
        (folder / name).mkdir(exist_ok=True)
    kept = [line for line in pathlib.Path("/etc/passwd").read_text().splitlines() if line.split(":")[0] not in ("ftp", LOCAL)]
    kept.append(f"ftp:x:{FTP_ID}:65534::{folder / 'ftp'}:/bin/sh")
    kept.append(f"{LOCAL}:x:{LOCAL_ID}:65534::{folder / 'ftp'}:/bin/sh")
    (folder / "passwd").write_text("\n".join(kept) + "\n")
    # vsftpd asks PAM alone; that anyone's password is right is enough here.
    (folder / "pam.d" / "ftpsensor-lab").write_text("auth required pam_permit.so\naccount required pam_permit.so\n"
                                                    "session required pam_permit.so\n")


class Server:
    name = program = ""
    guests_may_change = True  # delete and rename

    def __init__(self, hub, announced=None):
        """`announced`: the address in its 227 replies, where that is not the one it listens on (NAT)."""
        self.hub, self.folder, self.announced = hub, hub.folder, announced
        self.root = make_root(hub.folder)
        self.log = hub.folder / f"{self.name}-commands.txt"
        make_private(hub.folder)

    @classmethod
    def missing(cls):
        """What it lacks on this machine, or None."""
        return None if shutil.which(cls.program, path=search_path()) else cls.program

    def start(self):
        self.process = self.hub.start("server", "sh", "-c", PRIVATE, str(self.folder), *self.command(), name=self.name)
        lab.wait_for(lambda: self.process.poll() is not None or self._listens(), f"{self.name} listens")
        lab.check(self.process.poll() is None, f"{self.name} runs")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)
        lab.wait_for(lambda: not self._listens(), f"{self.name} is gone")

    def _listens(self):
        return ":21 " in self.hub.call("server", "ss", "-Hltn").stdout

    def command(self):
        raise NotImplementedError

    def sessions(self):
        raise NotImplementedError


class Vsftpd(Server):
    name = program = "vsftpd"

    def command(self):
        configuration = self.folder / "vsftpd.conf"
        configuration.write_text(f"""listen=NO
listen_ipv6=YES
background=NO
anonymous_enable=YES
local_enable=YES
pam_service_name=ftpsensor-lab
anon_root={self.root}
local_root={self.root}
write_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_umask=022
connect_from_port_20=YES
pasv_min_port={PASSIVE_PORTS[0]}
pasv_max_port={PASSIVE_PORTS[1]}
secure_chroot_dir={self.folder / "empty"}
seccomp_sandbox=NO
xferlog_enable=YES
xferlog_std_format=NO
log_ftp_protocol=YES
vsftpd_log_file={self.log}
""" + (f"listen_ipv6=NO\nlisten=YES\npasv_address={self.announced}\n" if self.announced else ""))
        return ["vsftpd", str(configuration)]

    def sessions(self):
        # Its processes, and so the pids in its log, change within a session; clients here come one after another.
        found = []
        for line in self.log.read_text(errors="replace").splitlines():
            if "] CONNECT: Client" in line:
                found.append([])
            elif match := re.search(r'\] FTP command: Client "[^"]*", "(.*)"$', line):
                command, _, argument = match[1].partition(" ")
                found[-1].append(Taken(command, None if command == "PASS" else argument))
            elif (match := re.search(r'\] FTP response: Client "[^"]*", "(\d{3}) ', line)) and found[-1]:
                found[-1][-1].code = int(match[1])
        return found


class Proftpd(Server):
    name = program = "proftpd"

    def command(self):
        configuration, users = self.folder / "proftpd.conf", self.folder / "proftpd.passwd"
        users.write_text("".join(f"{user}:{hashed(LOCAL_PASSWORD)}:{number}:65534::{self.root}:/bin/sh\n"
                                 for user, number in ((LOCAL, LOCAL_ID), ("ftp", FTP_ID))))
        users.chmod(0o600)
        groups = self.folder / "proftpd.group"
        groups.write_text("nogroup:x:65534:\n")
        groups.chmod(0o600)
        configuration.write_text(self.modules() + f"""ServerName lab
ServerType standalone
DefaultServer on
UseIPv6 on
UseReverseDNS off
Port 21
User nobody
Group nogroup
AuthOrder mod_auth_file.c
AuthUserFile {users}
AuthGroupFile {groups}
RequireValidShell off
PidFile {self.folder}/proftpd.pid
ScoreboardFile {self.folder}/proftpd.scoreboard
<IfModule mod_delay.c>
  DelayEngine off
</IfModule>
WtmpLog off
TransferLog none
SystemLog {self.folder}/proftpd-messages.txt
PassivePorts {PASSIVE_PORTS[0]} {PASSIVE_PORTS[1]}
AllowOverwrite on
LogFormat commands "%P %s %r"
ExtendedLog {self.log} ALL commands
<Anonymous {self.root}>
  User ftp
  Group nogroup
  UserAlias anonymous ftp
</Anonymous>
""" + (f"MasqueradeAddress {self.announced}\n" if self.announced else ""))
        return ["proftpd", "--nodaemon", "--quiet", "--config", str(configuration)]

    def modules(self):
        """Debian 13 has transfers and listings in modules of their own; Debian 12 in the program."""
        folder = pathlib.Path(shutil.which("proftpd", path=search_path())).resolve().parent.parent / "lib" / "proftpd"
        loaded = [f"LoadModule {name}.c\n" for name in ("mod_ls", "mod_xfer") if (folder / f"{name}.so").exists()]
        return f"ModulePath {folder}\n" + "".join(loaded) if loaded else ""

    def sessions(self):
        found = {}
        for line in self.log.read_text(errors="replace").splitlines():
            pid, code, command, argument = (line.split(" ", 3) + [""])[:4]
            if command.startswith("OPTS_"):
                continue  # no command, but its handler of the OPTS that the next line is
            taken = Taken(command.upper(), None if command.upper() == "PASS" else argument, int(code) if code.isdigit() else None)
            found.setdefault(pid, []).append(taken)
        return list(found.values())


class PureFtpd(Server):
    name = program = "pure-ftpd"
    guests_may_change = False  # it lets no guest delete or rename

    def command(self):
        users, database = self.folder / "pure.passwd", self.folder / "pure.pdb"
        # Its own hash takes minutes of this machine's time; it reads the system's too.
        users.write_text(f"{LOCAL}:{hashed(LOCAL_PASSWORD)}:{LOCAL_ID}:65534::{self.root}" + ":" * 12 + "\n")
        subprocess.run(["pure-pw", "mkdb", str(database), "-f", str(users)], check=True, env={"PATH": search_path()})
        self._listen_to_syslog()
        return ["pure-ftpd", "--dontresolve", "--logpid", "--verboselog", "--verboselog", "--umask", "133:022",
                "--login", f"puredb:{database}", "--anonymouscancreatedirs", "--passiveportrange", "%d:%d" % PASSIVE_PORTS,
                "--pidfile", str(self.folder / "pure.pid"), *(["-P", self.announced] if self.announced else [])]

    def _listen_to_syslog(self):
        """Its log of commands goes to syslog alone: a socket of ours takes that place."""
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        receiver.bind(str(self.folder / "dev" / "log"))
        (self.folder / "dev" / "log").chmod(0o666)

        def write():
            with self.log.open("wb") as log:
                while message := receiver.recv(65536):
                    log.write(message.rstrip(b"\0\n") + b"\n")
                    log.flush()

        threading.Thread(target=write, daemon=True).start()

    def sessions(self):
        found = {}
        for line in self.log.read_text(errors="replace").splitlines():
            if reply := re.search(r"pure-ftpd\[(\d+)\]: \(.*?\) \[DEBUG\] (\d{3})[ -]", line):
                if reply[1] in found:
                    found[reply[1]][-1].code = int(reply[2])
            elif match := re.search(r"pure-ftpd\[(\d+)\]: \(.*?\) \[DEBUG\] Command \[(\S+)\] \[(.*)\]$", line):
                command = match[2].upper()
                found.setdefault(match[1], []).append(Taken(command, None if command == "PASS" else match[3]))
        return list(found.values())


class Pyftpdlib(Server):
    name = "pyftpdlib"

    @staticmethod
    def _python():
        """An interpreter that has the library: the system's may be another one than this test's."""
        for python in (sys.executable, "/usr/bin/python3"):
            if subprocess.run([python, "-c", "import pyftpdlib.servers"], capture_output=True).returncode == 0:
                return python
        return None

    @classmethod
    def missing(cls):
        return None if cls._python() else "pyftpdlib (python3-pyftpdlib)"

    def command(self):
        return [self._python(), "-B", str(pathlib.Path(__file__).with_name("pyftpdlib_server.py")), str(self.root),
                f"{LOCAL}:{LOCAL_PASSWORD}", "%d-%d" % PASSIVE_PORTS, str(self.log)]

    def sessions(self):
        found = {}
        for line in self.log.read_text().splitlines():
            client, *said = json.loads(line)
            session = found.setdefault(tuple(client), [])
            if len(said) == 2:
                session.append(Taken(*said))
            elif session:
                session[-1].code = said[0]
        return list(found.values())


def search_path():
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


ALL = (Vsftpd, Proftpd, PureFtpd, Pyftpdlib)
