#!/usr/bin/env python3
"""The package's life on a machine with systemd: installed, started, reloaded, killed, stopped, upgraded, purged, under traffic.

usage: service_test.py SOURCE [PACKAGE [RELEASE]]
    SOURCE    the repository
    PACKAGE   the .deb; default: `./dev package` builds it
    RELEASE   the Debian to install it on, bookworm or trixie; default: that of this machine

Needs: see lab.py and booted.py; debhelper, or a PACKAGE; the Debian mirror for what the package depends on."""
import ctypes
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import booted
import isolation
import lab
import same_logs

UNIT = "ftpsensor"
CONFIG = "etc/ftpsensor/ftpsensor.yaml"
LOGS = "var/log/ftpsensor"
PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207
WALL = 0x40000000  # waitpid(2): threads, too
FIRST_ZGREP_MAX = 300  # seconds, as README says
EXPOSURE_MAX = 30  # tenths, as `systemd-analyze security --threshold` counts


def build_package(source):
    run = subprocess.run([source / "dev", "package"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    if run.returncode != 0:
        lab.check(False, "./dev package builds the package")
    return source / run.stdout.strip()


def release_of_this_machine():
    words = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return words.get("VERSION_CODENAME", "").strip('"')


def rebuilt(package, folder):
    """The same package under the next version."""
    tree, result = folder / "rebuilt", folder / "rebuilt.deb"
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
    control = tree / "DEBIAN" / "control"
    control.write_text("".join(line.rstrip("\n") + ".1\n" if line.startswith("Version:") else line
                               for line in control.read_text().splitlines(keepends=True)))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, result], check=True, stdout=subprocess.DEVNULL)
    return result


class Service:
    """The unit on the machine, as its operator sees it."""

    def __init__(self, machine):
        self.machine = machine
        self.config = machine.root / CONFIG
        self.logs = machine.root / LOGS

    def show(self, name):
        return self.machine.run("systemctl", "show", "--value", "-p", name, UNIT).stdout.strip()

    def is_active(self):
        return self.show("ActiveState") == "active"

    def journal(self, *arguments):
        return self.machine.run("journalctl", "--no-pager", "-o", "cat", "-u", UNIT, *arguments).stdout

    def set(self, old, new):
        text = self.config.read_text()
        lab.check(old in text, f"the configuration has {old}")
        self.config.write_text(text.replace(old, new))

    def entries(self):
        return lab.entries(self.logs)

    def sees_traffic(self, hub, what):
        """A transfer now is an entry soon."""
        before = sum(entry["command"] == "RETR" for entry in self.entries()["ftp"])
        hub.curl(f"ftp://{lab.SERVER[0]}/hello.txt", "-o", "/dev/null")
        lab.wait_for(lambda: sum(entry["command"] == "RETR" for entry in lenient_entries(self.logs)) > before,
                     f"{what}: a transfer is in the log")


def lenient_entries(logs):
    """Of ftp.log; of a file that is being written, what is whole."""
    found = []
    for path in lab.log_files(logs):
        if path.name.startswith("ftp"):
            text = subprocess.run(["zcat", path], capture_output=True).stdout
            found += [json.loads(line) for line in text.split(b"\n")[:-1]]
    return found


def finished_files(logs):
    return [path for path in lab.log_files(logs) if "current" not in path.parts]


def install(machine, service, package):
    (machine.root / "root" / "ftpsensor.deb").write_bytes(package.read_bytes())
    machine.prepare("apt-get", "-qq", "update")  # since the root was made, versions may have been replaced
    machine.prepare("apt-get", "-qq", "install", "--download-only", "--no-install-recommends", "/root/ftpsensor.deb")
    machine.boot()
    machine.run("apt-get", "-qq", "install", "--no-install-recommends", "/root/ftpsensor.deb")
    lab.check(service.show("LoadState") == "loaded" and not service.is_active(), "installed, and not started by itself")
    lab.check("/ftpsensor" in machine.shell("getent passwd ftpsensor"), "its user is there")
    lab.check(machine.shell(f"stat -c '%U %G %a' /{LOGS}").split() == ["ftpsensor", "ftpsensor", "750"],
              "the folder of its logs is its own")


def check_units(machine):
    for unit in ("ftpsensor.service", "ftpsensor@dmz.service"):
        said = machine.run("systemd-analyze", "verify", "--man=no", unit, may_fail=True)
        lab.check(said.returncode == 0 and not said.stderr, f"systemd-analyze verify {unit} {said.stderr}".rstrip())
    said = machine.run("systemd-analyze", "security", "--no-pager", f"--threshold={EXPOSURE_MAX}", UNIT, may_fail=True)
    lab.check(said.returncode == 0, said.stdout.strip().splitlines()[-1])


