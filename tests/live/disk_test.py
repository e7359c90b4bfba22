#!/usr/bin/env python3
"""A disk that is full, a folder that is read-only: packets are captured all the same, and every entry is written in the end.

usage: disk_test.py FTPSENSORD

Under steady traffic the sensor's disk, a small one of its own, is filled and freed, and its folder made read-only and writable
again; the logs must say what `read` says of a capture of the same traffic. Then old files make room (log.retention.free), the
folder is removed under a sensor, and a second sensor is started on the same folder. Needs: see lab.py, and nsenter."""
import pathlib
import shutil
import subprocess
import sys
import time

import disk
import lab
import same_logs

SETTINGS = dict(timeouts__tcp_close_delay="1s")
RETRY_DELAY_MAX = 10  # LogFile::kRetryDelayMax


def count(sensor, words):
    return sensor.said().count(words)


def while_it_fails(hub, small, sensor):
    """Both faults, one after the other; each is said once a log, and so is its end."""
    small.fill()
    lab.wait_for(lambda: count(sensor, "No space left on device") >= 1, "a full disk is said")
    time.sleep(3)
    lab.check(count(sensor, "No space left on device") <= 3, "once a log")
    small.free()
    lab.wait_for(lambda: "written again; entries lost meanwhile: 0" in sensor.said(), "the disk is written to again",
                 seconds=RETRY_DELAY_MAX + 5)
    resumed = count(sensor, "written again")
    disk.make_read_only(sensor.process, sensor.logs)
    lab.wait_for(lambda: count(sensor, "Read-only file system") >= 1, "a read-only folder is said", seconds=15)
    time.sleep(3)
    disk.make_writable(sensor.process, sensor.logs)
    lab.wait_for(lambda: count(sensor, "written again") > resumed, "the folder is written to again",
                 seconds=RETRY_DELAY_MAX + 5)


def all_is_there(hub):
    small = disk.SmallDisk(hub.folder / "logs", mebibytes=4)
    witness, capture = hub.start_tcpdump()
    sensor = hub.start_sensor(workers=2, log__flush_interval="200ms", log__rotation__interval="4s", **SETTINGS)
    traffic = hub.start("client", sys.executable, str(pathlib.Path(__file__).with_name("steady_ftp.py")), lab.SERVER[0], "8",
                        name="traffic")
    time.sleep(1)
    while_it_fails(hub, small, sensor)
    traffic.kill()
    traffic.wait()
    time.sleep(2)
    status, _ = sensor.stop()
    lab.check(status == 0, "the sensor ends with status 0")
    lab.check(hub.stop_tcpdump(witness) == 0, "the witness lost no packet")
    figures = sensor.summary()
    lab.check(figures["kernel_drops"] == 0 and figures["missed"] == 0, "the sensor lost no packet")
    lab.check(figures["entries_lost"] == 0 and figures["write_errors"] > 0, "writing failed, and no entry was lost")
    for path in lab.log_files(sensor.logs):
        run = subprocess.run(["gzip", "-t", str(path)], capture_output=True, text=True)
        if run.returncode != 0 or "current" in path.parts:
            lab.check(False, f"{path.relative_to(sensor.logs)} is whole and rotated {run.stderr}")
    live, read = lab.entries(sensor.logs), lab.entries(hub.read_capture(capture, **SETTINGS))
    lab.check(len(live["ftp"]) > 20 and len(live["conn"]) > 20, f"of {len(live['ftp'])} and {len(live['conn'])} entries")
    differences = same_logs.differences(live, read)
    for line in differences[:20]:
        print(line)
    lab.check(not differences, "the logs are those of the capture")
    return small


def old_files_make_room(hub, small):
    """Another program fills the disk: finished files go, nothing else does, and that it is not enough is said."""
    (small.where / "keep").mkdir()
    finished = [path for path in lab.log_files(small.where) if "current" not in path.parts]
    kept = finished.pop(0)
    kept = kept.rename(small.where / "keep" / kept.name)
    small.fill()
    sensor = hub.start_sensor(**dict(SETTINGS, log__retention__free="1MiB"))
    lab.wait_for(lambda: "none is left that may be removed" in sensor.said(), "too little room is said")
    lab.check("log.retention.free" in sensor.said() and not any(path.exists() for path in finished),
              f"{len(finished)} finished files were removed, and that was said")
    lab.check(kept.exists() and small.filler.exists(), "what is not the sensor's is still there")
    small.free()
    lab.wait_for(lambda: "log.retention is kept again" in sensor.said(), "and the end of it", seconds=15)
    status, _ = sensor.stop()
    lab.check(status == 0, "the sensor ends with status 0")
    shutil.rmtree(kept.parent)


def the_folder_goes(hub):
    sensor = hub.start_sensor(log__flush_interval="200ms", **SETTINGS)
    second = subprocess.run(hub.inside("sensor", hub.ftpsensord, "run", "-c", str(hub.folder / "ftpsensor.yaml"),
                                       f"--set=log.directory={sensor.logs}"), capture_output=True, text=True, timeout=30)
    lab.check(second.returncode != 0 and f"in use by another sensor (process {sensor.process.pid})" in second.stderr,
              "a second sensor on the folder is refused, and told whose it is")
    hub.curl(f"ftp://{lab.SERVER[0]}/hello.txt", "-o", "/dev/null")
    lab.wait_for(lambda: (sensor.logs / "current" / "conn.log.gz").exists(), "there is a current file")
    for path in sensor.logs.iterdir():
        shutil.rmtree(path)
    hub.curl(f"ftp://{lab.SERVER[0]}/small.bin", "-o", "/dev/null")
    lab.wait_for(lambda: "removed or replaced by someone else" in sensor.said(), "that the folder was removed is said")
    status, _ = sensor.stop()
    lab.check(status == 0, "the sensor ends with status 0")
    args = [entry.get("arg", "") for entry in lab.entries(sensor.logs)["ftp"]]
    lab.check(any(arg.endswith("small.bin") for arg in args), "what came after the removal is in a new folder")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    lab.need("nsenter", "gzip")
    with lab.Lab(sys.argv[1]) as hub:
        old_files_make_room(hub, all_is_there(hub))
        the_folder_goes(hub)


main()
