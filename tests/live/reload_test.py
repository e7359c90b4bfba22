#!/usr/bin/env python3
"""SIGHUP: what can change does, at once and with nothing lost; each changed key is answered; a bad file changes nothing.

usage: reload_test.py FTPSENSORD

Needs: see lab.py."""
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import lab

PATIENCE = 20  # s; entries come log.hold (2 s) behind what they tell of
ANSWER = re.compile(r"reload: (\S+): (.*) -> (.*): (taken|needs a restart)$", re.M)


class Configured:
    """A sensor whose file is rewritten."""

    def __init__(self, hub):
        self.hub = hub
        self.file = hub.folder / "ftpsensor.yaml"
        self.sensor = hub.start_sensor(workers=2, log__flush_interval="100ms")

    def reload(self, text="", keep_port=True):
        """Writes the file, sends SIGHUP, returns what was answered: key -> (from, to, taken?)."""
        if text is not None:
            port = f"capture:\n  ports: [{{interface: {lab.SPAN}}}]\n" if keep_port else ""
            self.file.write_text(port + text)
        already = len(self.sensor.said())
        began = time.monotonic()
        self.sensor.process.send_signal(signal.SIGHUP)
        lab.wait_for(lambda: re.search(r"reload: (done|refused)", self.sensor.said()[already:]), "the reload is answered", seconds=5)
        said = self.sensor.said()[already:]
        print(f"   ({time.monotonic() - began:.2f} s) " + "\n   ".join(line.split(": ", 1)[-1] for line in said.splitlines()))
        return {key: (old, new, word == "taken") for key, old, new, word in ANSWER.findall(said)}, said


def retrieve(hub, user="anonymous", password="guest@example.org"):
    hub.curl("--user", f"{user}:{password}", f"ftp://{lab.SERVER[0]}/hello.txt", "-o", "/dev/null")


def lines(sensor, log):
    """Of files that are being written, what is whole."""
    found = []
    for path in lab.log_files(sensor.logs):
        if path.name.startswith(log):
            text = subprocess.run(["zcat", path], capture_output=True, text=True).stdout
            found += [line for line in text.splitlines() if line.endswith("}")]
    return found


def ftp_entries(sensor):
    return lines(sensor, "ftp")


def conn_entries(sensor):
    return sorted(map(json.loads, lines(sensor, "conn")), key=lambda entry: entry["_write_ts"])


def nothing_changed(configured):
    answers, said = configured.reload(None)
    lab.check(not answers and "nothing has changed" in said, "the same file: nothing has changed")


def on_an_idle_port(configured):
    text = """
workers: {count: 3}
ftp: {commands: [all], passwords: none}
timeouts: {tcp_close_delay: 1s}
log: {system_name: changed, directory: /elsewhere}
messages: info
"""
    answers, _ = configured.reload(text)
    expected = {"ftp.commands": ("[]", "[all]", True), "ftp.passwords": ("guests", "none", True),
                "timeouts.tcp_close_delay": ("5s", "1s", True)}
    lab.check(answers == expected, f"keys that can change are taken; what --set says stays: {answers}")


def takes_effect(hub, configured):
    retrieve(hub)
    lab.wait_for(lambda: any('"QUIT"' in line for line in ftp_entries(configured.sensor)), "ftp.commands: all are logged")
    lab.check(not any("guest@example.org" in line for line in ftp_entries(configured.sensor)), "ftp.passwords: none are shown")


def a_session_that_is_open(hub, configured):
    """A control connection from before a reload is followed on, by the new rules."""
    with socket_in(hub) as control:
        def passes():
            return sum('"PASS"' in line for line in ftp_entries(configured.sensor))

        before = passes()
        control.command("USER anonymous")
        control.command("PASS before@example.org")
        control.command("PWD")  # the entry of PASS comes with it
        lab.wait_for(lambda: passes() > before, "the worker has come to it: on a busy machine it may be late")
        answers, _ = configured.reload("ftp: {commands: [NOOP], passwords: all}")
        lab.check(set(answers) == {"ftp.commands", "ftp.passwords", "timeouts.tcp_close_delay"}, "defaults come back as well")
        control.command("NOOP")
        control.command("QUIT")
    lab.wait_for(lambda: any('"NOOP"' in line for line in ftp_entries(configured.sensor)),
                 "a session that was open has an entry by the new rules")
    lab.check(not any("before@example.org" in line for line in ftp_entries(configured.sensor)),
              "but a password that was sent while all were hidden stays hidden")


