#!/usr/bin/env python3
"""The alerting rules that are installed: promtool reads them, and they say what they should of sensors that are well and
that are not (rules_test.yaml). That their metrics exist, metrics_test knows.

usage: rules.py SOURCE_ROOT. Exit status 77: there is no promtool (package prometheus, in Debian 13 promtool; `./dev setup
--test` unpacks it)."""
import pathlib
import shutil
import subprocess
import sys


def main():
    promtool = shutil.which("promtool")
    if promtool is None:
        print("skipped: no promtool here")
        return 77
    root = pathlib.Path(sys.argv[1])
    rules, told = root / "share" / "ftpsensor.rules.yaml", root / "tests" / "rules_test.yaml"
    statuses = [subprocess.run([promtool, *command]).returncode
                for command in (["check", "rules", rules], ["test", "rules", told])]
    return int(any(statuses))


if __name__ == "__main__":
    sys.exit(main())
