"""Compares two sets of logs of the same traffic, captured twice: what may differ is when, and the ids.

Entries are brought together by connection (endpoints and protocol) and, in ftp.log, by their order in it. Times (ts, duration)
may differ by TOLERANCE seconds, _write_ts by anything. An id is replaced by what it names: a connection's endpoints, or, for a
file, whether there is one. Only TCP and UDP are compared: which neighbour discoveries fell into the capture is chance."""
import datetime

TOLERANCE = 0.1
ENDPOINTS = ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p")
CONNECTION_IDS = ("uid", "control_uid", "data_channel.uid")
FILE_IDS = ("fuid",)
NOT_COMPARED = ("_write_ts",)


def seconds(value):
    if isinstance(value, str):
        return datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    return float(value)


def connection(entry):
    return tuple(entry[name] for name in ENDPOINTS) + (entry.get("proto", "tcp"),)


def normalised(logs):
    """(log, connection) -> its entries in order, ids replaced."""
    names = {entry["uid"]: connection(entry) for entry in logs["conn"]}
    groups = {}
    for log in ("conn", "ftp"):
        for entry in logs[log]:
            if connection(entry)[-1] not in ("tcp", "udp"):
                continue
            entry = {k: v for k, v in entry.items() if k not in NOT_COMPARED}
            for name in CONNECTION_IDS:
                if name in entry:
                    entry[name] = names.get(entry[name], f"of no connection: {entry[name]}")
            if "tunnel_parents" in entry:
                entry["tunnel_parents"] = sorted(str(names.get(parent, "a tunnel without ports")) for parent in entry["tunnel_parents"])
            for name in FILE_IDS:
                if name in entry:
                    entry[name] = "a file"
            groups.setdefault((log, connection(entry)), []).append(entry)
    for group in groups.values():
        group.sort(key=lambda entry: seconds(entry["ts"]))
    return groups


def by_end(history):
    """The letters of each end in order. Which of two packets of opposite directions came first may differ: where two processors
    receive them at the same moment, each socket has them in an order of its own (FINs that cross, one in 18,000 sessions of a
    long run). What order a sensor makes of one and the same input is for golden tests and the reference."""
    return [history.count("^"), *("".join(filter(is_its, history)) for is_its in (str.isupper, str.islower))]


def field_differences(one, other):
    for name in sorted({*one, *other}):
        a, b = one.get(name), other.get(name)
        if name in ("ts", "duration") and a is not None and b is not None:
            if abs(seconds(a) - seconds(b)) > TOLERANCE:
                yield f"{name}: {a} and {b}"
        elif name == "history" and a is not None and b is not None and by_end(a) == by_end(b):
            continue
        elif a != b:
            yield f"{name}: {a!r} and {b!r}"


def differences(one, other):
    """Lines of text, one a difference; empty where the logs say the same."""
    first, second = normalised(one), normalised(other)
    lines = []
    for key in sorted({*first, *second}, key=str):
        a, b = first.get(key, []), second.get(key, [])
        if len(a) != len(b):
            lines.append(f"{key}: {len(a)} and {len(b)} entries")
            continue
        for x, y in zip(a, b):
            what = f"{key} {x.get('command', '')}".rstrip()
            lines += [f"{what}: {difference}" for difference in field_differences(x, y)]
    return lines
