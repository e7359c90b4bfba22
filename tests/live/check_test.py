#!/usr/bin/env python3
"""`check` tells what is missing, with the command that mends it; `check --fix` mends what is safe, and says what it did.

usage: check_test.py FTPSENSORD

Needs: see lab.py."""
import re
import subprocess
import sys

import lab


def check(hub, *arguments):
    settings = [f"--set=capture.ports=[{{interface: {lab.SPAN}}}]", "--set=eal.hugepages=off", "--set=log.retention.free=1MiB", f"--set=log.directory={hub.folder}/logs"]
    (hub.folder / "none.yaml").write_text("")
    run = subprocess.run(hub.inside("sensor", hub.ftpsensord, "check", "-c", hub.folder / "none.yaml", *settings, *arguments),
                         capture_output=True, text=True)
    print("   " + "\n   ".join(line for line in run.stdout.splitlines() if lab.SPAN in line))
    return run.returncode, run.stdout


def is_up(hub):
    return "state UP" in hub.call("sensor", "ip", "link", "show", lab.SPAN).stdout


def gro(hub):
    shown = hub.call("sensor", "ethtool", "-k", lab.SPAN).stdout
    return "generic-receive-offload: on" in shown


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    lab.need()
    with lab.Lab(sys.argv[1], with_server=False) as hub:
        status, said = check(hub)
        lab.check(status == 0, "on a port that is fit, check is content")
        lab.check("MTU 1500; 1 queue, a ring of 32768 frames of up to 1982 bytes each" in said, "slots are for frames of its MTU")
        hub.call("sensor", "ip", "link", "set", lab.SPAN, "mtu", "9000")
        _, said = check(hub)
        lab.check("MTU 9000; 1 queue, a ring of 7280 frames of up to 9150 bytes each" in said, "whatever that is")
        hub.call("sensor", "ip", "link", "set", lab.SPAN, "mtu", "1500")
        hub.call("sensor", "ip", "link", "set", lab.SPAN, "down")
        hub.call("sensor", "ethtool", "-K", lab.SPAN, "gro", "on")
        status, said = check(hub)
        lab.check(status == 1 and f"problem  {lab.SPAN}: the interface is down" in said, "an interface that is down is a problem")
        lab.check(f"try: ip link set {lab.SPAN} up" in said and f"try: ethtool -K {lab.SPAN} gro off" in said,
                  "and each has the command that mends it")
        lab.check(not is_up(hub) and gro(hub), "check itself changes nothing")

        status, said = check(hub, "--fix")
        lab.check(status == 0, "after --fix run can start")
        for command in (f"ip link set {lab.SPAN} up", f"ethtool -K {lab.SPAN} gro off"):
            lab.check(f"    done  {command}\n" in said, f"it says that it did: {command}")
        lab.check(is_up(hub) and not gro(hub), "and so it is")
        lab.check("the interface is down" not in said, "what is told then is how things are now")
        status, said = check(hub, "--fix")
        lab.check(status == 0 and "nothing that can be mended safely" in said, "a second time there is nothing to do")

        lab.check("log.retention.free" not in said.split("messages:")[1], "the disk has what is to stay free")
        status, said = check(hub, "--set=log.retention.free=900TiB")
        whole = re.search(r"log.retention.free: 900TiB are to stay free, and the whole disk of (\S+) has (\d+) MiB: nothing", said)
        lab.check(status == 0 and whole, "what no disk has is said, and that nothing is removed for it")
        (hub.folder / "in-use").write_bytes(bytes(4 << 20))
        status, said = check(hub, f"--set=log.retention.free={whole[2]}MiB")
        lab.check(status == 0 and f"are to stay free, and the disk of {whole[1]} has" in said and
                  "or set log.retention.free to less than" in said, "and where it has not, check says what will be removed")
        status, said = check(hub, "--set=capture.shunt=on")
        lab.check(f"{lab.SPAN}: AF_PACKET and AF_XDP have no flow rules: capture.shunt does nothing there" in said,
                  "a port that can't shunt")

        status, said = check(hub, "--fix", "--set=capture.ports=[{interface: nothere}]")
        lab.check(status == 1 and "no such network interface" in said, "what a person must do is left to them")


main()