def interim_entries(hub, configured):
    """Of a connection that is open: from a reload on, until another; what they tell adds up."""
    def told():
        return [entry for entry in conn_entries(configured.sensor) if "interim" in entry and entry["id.resp_p"] == 21]

    soon = "timeouts: {tcp_close_delay: 1s}\n"
    with socket_in(hub) as control:
        control.command("USER anonymous")
        answers, _ = configured.reload(soon + "log: {conn: {interim: 1s}}")
        lab.check(answers["log.conn.interim"] == ("0", "1s", True), "log.conn.interim is taken")
        lab.wait_for(lambda: len(told()) >= 2, "a connection that was open has interim entries")
        control.command("NOOP")
        answers, _ = configured.reload(soon)
        lab.check(answers["log.conn.interim"] == ("1s", "0", True), "and taken back")
        time.sleep(0.5)  # what was due is in the file
        before = len(told())
        time.sleep(2)
        lab.check(len(told()) == before, "then it has none any more")
        control.command("QUIT")
    lab.wait_for(lambda: not told()[-1]["interim"], "but a last entry")
    found = told()
    lab.check(len({entry["uid"] for entry in found}) == 1 and all(entry["interim"] for entry in found[:-1]), "of one connection")
    sent = sum(len(command) + 2 for command in ("USER anonymous", "NOOP", "QUIT"))
    lab.check(sum(entry["orig_bytes"] for entry in found) == sent, f"which tell all that was sent, once: {sent} bytes")


