#!/usr/bin/env python3
"""The tab-separated form says the same as the JSON form: read by its own header lines and held against the reference.

usage: tsv_conformance.py FTPSENSORD

Reads every case of ../shared/conformance with log.format: tsv and epoch times, turns the files into JSON by what their
#separator, #set_separator, #empty_field, #unset_field, #fields and #types lines say, and compares with compare.py.
Exit status 77 where the set is not present. Cases of tests/conformance_expected.txt may differ."""
import gzip
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ESCAPE = re.compile(rb"\\x([0-9a-f]{2})")


# Bytes that are not UTF-8 stand as the text \\xNN in the reference's JSON.
def unescaped(value):
    return ESCAPE.sub(lambda m: bytes([int(m.group(1), 16)]), value).decode("utf-8", "backslashreplace")


def json_value(value, kind, head):
    if kind.startswith(("set[", "vector[")):
        if value == head["empty_field"]:
            return []
        return [json_value(v, kind[kind.index("[") + 1:-1], head) for v in value.split(head["set_separator"])]
    if kind in ("count", "int", "port"):
        return int(value)
    if kind in ("time", "interval", "double"):
        return float(value)
    if kind == "bool":
        return value == b"T"
    return "" if value == head["empty_field"] else unescaped(value)


def entries(path):
    head, fields, kinds, separator = {}, [], [], b"\t"
    for line in gzip.decompress(path.read_bytes()).split(b"\n"):
        if line.startswith(b"#separator "):
            separator = bytes.fromhex(line.split(b" ", 1)[1].decode()[2:])
        elif line.startswith(b"#"):
            name, *rest = line[1:].split(separator)
            if name in (b"fields", b"types"):
                values = [v.decode() for v in rest]
                fields, kinds = (values, kinds) if name == b"fields" else (fields, values)
            else:
                head[name.decode()] = rest[0] if rest else b""
        elif line:
            values = line.split(separator)
            if len(values) != len(fields):
                sys.exit(f"{path}: {len(values)} values for {len(fields)} fields: {line!r}")
            yield {f: json_value(v, k, head) for f, k, v in zip(fields, kinds, values) if v != head["unset_field"]}
    if "close" not in head:
        sys.exit(f"{path}: no #close line")


def read_case(binary, case, work):
    """The case's logs as JSON lines in a folder of their own."""
    settings = ["ftp.extended=false", "capture.checksums=ignore"]
    if (case / "set").exists():
        settings += (case / "set").read_text().split()
    settings += ["log.format=tsv", "log.timestamps=epoch"]
    source = next(case.glob("input.*"))
    command = [binary, "read", *(x for s in settings for x in ("--set", s)), "-o", str(work / "tsv"), str(source)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    (work / "json").mkdir()
    for path in sorted((work / "tsv").rglob("*.log.gz")):
        with open(work / "json" / path.name[:-3], "a", encoding="utf-8") as out:
            for entry in entries(path):
                out.write(json.dumps(entry) + "\n")
    return work / "json"


def main():
    binary = sys.argv[1]
    here = pathlib.Path(__file__).resolve()
    shared = here.parents[2] / "shared" / "conformance"
    if not (shared / "compare.py").exists():
        print(f"skipped: {shared} is not here")
        return 77
    expected = (here.parent / "conformance_expected.txt").read_text().split()
    failed = total = 0
    for case in sorted({p.parent for p in shared.rglob("input.*")}):
        with tempfile.TemporaryDirectory() as work:
            ours = read_case(binary, case, pathlib.Path(work))
            extra = (case / "compare").read_text().split() if (case / "compare").exists() else []
            held = subprocess.run([sys.executable, "-B", str(shared / "compare.py"), str(case), str(ours), *extra],
                                  capture_output=True, text=True)
        name = f"{case.parent.name}/{case.name}"
        total += 1
        if held.returncode != 0 and name not in expected:
            failed += 1
            print(f"-- {name}\n{held.stdout}{held.stderr}")
    print(f"{total} cases in the tab-separated form, {failed} differ")
    return 1 if failed or total == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
