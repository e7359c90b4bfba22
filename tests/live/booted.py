"""A Debian that has booted systemd, by systemd-nspawn, in a network namespace of the lab: for tests of the service.

Its files are a debootstrap root, made once (tests/bare_root.sh) and seen through an overlay, so that what a test changes is gone
with it. Its first process is in a cgroup of the test's own. Needs what bare_root.sh needs, systemd-nspawn and cgroup v2.
"""
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import isolation
import lab

BARE_ROOT = pathlib.Path(__file__).parent.parent / "bare_root.sh"
# What a Debian with systemd has beyond the smallest one, and how an analyst reads logs.
PACKAGES = ["systemd-sysv", "dbus", "jq"]
CLONE_NEWCGROUP = 0x02000000
MNT_DETACH = 2
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "TERM": "dumb"}


def need():
    """Ends the test as skipped where no machine can be booted here. Called before lab.need(): what follows runs in a child
    of this process, in a cgroup of its own that goes with it."""
    if os.geteuid() != 0:
        lab.skip("needs root (namespaces, debootstrap)")
    for program in ("systemd-nspawn", "debootstrap", "nsenter"):
        if not shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            lab.skip(f"needs {program}")
    mounts = [line.split() for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
    trees = [pathlib.Path(words[1]) for words in mounts if words[2] == "cgroup2"]
    if not trees:
        lab.skip("needs cgroup v2")
    group = trees[0] / f"ftpsensor-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        lab.skip(f"may not make a cgroup ({error})")
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        isolation.call("prctl", isolation.PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0)
        (group / "cgroup.procs").write_text("0")
        isolation.call("unshare", CLONE_NEWCGROUP)
        return
    _, status = os.waitpid(child, 0)
    lab.wait_for(lambda: not (group / "cgroup.events").read_text().count("populated 1"), "the cgroup is empty")
    for folder, _, _ in os.walk(group, topdown=False):
        os.rmdir(folder)
    os._exit(max(os.waitstatus_to_exitcode(status), -1) & 0xFF)


def own_cgroup_tree():
    """Within the test's mount namespace: the tree that the booted machine sees, from the test's own cgroup on."""
    libc = isolation.libc
    while libc.umount2(b"/sys/fs/cgroup", MNT_DETACH) == 0:
        pass
    isolation.mount("cgroup2", "/sys/fs/cgroup", "cgroup2")


def base_root(release):
    """The folder of a Debian with systemd, made once; nothing is changed in it after."""
    archive = subprocess.run([BARE_ROOT, release], stdout=subprocess.PIPE, text=True)
    if archive.returncode != 0:
        lab.skip(f"a bare {release} could not be made: see above")
    archive = pathlib.Path(archive.stdout.strip())
    root = archive.with_name(f"{release}.booted")
    if not root.exists():
        new = root.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        subprocess.run(["tar", "-C", new, "-xf", archive], check=True)
        for command in (["apt-get", "-qq", "update"], ["apt-get", "-qq", "install", "--no-install-recommends", *PACKAGES]):
            subprocess.run(["chroot", new, *command], check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
        new.rename(root)
    return root


def init_of(nspawn):
    """The machine's first process; None before it is there: a helper of systemd-nspawn's comes first."""
    for child in pathlib.Path(f"/proc/{nspawn}/task/{nspawn}/children").read_text().split():
        try:
            if pathlib.Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                return child
        except OSError:
            pass
    return None


class Machine:
    """`netns`: a role of the lab. What is put into .root before boot() is there when it boots."""

    def __init__(self, hub, release, netns):
        self.hub, self.netns = hub, netns
        self.init = None  # PID of its systemd
        folder = hub.folder / "machine"
        for name in ("root", "upper", "work"):
            (folder / name).mkdir(parents=True)
        self.root = folder / "root"
        options = f"lowerdir={base_root(release)},upperdir={folder}/upper,workdir={folder}/work"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, self.root], check=True)

    def prepare(self, *command):
        """Runs a command in the machine that is not booted yet, with this machine's network."""
        run = subprocess.run(["chroot", self.root, *command], env=ENVIRONMENT, capture_output=True, text=True)
        if run.returncode != 0:
            lab.check(False, f"{' '.join(command)}: {run.stderr[-2000:]}")

    def boot(self):
        own_cgroup_tree()
        nspawn = self.hub.start_outside("systemd-nspawn", "-D", str(self.root), "--boot", "--register=no", "--keep-unit",
                                        "--console=pipe", f"--network-namespace-path={isolation.NETWORK_NAMESPACES / self.netns}",
                                        "--capability=all", "--system-call-filter=@known", "--kill-signal=SIGRTMIN+3")
        lab.wait_for(lambda: nspawn.poll() is not None or init_of(nspawn.pid), "the machine starts", seconds=60)
        lab.check(nspawn.poll() is None, "systemd-nspawn runs")
        self.init = init_of(nspawn.pid)
        lab.wait_for(lambda: self.run("systemctl", "is-system-running", may_fail=True).stdout.strip() in ("running", "degraded"),
                     "systemd has booted", seconds=240)

    def run(self, *command, may_fail=False):
        """A command in the booted machine; its result, with its output as text."""
        run = subprocess.run(["nsenter", "-t", self.init, "-m", "-u", "-i", "-n", "-p", "-C", "--root", "env", "-C", "/", *command],
                             env=ENVIRONMENT, capture_output=True, text=True)
        if run.returncode != 0 and not may_fail:
            lab.check(False, f"{' '.join(command)}: {run.stdout[-2000:]}{run.stderr[-2000:]}")
        return run

    def shell(self, text, may_fail=False):
        return self.run("sh", "-c", text, may_fail=may_fail).stdout
