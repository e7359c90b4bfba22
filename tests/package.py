#!/usr/bin/env python3
"""What is installed beside the program agrees with it: manual pages, completion, units, Debian's control files.

usage: package.py SOURCE BUILD FTPSENSORD

BUILD is the build folder. A part whose tool is absent here (groff, bash, systemd-analyze) is left out, with a word: a line
that begins with "note: "."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

EXPOSURE_MAX = 30  # tenths, as `systemd-analyze security --threshold` counts
OPTION = re.compile(r"(?:^ |,) *(-[^ ,]+)")
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print(f"FAILED: {what}")


def has(program):
    if shutil.which(program):
        return True
    print(f"note: no {program} here: its part of the test is left out")
    return False


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, **options)


def commands_and_options(program):
    """What the program tells of itself: command ("" is the program) -> its options."""
    text = run(program, "--help").stdout
    commands = re.search(r"^SUBCOMMANDS:\n(.*?)\n\n", text, re.M | re.S | re.I).group(1)
    names = [line.split()[0] for line in commands.splitlines() if line.startswith("  ") and line[2] != " "]
    return {name: {option for line in run(program, *filter(None, [name]), "--help").stdout.splitlines()
                   for option in OPTION.findall(line)} for name in ["", *names]}


def check_manual(source, told):
    text = (source / "share/ftpsensord.8").read_text()
    documented = {words.replace("Fl Fl ", "--").replace("Fl ", "-")
                  for line in re.findall(r"^\.It (Fl.*)$", text, re.M) for words in re.findall(r"(?:Fl )?Fl [a-z-]+", line)}
    options = set().union(*told.values())
    check(documented == options, f"ftpsensord.8 has the program's options; they differ in {sorted(documented ^ options)}")
    for command in filter(None, told):
        check(f".It Cm {command}\n" in text, f"ftpsensord.8 explains the command {command}")


def check_rendering(source, build):
    if not has("groff"):
        return
    for macros, page in (("-mdoc", source / "share/ftpsensord.8"), ("-man", build / "config/ftpsensor.yaml.5")):
        said = run("groff", macros, "-ww", "-z", str(page))
        check(said.returncode == 0 and not said.stderr, f"groff is content with {page.name} {said.stderr}")


def complete(build, program, *words):
    """What bash offers for the last word."""
    script = f"""source {build}/share/ftpsensord
compopt() {{ :; }} # only valid while completing
COMP_WORDS=({program} {' '.join(f"'{word}'" for word in words)}) COMP_CWORD={len(words)}
_ftpsensord ftpsensord '{words[-1]}' '{(program, *words)[-2]}'
printf '%s\\n' "${{COMPREPLY[@]}}\""""
    return set(run("bash", "-euc", script).stdout.split())


def check_completion(build, program, told, keys):
    if not has("bash"):
        return
    check(complete(build, program, "") == set(filter(None, told)), "completion offers the commands")
    for command, options in told.items():
        offered = complete(build, program, *filter(None, [command]), "-")
        check(offered == options, f"completion offers the options of '{command}': {sorted(offered ^ options)}")
    offered = complete(build, program, "run", "--set", "")
    check(offered == {key + "=" for key in keys}, "completion offers every key")


def system_calls(unit):
    """What SystemCallFilter= of the unit leaves, as systemd.exec(5) reads its lines."""
    def members(name):
        if not name.startswith("@"):
            return {name}
        lines = run("systemd-analyze", "--no-pager", "syscall-filter", name).stdout.splitlines()[1:]
        return set().union(*(members(line.strip()) for line in lines if line.strip() and not line.strip().startswith("#")))

    allowed = set()
    for line in re.findall(r"^SystemCallFilter=(.*)", unit, re.M):
        of_line = set().union(*(members(name) for name in line.removeprefix("~").split()))
        allowed = allowed - of_line if line.startswith("~") else allowed | of_line
    return allowed