def first_start(machine, service):
    failed = machine.run("systemctl", "start", UNIT, may_fail=True)
    lab.check(failed.returncode != 0 and "eth1" in service.journal(), "without its port it says which one is missing")
    machine.run("systemctl", "stop", UNIT)
    service.set("interface: eth1", f"interface: {lab.SPAN}")
    service.set('system_name: ""', "system_name: lab")
    machine.run("ftpsensord", "check")
    machine.run("journalctl", "--rotate")
    machine.run("journalctl", "--vacuum-time=1s")
    machine.run("systemctl", "enable", "--now", UNIT)
    lab.check(service.is_active(), "started: systemd was told READY")


def read_there(machine, capture):
    """What the machine's own `ftpsensord read` makes of a capture: its program may not run on another Debian."""
    shutil.copy(capture, machine.root / "root" / "witness.pcap")
    machine.run("ftpsensord", "read", "-o", "/root/read", "--workers", "2", "--set=log.system_name=lab", "/root/witness.pcap")
    return machine.root / "root" / "read"


def first_zgrep(hub, machine, began):
    """README's own line, on the file that is being written; `began`: when the package was there."""
    (hub.folder / "ftp-server" / "first.txt").write_text("first\n")
    hub.curl(f"ftp://{lab.SERVER[0]}/first.txt", "-o", "/dev/null")
    line = "zgrep RETR /var/log/ftpsensor/current/ftp.log.gz | jq ."
    lab.wait_for(lambda: "first.txt" in machine.shell(line, may_fail=True), line)
    took = time.monotonic() - began
    lab.check(took < FIRST_ZGREP_MAX, f"from the package to the first zgrep: {took:.0f} s")


def stop_loses_nothing(hub, machine, service, began):
    tcpdump, capture = hub.start_tcpdump()
    first_zgrep(hub, machine, began)
    hub.transfers()
    time.sleep(0.5)  # the last FINs
    lab.check("packets" in service.show("StatusText"), f"status: {service.show('StatusText')}")
    began = time.monotonic()
    machine.run("systemctl", "stop", UNIT)
    lab.check(time.monotonic() - began < 5, f"systemctl stop took {time.monotonic() - began:.1f} s")
    lab.check(hub.stop_tcpdump(tcpdump) == 0, "tcpdump lost nothing")
    lab.check(service.show("Result") == "success", "stopped with success")
    uneasy = service.journal("-p", "warning").replace("-- No entries --", "").strip()
    lab.check(not uneasy, f"the journal is clean {uneasy}".rstrip())
    found = same_logs.differences(service.entries(), lab.entries(read_there(machine, capture)))
    lab.check(not found, "the logs are those of `read` of tcpdump's capture\n" + "\n".join(found[:40]))
    counted = machine.shell(f"cd /{LOGS} && zgrep -h RETR */ftp_* | jq -r .arg | grep -v first | sort | uniq -c").split()
    lab.check(counted[::2] == ["4", "4", "2", "2"], f"zgrep and jq: {' '.join(counted)}")


def is_seen(hub, machine, service):
    """By the operator, by a member of the group, by Prometheus; not by a stranger."""
    machine.run("useradd", "--groups", UNIT, "ann")
    machine.run("useradd", "stranger")
    ask = "setpriv --reuid={0} --regid={0} --init-groups ftpsensord stats --json"
    figures = json.loads(machine.shell(ask.format("ann")))
    lab.check(figures["totals"]["received_packets"] > 0, "a member of the group sees the figures")
    asked = machine.run(*ask.format("stranger").split(), may_fail=True)
    lab.check(asked.returncode == 1 and "you may not ask" in asked.stderr, f"a stranger does not: {asked.stderr.strip()}")
    lab.check(re.search(rf"^{lab.SPAN} ", machine.shell("ftpsensord stats"), re.M), "ftpsensord stats shows the port")
    metrics = hub.call(machine.netns, "curl", "--silent", "--fail", "http://127.0.0.1:9821/metrics").stdout
    lab.check(f'ftpsensor_port_link_up{{port="{lab.SPAN}"}} 1' in metrics, "Prometheus sees the port")
    told = machine.shell(f"zcat /{LOGS}/*/stats_* | jq -r .scope | sort -u").split()
    lab.check(told == ["event", "log", "port", "queue", "sensor", "worker"], f"stats.log of the first run, and no loss in it: {told}")


def reload(machine, service):
    """A good file is taken, a bad one refused; the process stays the same."""
    process = service.show("MainPID")
    service.set("passwords: guests", "passwords: none")
    machine.run("systemctl", "reload", UNIT)
    lab.wait_for(lambda: "ftp.passwords: guests -> none: taken" in service.journal(), "reloaded: the journal says what was taken")
    lab.wait_for(service.is_active, "it is active after the reload")
    service.set("passwords: none", "passwords: nobody")
    machine.run("systemctl", "reload", UNIT)
    lab.wait_for(lambda: "refused, everything stays as it was" in service.journal(), "a bad file is refused")
    lab.check("ftp.passwords: 'nobody' is not one of the choices" in service.journal(), "with what is wrong in it")
    service.set("passwords: nobody", "passwords: none")
    lab.wait_for(service.is_active, "it is active after a bad reload")
    lab.check(service.show("MainPID") == process, "and the same process")


