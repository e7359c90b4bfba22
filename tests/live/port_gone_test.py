#!/usr/bin/env python3
"""An interface that is down, has another name, is removed, moves away and comes back: what the sensor says of it, sees then,
and gives back.

usage: port_gone_test.py FTPSENSORD

Needs: see lab.py."""
import json
import subprocess
import sys

import lab


def link_up(hub):
    run = subprocess.run([hub.ftpsensord, "stats", "--json", "--socket", str(hub.stats_socket)], capture_output=True, text=True)
    return json.loads(run.stdout)["ports"][0]["link_up"]


def retrieve(hub, name):
    hub.curl(f"ftp://{lab.SERVER[0]}/{name}", "-o", "/dev/null")


def down_and_renamed(hub, sensor):
    hub.call("sensor", "ip", "link", "set", lab.SPAN, "down")
    lab.wait_for(lambda: "the link is down" in sensor.said() and not link_up(hub), "a link that is down is said")
    hub.call("sensor", "ip", "link", "set", lab.SPAN, "name", "renamed")
    hub.call("sensor", "ip", "link", "set", "renamed", "up")
    lab.wait_for(lambda: "the link is up again" in sensor.said() and link_up(hub), "and that it is up again, under whatever name")
    retrieve(hub, "small.bin")
    hub.call("sensor", "ip", "link", "set", "renamed", "down")
    lab.wait_for(lambda: sensor.said().count("the link is down") == 2 and not link_up(hub), "that it is down again")
    hub.call("sensor", "ip", "link", "set", "renamed", "name", lab.SPAN)
    hub.call("sensor", "ip", "link", "set", lab.SPAN, "up")
    lab.wait_for(lambda: sensor.said().count("the link is up again") == 2 and link_up(hub), "up under its old name")


def gro(hub, interface):
    return "generic-receive-offload: on" in hub.call("sensor", "ethtool", "-k", interface).stdout


def offloads_come_back(hub):
    """By its index: the name is another one's by then."""
    hub.call("sensor", "ethtool", "-K", lab.SPAN, "gro", "on")
    sensor = hub.start_sensor(folder="renamed")
    lab.check(not gro(hub, lab.SPAN), "gro is off for the capture")
    hub.call("sensor", "ip", "link", "set", lab.SPAN, "down")
    hub.call("sensor", "ip", "link", "set", lab.SPAN, "name", "renamed")
    hub.call("sensor", "ip", "link", "add", lab.SPAN, "type", "bridge")
    hub.call("sensor", "ethtool", "-K", lab.SPAN, "gro", "off")
    hub.call("sensor", "ip", "link", "set", "renamed", "up")
    sensor.stop()
    lab.check(gro(hub, "renamed"), "and on again, under its new name")
    lab.check(not gro(hub, lab.SPAN), "while another interface of the old name stays as it was")
    hub.call("sensor", "ip", "link", "del", lab.SPAN)
    hub.call("sensor", "ip", "link", "set", "renamed", "down")
    hub.call("sensor", "ip", "link", "set", "renamed", "name", lab.SPAN)
    hub.call("sensor", "ip", "link", "set", lab.SPAN, "up")
    hub.call("sensor", "ethtool", "-K", lab.SPAN, "gro", "off")


def offloads_stay_off(hub):
    """Another sensor of this interface switches them on at its end, where they were on at its start."""
    sensor = hub.start_sensor(folder="offloads")
    hub.call("sensor", "ethtool", "-K", lab.SPAN, "gro", "on")
    lab.wait_for(lambda: not gro(hub, lab.SPAN), "gro that somebody switches on is off again within a second or two")
    lab.check(f"{lab.SPAN}: switched off for the capture: gro" in sensor.said(), "and it is said")
    sensor.stop()
    lab.check(gro(hub, lab.SPAN), "and on after the sensor, as somebody wanted it")
    hub.call("sensor", "ethtool", "-K", lab.SPAN, "gro", "off")


def moved_away_and_back(hub, waits):
    """The kernel has taken the sockets off it, and it has its index again."""
    sensor = hub.start_sensor(workers=2, folder=f"moved-{waits}")
    before = hub.call("sensor", "cat", f"/sys/class/net/{lab.SPAN}/ifindex").stdout
    subprocess.run(["ip", "netns", "add", "elsewhere"], check=True)  # where no interface has its index
    hub.call("sensor", "ip", "link", "set", lab.SPAN, "netns", "elsewhere")
    if waits:
        lab.wait_for(lambda: "the interface was removed" in sensor.said(), "an interface that left is said")
    hub.call("elsewhere", "ip", "link", "set", lab.SPAN, "netns", "sensor")
    subprocess.run(["ip", "netns", "del", "elsewhere"], check=True)
    hub.call("sensor", "ip", "link", "set", lab.SPAN, "up")
    lab.check(hub.call("sensor", "cat", f"/sys/class/net/{lab.SPAN}/ifindex").stdout == before, "it is back under its index")
    lab.wait_for(lambda: sensor.process.poll() is not None, "the sensor ends when it is back")
    lab.check(sensor.process.returncode == 1, f"for systemd to start it again: status {sensor.process.returncode}")
    lab.check("there is an interface of that name again" in sensor.said(), "and says why")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    lab.need()
    with lab.Lab(sys.argv[1]) as hub:
        offloads_come_back(hub)
        offloads_stay_off(hub)
        for waits in (True, False):
            moved_away_and_back(hub, waits)
        sensor = hub.start_sensor(workers=2)
        down_and_renamed(hub, sensor)
        hub.call("sensor", "ip", "link", "del", lab.SPAN)
        lab.wait_for(lambda: "the interface was removed" in sensor.said() and not link_up(hub), "a removed interface is said")
        lab.check(sensor.process.poll() is None, "and waited for")
        hub.plug_in("sensor", lab.SPAN)
        status = sensor.process.wait(timeout=20)
        lab.check(status == 1, f"with another one of its name the sensor ends, for systemd to start it again: status {status}")
        lab.check("there is an interface of that name again" in sensor.said(), "and says why")
        arguments = [entry["arg"] for entry in lab.entries(sensor.logs)["ftp"] if entry["command"] == "RETR"]
        lab.check([a.rsplit("/", 1)[-1] for a in arguments] == ["small.bin"], f"what it saw until then is in its logs: {arguments}")
        again = hub.start_sensor(workers=2, folder="again")
        retrieve(hub, "hello.txt")
        again.stop()
        lab.check(any(entry["command"] == "RETR" for entry in lab.entries(again.logs)["ftp"]), "the next one sees what comes")


main()
