"""Gives a test process namespaces of its own, so that whatever it starts or makes is gone when it is, however it ends.

A child takes the test's place: the first process of a PID namespace (when it ends, by SIGKILL too, the kernel kills all
that it started) with a mount namespace, where /run/netns (ip-netns(8)) and the folder for files are its own (what is
mounted there, network namespaces and a tmpfs, goes with the last process). Two tests at once do not see each other.
"""
import ctypes
import os
import pathlib
import signal
import sys

FILES = pathlib.Path("/var/lib/ftpsensor-lab")  # the mount point is what remains on the machine, empty
NETWORK_NAMESPACES = pathlib.Path("/run/netns")

CLONE_NEWNS, CLONE_NEWPID = 0x00020000, 0x20000000
MS_REC, MS_PRIVATE = 0x4000, 1 << 18
PR_SET_PDEATHSIG = 1

libc = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def mount(what, where, kind, flags=0):
    call("mount", what.encode(), str(where).encode(), kind.encode(), ctypes.c_ulong(flags), None)


def enter():
    """Returns in the child; the parent waits for it and ends as it did. Raises OSError where that is not allowed."""
    call("unshare", CLONE_NEWPID | CLONE_NEWNS)
    mount("none", "/", "", MS_REC | MS_PRIVATE)
    for place, kind in ((FILES, "tmpfs"), (NETWORK_NAMESPACES, "tmpfs")):
        place.mkdir(parents=True, exist_ok=True)
        mount("ftpsensor-lab", place, kind)
    sys.stdout.flush()
    child = os.fork()
    if child != 0:
        await_child(child)
    call("prctl", PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0)
    mount("proc", "/proc", "proc")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the first process of a namespace ignores it unless told


def await_child(child):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(child, signal.SIGKILL))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)