def check_units(build, program):
    if not has("systemd-analyze"):
        return
    with tempfile.TemporaryDirectory() as folder:
        for unit in ("ftpsensor.service", "ftpsensor@.service"):
            text = (build / "systemd" / unit).read_text()
            path = pathlib.Path(folder) / unit.replace("@", "@dmz")
            path.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={program}", text, flags=re.M))
            said = run("systemd-analyze", "verify", "--man=no", str(path))
            # Units of this machine are read as well, and complained of.
            complaints = [line for line in said.stderr.splitlines() if "ftpsensor" in line]
            check(not complaints, f"systemd-analyze verify {unit}: {complaints}")
            said = run("systemd-analyze", "security", "--no-pager", "--offline=yes", f"--threshold={EXPOSURE_MAX}", str(path))
            check({"chown", "fchown"} <= system_calls(text), f"{unit}: log.group can be set")
            check(said.returncode == 0, f"{unit} is as closed as can be: {said.stdout[-200:]}{said.stderr}")


def check_devices(source, build):
    """Ports at vfio-pci: the container is a device of its own, and the groups are root's but for the rule."""
    rule = (source / "debian/ftpsensor.udev").read_text()
    for unit in ("ftpsensor.service", "ftpsensor@.service"):
        text = (build / "systemd" / unit).read_text()
        for device in ("/dev/vfio/vfio", "char-vfio"):
            check(f"\nDeviceAllow={device} rw\n" in text, f"{unit} lets the service use {device}")
        group = re.search(r"^Group=(.*)$", text, re.M).group(1)
        check(f'\nSUBSYSTEM=="vfio", GROUP="{group}", MODE="0660"\n' in rule, f"debian/ftpsensor.udev gives the groups to {unit}")


def check_documents(source, program):
    """What the program, its pages and its configuration name as NAME.md is in the package, and what debian/docs lists is there."""
    listed = (source / "debian/docs").read_text().split()
    for path in listed:
        check((source / path).is_file(), f"debian/docs lists {path}, which is not there")
    told = [(source / "share/ftpsensord.8").read_text(), (source / "config/ftpsensor.yaml").read_text(),
            *(run(program, command, "--help").stdout for command in ("run", "check", "stats", "read"))]
    named = set(re.findall(r"[\w./-]+\.md\b", "\n".join(told)))
    check(named, "the program's texts name a document")
    packaged = {pathlib.Path(path).name for path in listed}
    check(named <= packaged, f"documents are named as /usr/share/doc/ftpsensor has them; it has no {sorted(named - packaged)}")
    rules = (source / "debian/rules").read_text()
    check("dh_compress -X.md" in rules, "documents keep their names: debhelper compresses what is long")


def check_debian(source):
    control = (source / "debian/control").read_text()
    needed = set(re.findall(r"^ ([a-z0-9.+-]+)", re.search(r"^Build-Depends:\n(.*?)\n\S", control, re.M | re.S).group(1), re.M))
    listed = set(re.search(r"^readonly build_packages=\((.*?)\)", (source / "dev").read_text(), re.M | re.S).group(1).split())
    # The first are in every Debian that builds packages, or for the tests; the others for the package alone.
    listed -= {"g++", "ninja-build", "catch2"}
    needed -= {"debhelper-compat", "systemd-dev"}
    check(needed == listed, f"debian/control and ./dev build with the same packages; they differ in {sorted(needed ^ listed)}")
    version = re.search(r"^  version: '(.*)'", (source / "meson.build").read_text(), re.M).group(1)
    changelog = (source / "debian/changelog").read_text()
    check(changelog.startswith(f"ftpsensor ({version}-"), "debian/changelog begins with the version of meson.build")


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    source, build, program = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    told = commands_and_options(program)
    keys = run(build / "config/write_docs", "keys").stdout.split()
    check_manual(source, told)
    check_rendering(source, build)
    check_completion(build, str(program), told, keys)
    check_units(build, program)
    check_devices(source, build)
    check_documents(source, program)
    check_debian(source)
    sys.exit(1 if failures else 0)


main()