class socket_in:
    """A control connection from the client's namespace, by a helper process."""

    def __init__(self, hub):
        code = ("import socket, sys\n"
                f"s = socket.create_connection(('{lab.SERVER[0]}', 21)); f = s.makefile('rb'); f.readline()\n"
                "for line in sys.stdin:\n"
                "    s.sendall(line.strip().encode() + b'\\r\\n'); print(f.readline().decode(), end='', flush=True)\n")
        self.process = subprocess.Popen(hub.inside("client", sys.executable, "-c", code), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def command(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=10)


def refused_as_a_whole(hub, configured):
    for text, reason in (("ftp: {commands: [all], pasword: none}", "did you mean ftp.passwords"), ("ftp: [", ":"),
                         ("log: {rotation: {interval: 0.5s}}", "log.rotation.interval"),
                         ("log: {group: no-such-group}", "no-such-group"),
                         ("log: {rotation: {time_zone: posix/Europe/Berlin}}", "log.rotation.time_zone"),
                         ("limits: {ftp_sessions_max: 2000000}", "limits.connections_max")):
        answers, said = configured.reload(text)
        lab.check("refused, everything stays as it was" in said and reason in said and not answers, f"refused: {text}")
    answers, said = configured.reload("ftp: {commands: [all]}", keep_port=False)
    lab.check("refused" in said and "capture.ports" in said, "without a port, too")
    configured.file.unlink()
    answers, said = configured.reload(None)
    lab.check("refused" in said, "and without a file")
    before = len(ftp_entries(configured.sensor))
    retrieve(hub)
    time.sleep(1)
    lab.check(len(ftp_entries(configured.sensor)) == before, "the old ftp.commands (NOOP alone) are still in effect")
    lab.check(configured.sensor.process.poll() is None, "and the sensor runs")


def files_by_the_new_names(hub, configured):
    text = 'log: {rotation: {interval: 1min}, folder_name: "of-%Y", file_mode: "0600"}'
    answers, _ = configured.reload(text)
    lab.check(all(taken for _, _, taken in answers.values()) and "log.folder_name" in answers, "names of files are taken")
    finished = [path for path in lab.log_files(configured.sensor.logs) if "current" not in path.parts]
    lab.check(finished and not any(path.parent.name.startswith("of-") for path in finished),
              "the files until then are finished, under their old names")
    retrieve(hub)
    lab.wait_for(lambda: (configured.sensor.logs / "current" / "ftp.log.gz").exists(), "a new one is begun")
    lab.check((configured.sensor.logs / "current" / "ftp.log.gz").stat().st_mode & 0o777 == 0o600, "with its new mode")


def metrics_move(hub, configured):
    answers, _ = configured.reload("metrics: {port: 9822, log_interval: 1s}\nworkers: {cpus: [0, 1]}")
    lab.check(answers["metrics.port"] == ("9821", "9822", True), "metrics.port is taken")
    lab.check(answers["workers.cpus"] == ("[]", "[0, 1]", False), "workers.cpus needs a restart")
    text = hub.call("sensor", "curl", "--silent", "--fail", "http://127.0.0.1:9822/metrics").stdout
    lab.check("ftpsensor_reloads_total" in text, "the metrics are at their new port")
    gone = subprocess.run(hub.inside("sensor", "curl", "--silent", "http://127.0.0.1:9821/metrics"))
    lab.check(gone.returncode != 0, "and no longer at the old one")
    lab.wait_for(lambda: (configured.sensor.logs / "current" / "stats.log.gz").exists(), "stats.log each second")


def is_logged_under(node, sensor):
    return any('"RETR"' in line and f'"_node":"{node}"' in line for line in ftp_entries(sensor))


def under_traffic(hub, configured):
    """Each second another name for the system and the files, while transfers go on: every transfer is there, once."""
    before = sum('"RETR"' in line for line in ftp_entries(configured.sensor))
    transfers = 0
    for i in range(8):
        configured.reload(f'log: {{node: n{i}, rotation: {{interval: {i + 1}s}}, folder_name: "f{i % 2}"}}')
        began = time.monotonic()
        while (waited := time.monotonic() - began) < 1 or (waited < PATIENCE and not is_logged_under(f"n{i}", configured.sensor)):
            retrieve(hub)
            transfers += 1
    return before + transfers


@contextlib.contextmanager
def a_storm_of_sighup(configured):
    """Of a file that takes a while to read: the next one always waits when one is answered."""
    configured.file.write_text(f"capture:\n  ports: [{{interface: {lab.SPAN}}}]\n" + "# what a site has to say of it\n" * 30_000)
    sensor = configured.sensor
    ended = threading.Event()

    def send():
        while not ended.is_set():
            os.kill(sensor.process.pid, signal.SIGHUP)
            time.sleep(0.001)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        ended.set()
        sender.join()


def uptime(hub):
    run = subprocess.run([hub.ftpsensord, "stats", "--json", "--socket", str(hub.stats_socket)], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)["sensor"]["uptime_seconds"]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    lab.need("zcat")
    with lab.Lab(sys.argv[1]) as hub:
        configured = Configured(hub)
        nothing_changed(configured)
        on_an_idle_port(configured)
        takes_effect(hub, configured)
        a_session_that_is_open(hub, configured)
        refused_as_a_whole(hub, configured)
        interim_entries(hub, configured)
        configured.reload("")
        files_by_the_new_names(hub, configured)
        metrics_move(hub, configured)
        transfers = under_traffic(hub, configured)
        with a_storm_of_sighup(configured):
            before = uptime(hub)
            time.sleep(4)
            lab.check(uptime(hub) > before + 2, "reloads without end: the figures go on each second, and so does the watchdog's food")
            status, seconds = configured.sensor.stop()
        lab.check(status == 0 and seconds < 10, f"and a stop is heard: status {status} after {seconds:.1f} s")
        found = lab.entries(configured.sensor.logs)
        retrievals = [entry for entry in found["ftp"] if entry["command"] == "RETR"]
        lab.check(len(retrievals) == transfers, f"{transfers} transfers are in the log, each once: {len(retrievals)}")
        connections = {entry["uid"]: entry for entry in found["conn"] if not entry.get("interim")}
        size = len("hello, sensor\n")
        broken = [entry for entry in retrievals if entry.get("data_channel.bytes") != size or not lab.is_whole(entry, connections)]
        lab.check(not broken, f"each with its file {broken or ''}".rstrip())
        nodes = {entry.get("_node") for entry in retrievals}
        lab.check({f"n{i}" for i in range(8)} <= nodes, f"under every name of the node: {nodes}")
        uids = [entry["uid"] for entry in found["conn"] if not entry.get("interim")]
        lab.check(len(uids) == len(set(uids)), "no connection twice")
        lab.check_nothing_lost(configured.sensor)


main()
