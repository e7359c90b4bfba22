"""Faults of a sensor's disk: a small file system for its logs that can be filled, made read-only, and mended again.

Mounted in the mount namespace of the test (isolation.py): gone with it. A sensor that is started afterwards sees it."""
import ctypes
import subprocess

import isolation


class SmallDisk:
    def __init__(self, where, mebibytes):
        self.where = where
        where.mkdir(exist_ok=True)
        isolation.call("mount", b"ftpsensor-disk", str(where).encode(), b"tmpfs", ctypes.c_ulong(0),
                       f"size={mebibytes}m".encode())
        self.filler = where / "filler"

    def fill(self):
        with self.filler.open("wb", buffering=0) as filler:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        filler.write(b"\0" * size)
                except OSError:  # no room for so much at once
                    continue

    def free(self):
        self.filler.unlink()


def _in_mounts_of(process, *command):
    # With its root, which is not that of its mounts where the test runs below a chroot.
    subprocess.run(["nsenter", "-t", str(process.pid), "-m", "-r", *command], check=True)


def make_read_only(process, folder):
    """For one process: new files, renames and removals fail with EROFS. What is open for writing stays so, as after a
    chmod."""
    made_elsewhere = folder.with_name(folder.name + "-read-only")  # or a file could be opened before it is read-only
    made_elsewhere.mkdir(exist_ok=True)
    _in_mounts_of(process, "mount", "--bind", str(folder), str(made_elsewhere))
    _in_mounts_of(process, "mount", "-o", "remount,bind,ro", str(made_elsewhere))
    _in_mounts_of(process, "mount", "--bind", str(made_elsewhere), str(folder))
    _in_mounts_of(process, "umount", str(made_elsewhere))


def make_writable(process, folder):
    _in_mounts_of(process, "umount", "-l", str(folder))
