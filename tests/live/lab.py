"""A lab for live tests: an FTP client and server on a hub, and a sensor on its span port, in network namespaces.

    client --+
             +-- hub: a bridge that learns nothing (ageing_time 0), so that every frame leaves by every port -- span: sensor
    server --+   (and server2, where the test asks for it)

Needs root, iproute2, ethtool, vsftpd, curl and tcpdump; a test that lacks one exits with 77 (meson: skipped) and says which.
Everything lives in namespaces of the test's own (isolation.py): it is gone at the test's end, a kill -9 included, and
tests that run at once do not see each other. Nothing leaves the machine.
"""
import contextlib
import glob
import gzip
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import isolation
import same_logs

SKIPPED = 77
GUEST = "daemon"  # whom vsftpd acts as for guests: its own user is there only where its package was installed, and
# nobody is whom it acts as before the login
CLIENT, SERVER, SERVER2 = ("10.98.0.1", "fd98::1"), ("10.98.0.2", "fd98::2"), ("10.98.0.3", "fd98::3")
HOSTS = {"client": CLIENT, "server": SERVER, "server2": SERVER2}
SPAN = "span"  # the sensor's interface, in its namespace


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(SKIPPED)


def need(*programs, usual=("vsftpd", "curl")):
    """Ends the test as skipped unless it runs as root, may make namespaces, and has the programs. What follows runs in
    namespaces of the test's own: called once, before anything else."""
    if os.geteuid() != 0:
        skip("needs root (network namespaces, AF_PACKET)")
    for program in ("ip", "ethtool", "tcpdump", *usual, *programs):
        if not shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            skip(f"needs {program}")
    try:
        isolation.enter()
    except OSError as error:
        skip(f"may not make namespaces ({error})")
    for command in (["ip", "netns", "add", "probe"], ["ip", "netns", "exec", "probe", "true"], ["ip", "netns", "del", "probe"]):
        if subprocess.run(command, capture_output=True).returncode != 0:
            skip(f"may not use network namespaces: {' '.join(command)}")


def need_af_xdp():
    """Ends the test as skipped where the kernel or DPDK has no AF_XDP."""
    try:
        socket.socket(44, socket.SOCK_RAW, 0).close()  # AF_XDP
    except OSError as error:
        skip(f"this kernel has no AF_XDP: {error}")
    if not glob.glob("/usr/lib/*/dpdk/pmds-*/librte_net_af_xdp.so*"):
        skip("DPDK has no net_af_xdp here (librte-net-af-xdp)")


def check(condition, what):
    """An assertion that says what it wanted; the test ends at the first that fails."""
    if not condition:
        print(f"FAILED: {what}")
        sys.exit(1)
    print(f"ok: {what}")


# Where others have the processors for longer than the port's ring lasts, or than the kernel needs to deliver what it stamped:
# a packet that comes to another worker's ring after later ones is as good as one that came late, and the ring to a worker
# that does not run fills.
LOST_ON_THE_WAY = ("missed", "kernel_drops", "interface_drops", "steering_dropped", "steered_late")
LOSSES = ("errors", "no_mbuf", "cut", "unread", "conn_records_dropped", "ftp_records_dropped", "late_records", "write_errors", "entries_lost")
ROUNDS_MAX = 6


class PacketsLost(Exception):
    """On the way to the sensor or to its witness: of such a round nothing can be said."""


def until_nothing_is_lost(one_round):
    """Calls it again while it ends by PacketsLost; what it returns. A machine that is always too busy fails the test."""
    for _ in range(ROUNDS_MAX):
        try:
            return one_round()
        except PacketsLost as lost:
            print(f"note: {lost}: once more")
    return check(False, f"one of {ROUNDS_MAX} rounds without packets lost on the way")