def name_of(process):
    try:
        return (process / "comm").read_text().strip()
    except OSError:  # it has ended
        return None


def worker_threads(service):
    """Thread ids of its workers, in the test's PID namespace."""
    process = next(path for path in pathlib.Path("/proc").glob("[0-9]*") if name_of(path) == "ftpsensord")
    return [int(task.name) for task in (process / "task").iterdir()
            if (task / "comm").read_text().startswith("worker-")]


def stop_thread(thread):
    """As a debugger does, in a process of its own: the rest of the thread's process goes on."""
    debugger = os.fork()
    if debugger != 0:
        return
    for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
        isolation.call("ptrace", ctypes.c_long(request), ctypes.c_long(thread), None, None)
    while not os.WIFSIGNALED(os.waitpid(thread, WALL)[1]):
        pass
    os._exit(0)


def recovers(hub, machine, service):
    machine.run("systemctl", "kill", "-s", "KILL", UNIT)
    lab.wait_for(lambda: service.show("NRestarts") == "1" and service.is_active(), "started again after kill -9")
    service.sees_traffic(hub, "after kill -9")
    threads = worker_threads(service)
    lab.check(threads, f"its workers: {threads}")
    stop_thread(threads[0])
    lab.wait_for(lambda: service.show("NRestarts") == "2" and service.is_active(),
                 "a worker that stands still is noticed, the sensor started again", seconds=40)
    lab.check("watchdog" in service.journal(), "the journal says that it was the watchdog")
    service.sees_traffic(hub, "after the watchdog")


def further_sensor(hub, machine, service):
    (service.config.parent / "dmz.yaml").write_text(
        f"capture:\n  ports: [{{interface: {lab.SPAN}}}]\nlog:\n  node: dmz\n")
    machine.run("systemctl", "start", "ftpsensor@dmz")
    service.sees_traffic(hub, "beside a further sensor")
    machine.run("systemctl", "stop", "ftpsensor@dmz")
    found = lab.entries(machine.root / "var/log/ftpsensor-dmz")
    lab.check(any(entry["command"] == "RETR" for entry in found["ftp"]), "the further sensor logged it, too")
    lab.check(all(entry["_node"] == "dmz" for entry in found["ftp"]), "as its own")


def upgrade(hub, machine, service, package):
    process, before = service.show("MainPID"), {path.name for path in finished_files(service.logs)}
    (machine.root / "root" / "next.deb").write_bytes(package.read_bytes())
    machine.run("apt-get", "-qq", "install", "--no-install-recommends", "/root/next.deb")
    lab.check(service.is_active() and service.show("MainPID") != process, "upgraded while it ran: the new one runs")
    lab.check(f"interface: {lab.SPAN}" in service.config.read_text(), "with its configuration")
    lab.check(before < {path.name for path in finished_files(service.logs)}, f"and its {len(before)} finished logs")
    service.sees_traffic(hub, "after the upgrade")


def remove_and_purge(machine, service):
    machine.run("apt-get", "-qq", "remove", UNIT)
    lab.check("ftpsensord" not in machine.shell("ps -e -o comm"), "removed: it is stopped")
    lab.check(service.config.exists() and lab.log_files(service.logs), "configuration and logs are there")
    entries = len(service.entries()["ftp"])
    machine.run("apt-get", "-qq", "purge", UNIT)
    left = machine.shell("find /etc /lib/systemd /usr/lib/systemd /var/lib /run -name '*ftpsensor*' "
                         "-not -path '/var/lib/apt/*' -not -path '/run/host/*'").split()
    lab.check(left == ["/etc/ftpsensor"], f"purged: only the folder of the administrator's own dmz.yaml is left: {left}")
    lab.check(len(service.entries()["ftp"]) == entries > 0, f"and the logs, {entries} entries of ftp.log")


def main():
    if len(sys.argv) not in (2, 3, 4):
        sys.exit(__doc__)
    source = pathlib.Path(sys.argv[1]).resolve()
    release = sys.argv[3] if len(sys.argv) == 4 else release_of_this_machine()
    booted.need()
    package = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else build_package(source)
    lab.need("dpkg-deb", "zcat")
    booted.base_root(release)
    with lab.Lab("/usr/sbin/ftpsensord") as hub:  # the machine's
        machine = booted.Machine(hub, release, netns="sensor")
        service = Service(machine)
        began = time.monotonic()
        install(machine, service, package)
        check_units(machine)
        first_start(machine, service)
        stop_loses_nothing(hub, machine, service, began)
        machine.run("systemctl", "start", UNIT)
        service.sees_traffic(hub, "after the stop and a start")
        is_seen(hub, machine, service)
        reload(machine, service)
        service.sees_traffic(hub, "after the reloads")
        recovers(hub, machine, service)
        further_sensor(hub, machine, service)
        upgrade(hub, machine, service, rebuilt(package, hub.folder))
        remove_and_purge(machine, service)


main()