def check_nothing_lost(sensor):
    """By the summary of a sensor that has ended. Raises PacketsLost: see until_nothing_is_lost()."""
    figures = sensor.summary()
    on_the_way = {name: figures.get(name) for name in LOST_ON_THE_WAY if figures.get(name) != 0}
    if on_the_way:
        raise PacketsLost(f"lost on the way to the sensor {on_the_way}")
    lost = {name: figures.get(name) for name in LOSSES if figures.get(name) != 0}
    check(not lost, f"nothing lost, cut or late {lost or ''}".rstrip())
    check(figures["received"] > 0, f"of {figures['received']:.0f} packets")


def wait_for(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            check(False, f"{what} within {seconds} s")
        time.sleep(0.02)


class Sensor:
    """A running `ftpsensord run` on the span port."""

    def __init__(self, process, logs, messages):
        self.process, self.logs, self.messages = process, logs, messages

    def said(self):
        return self.messages.read_text()

    def stop(self):
        """SIGTERM; returns the exit status and the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=30)
        return status, time.monotonic() - began

    def summary(self):
        """Figures of the summary at the end, by name."""
        words = [w for line in self.said().splitlines() if "summary: " in line for w in line.split("summary: ")[1].split()]
        return {k: float(v) for k, v in (w.split("=", 1) for w in words if "=" in w) if v.replace(".", "", 1).isdigit()}


class Lab:
    def __init__(self, ftpsensord, with_server=True, hosts=("client", "server")):
        """`with_server`: vsftpd runs on "server"; else the test starts what it wants. `hosts`: some of HOSTS."""
        self.with_server = with_server
        self.hosts = hosts
        self.ftpsensord = str(pathlib.Path(ftpsensord).resolve())
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=isolation.FILES))
        self.folder.chmod(0o755)
        self.stats_socket = self.folder / "stats.sock"
        self.processes = []
        self.roles = ("hub", *hosts, "sensor")

    def __enter__(self):
        try:
            self._build_network()
            if self.with_server:
                self.start_vsftpd()
        except BaseException:
            self._tear_down()
            raise
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            for text in sorted(self.folder.glob("*.txt")):
                print(f"--- {text.name}\n{text.read_text()[-3000:]}")
        self._tear_down()

    # --- network

    def inside(self, role, *command):
        return ["ip", "netns", "exec", role, *command]

    def call(self, role, *command, **options):
        return subprocess.run(self.inside(role, *command), check=True, capture_output=True, text=True, **options)

    def _build_network(self):
        for role in self.roles:
            subprocess.run(["ip", "netns", "add", role], check=True)
            for setting in ("all", "default"):
                quiet = [f"net.ipv6.conf.{setting}.router_solicitations=0", f"net.ipv6.conf.{setting}.accept_dad=0"]
                if role in ("hub", "sensor"):
                    quiet.append(f"net.ipv6.conf.{setting}.disable_ipv6=1")
                self.call(role, "sysctl", "-qw", *quiet)
            self.call(role, "ip", "link", "set", "lo", "up")
        self.call("hub", "ip", "link", "add", "br0", "type", "bridge", "ageing_time", "0", "mcast_snooping", "0",
                  "stp_state", "0", "forward_delay", "0")
        self.call("hub", "ip", "link", "set", "br0", "up")
        for role, interface in (*((host, "eth0") for host in self.hosts), ("sensor", SPAN)):
            self.plug_in(role, interface)
        for role in self.hosts:
            v4, v6 = HOSTS[role]
            self.call(role, "ip", "address", "add", f"{v4}/24", "dev", "eth0")
            self.call(role, "ip", "-6", "address", "add", f"{v6}/64", "dev", "eth0", "nodad")

    def plug_in(self, role, interface):
        """A new interface of `role`, on the hub."""
        self.call("hub", "ip", "link", "add", f"p-{role}", "type", "veth", "peer", "name", interface, "netns", role)
        # What is glued together at one end arrives glued together at the other.
        self.call("hub", "ethtool", "-K", f"p-{role}", "tso", "off", "gso", "off", "gro", "off")
        self.call(role, "ethtool", "-K", interface, "tso", "off", "gso", "off", "gro", "off", "tx", "off")
        self.call("hub", "ip", "link", "set", f"p-{role}", "master", "br0", "up")
        self.call(role, "ip", "link", "set", interface, "up")

    # --- FTP

    def start_vsftpd(self, role="server", **settings):
        """`settings`: further ones of vsftpd.conf(5). Serves the folder ftp-ROLE to guests."""
        root = self.folder / f"ftp-{role}"
        (root / "upload").mkdir(parents=True)
        (self.folder / "empty").mkdir(exist_ok=True)
        guest = pwd.getpwnam(GUEST)
        os.chown(root / "upload", guest.pw_uid, guest.pw_gid)
        (root / "hello.txt").write_text("hello, sensor\n")
        (root / "small.bin").write_bytes(bytes(range(256)) * 300)
        (root / "big.bin").write_bytes(os.urandom(1 << 20) * 64)
        configuration = self.folder / f"vsftpd-{role}.conf"
        configuration.write_text(f"""listen=NO
listen_ipv6=YES
background=NO
anonymous_enable=YES
ftp_username={GUEST}
local_enable=NO
anon_root={root}
write_enable=YES
anon_upload_enable=YES
anon_umask=022
connect_from_port_20=YES
pasv_min_port=40000
pasv_max_port=40999
secure_chroot_dir={self.folder / "empty"}
seccomp_sandbox=NO
use_localtime=NO
xferlog_enable=NO
""" + "".join(f"{key}={value}\n" for key, value in settings.items()))
        self.start(role, "vsftpd", str(configuration), name=f"vsftpd-{role}")
        wait_for(lambda: ":21 " in self.call(role, "ss", "-Hltn").stdout + " ", f"vsftpd listens on {role}")

    def curl(self, *arguments, background=False):
        command = self.inside("client", "curl", "--silent", "--show-error", "--max-time", "60", *arguments)
        if background:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.processes.append(process)
            return process
        run = subprocess.run(command, capture_output=True)
        check(run.returncode == 0, f"curl {' '.join(arguments)} {run.stderr.decode()}".rstrip())
        return run.stdout

    def transfers(self):
        """Each way to move a file: get and put, passive and active, by the old commands and the extended ones."""
        upload = self.folder / "to-upload.bin"
        upload.write_bytes(os.urandom(150_000))
        ways = {"epsv": [], "pasv": ["--disable-epsv"], "eprt": ["-P", "-"], "port": ["-P", "-", "--disable-eprt"]}
        for host, names in ((SERVER[0], list(ways)), (f"[{SERVER[1]}]", ["epsv", "eprt"])):
            for name in names:
                family = "v6" if ":" in host else "v4"
                self.curl(*ways[name], f"ftp://{host}/hello.txt", "-o", "/dev/null")
                self.curl(*ways[name], f"ftp://{host}/small.bin", "-o", "/dev/null")
                self.curl(*ways[name], "-T", str(upload), f"ftp://{host}/upload/{name}-{family}.bin")

    # --- the sensor and its witness

    def start(self, role, *command, name=None):
        return self.start_outside(*self.inside(role, *command), name=name or command[0].rsplit("/", 1)[-1])

    def start_outside(self, *command, name=None):
        """In the test's own network namespace."""
        messages = (self.folder / f"{name or command[0]}.txt").open("w")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=messages, stderr=subprocess.STDOUT)
        self.processes.append(process)
        return process

    def start_sensor(self, workers=2, folder="logs", port="interface", environment=(), **settings):
        """`port`: interface or af_xdp. `environment`: NAME=VALUE of its own. `settings`: keys of the config with __ for the dot (log__flush_interval="200ms")."""
        logs = self.folder / folder
        configuration = self.folder / "ftpsensor.yaml"
        configuration.write_text(f"capture:\n  ports: [{{{port}: {SPAN}}}]\n")
        process = self.start("sensor", "env", f"RUNTIME_DIRECTORY={self.folder}", *environment, self.ftpsensord, "run", "-c", str(configuration),
                             f"--set=workers.count={workers}", f"--set=log.directory={logs}", "--set=log.system_name=lab",
                             "--set=log.retention.free=0",  # whatever the size of this machine
                             # More programs than processors: a worker may have to wait for longer than 200 ms, the default.
                             "--set=log.hold=2s",
                             f"--set=metrics.socket={self.stats_socket}", *set_options(settings), name="sensor")
        sensor = Sensor(process, logs, self.folder / "sensor.txt")
        wait_for(lambda: process.poll() is not None or ": capturing" in sensor.said(), "the sensor captures")
        check(process.poll() is None, "the sensor runs")
        return sensor

    def start_tcpdump(self):
        capture = self.folder / "witness.pcap"
        process = self.start("sensor", "tcpdump", "-i", SPAN, "-w", str(capture), "-U", "-s", "0", "-B", "65536", "-Z", "root")
        wait_for(lambda: "listening on" in (self.folder / "tcpdump.txt").read_text(), "tcpdump listens")
        return process, capture

    def stop_witness(self, process):
        """stop_tcpdump() that raises PacketsLost."""
        if lost := self.stop_tcpdump(process):
            raise PacketsLost(f"the kernel dropped {lost} packets for tcpdump")

    def stop_tcpdump(self, process):
        """Once it has written what it holds; returns how many packets the kernel dropped for it."""
        sizes = [-1, 0]
        while sizes[-1] != sizes[-2]:
            time.sleep(0.5)
            sizes.append((self.folder / "witness.pcap").stat().st_size)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=10)
        for line in (self.folder / "tcpdump.txt").read_text().splitlines():
            if line.endswith("dropped by kernel"):
                return int(line.split()[0])
        return 0

    def read_capture(self, capture, workers=2, folder="read", **settings):
        """What `ftpsensord read` makes of a capture; returns its folder of logs. `settings`: see start_sensor()."""
        logs = self.folder / folder
        run = subprocess.run([self.ftpsensord, "read", "-o", str(logs), "--workers", str(workers), "--set=log.system_name=lab",
                              *set_options(settings), str(capture)], capture_output=True, text=True)
        check(run.returncode == 0, f"ftpsensord read {capture.name} {run.stderr if run.returncode else ''}".rstrip())
        return logs

    def _tear_down(self):
        for process in reversed(self.processes):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()
        for role in self.roles:
            pids = subprocess.run(["ip", "netns", "pids", role], capture_output=True, text=True).stdout.split()
            for pid in pids:  # vsftpd's children
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            subprocess.run(["ip", "netns", "del", role], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def set_options(settings):
    return [f"--set={key.replace('__', '.')}={value}" for key, value in settings.items()]


def log_files(logs):
    return sorted(pathlib.Path(p) for p in glob.glob(f"{logs}/**/*.gz", recursive=True))


def entries(logs):
    """Entries of all logs below a folder, by _path."""
    found = {"conn": [], "ftp": []}
    for path in log_files(logs):
        with gzip.open(path, "rt") as lines:
            for line in lines:
                entry = json.loads(line)
                found.setdefault(entry["_path"], []).append(entry)
    return found


def is_whole(entry, connections):
    """Whether a transfer's entry says that all of it was seen, or is of a time when its connection was still open: the last FIN
    may be seen behind the reply, and behind the next command."""
    if "data_channel.complete" in entry:
        return entry["data_channel.complete"]
    carried = connections.get(entry.get("data_channel.uid"), {})
    ended = same_logs.seconds(carried.get("ts", 0)) + carried.get("duration", 0)
    return ended > same_logs.seconds(entry["_write_ts"]) - 1e-5
