#!/usr/bin/env python3
"""What must not get slower, counted: the instructions of fixed work, held against bench/instructions.json.

usage: instructions.py [--renew | --show] BUILD_DIR

Runs BUILD_DIR/bench/instruction_counts under valgrind's callgrind, some five seconds. --renew writes what it counted
into instructions.json, for this compiler (`./dev bench --baseline`); --show only prints it, from any build. Else the
exit status is 0 where all is within 5 % of the file, 1 where it is not, also where it has become less (what is gained
must not be lost again unseen: renew), and 77, skipped, where there is nothing to compare with.

How it counts. Callgrind collects only below ftpsensor_counted(), which instruction_counts calls once a case, and writes
a profile each time that it is left. Of a profile we add up the self cost of functions in our own binary, which has all
of core/ and what the compiler inlined from headers. The shared libraries are left out: libcrypto, libisal and libc
choose their code by the processor that they find, so that their counts belong to a machine and not to a commit. How often
we call into them is a second figure, held within the same bounds: an allocation or a copy more a packet shows there,
where its cost does not. Nothing in our own binary is chosen by processor (no ifunc, no cpuid; -march is the build's),
and nothing depends on time or addresses: two runs count the same.

Numbers are comparable between builds of one compiler, by its name and major version, with the options of a release for
x86-64-v2. Others are skipped, and say so; so is a compiler without numbers in the file."""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BASELINE = HERE / "instructions.json"
TOLERANCE = 0.05
# Of calls an item: what begins and ends a batch is spread over its items, and is not exact to the last call.
CALLS_SLACK = 0.02
OPTIONS = {"buildtype": "release", "optimization": "2", "cpu": "x86-64-v2", "b_sanitize": "none", "b_lto": False}
COUNTED = "ftpsensor_counted"


def skip(why):
    print(f"note: instructions are not counted: {why}")
    sys.exit(77)


def build_options(build):
    return {o["name"]: o["value"] for o in json.loads((build / "meson-info/intro-buildoptions.json").read_text())}


def parse_profile(text, binary):
    """Instructions in functions of `binary`, and its calls of functions of other objects."""
    instructions = calls = 0
    obj = called = None
    is_call = False  # the next line is the cost of what was called
    for line in text.splitlines():
        if line.startswith("ob="):
            obj = line[3:]
        elif line.startswith("cob="):
            called = line[4:]
        elif line.startswith("calls="):
            if obj == binary and called not in (None, binary):
                calls += int(line[6:].split()[0])
            called, is_call = None, True
        elif re.match(r"[0-9+*-]", line):
            if not is_call and obj == binary:
                instructions += int(line.split()[1])
            is_call = False
    return instructions, calls


def count(program):
    """Of each case: (name, unit, instructions an item, calls of libraries an item)."""
    with tempfile.TemporaryDirectory(prefix="instructions-") as folder:
        out = pathlib.Path(folder) / "profile"
        command = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}", f"--toggle-collect={COUNTED}",
                   f"--zero-before={COUNTED}", f"--dump-after={COUNTED}", "--dump-line=no", "--compress-strings=no",
                   "--compress-pos=no", str(program)]
        # meson test makes malloc fill what it hands out: slow under valgrind, and none of ours.
        child = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "MALLOC_PERTURB_": "0"})
        if child.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit status {child.returncode}\n{child.stderr}")
        cases = []
        for number, line in enumerate(child.stdout.splitlines(), 1):
            items, unit, name = line.split("\t")
            instructions, calls = parse_profile(out.with_name(f"profile.{number}").read_text(), str(program))
            if instructions == 0:
                sys.exit(f"{name}: no instructions were counted: is {COUNTED} still called?")
            cases.append((name, unit, instructions / int(items), calls / int(items)))
        return cases


def verdict(name, unit, now, before):
    """An empty string where it is within the bounds."""
    if before is None:
        return "not in the file"
    for what, figure, slack in (("instructions", "instructions", 0), ("calls of libraries", "library_calls", CALLS_SLACK)):
        was, limit = before[figure], before[figure] * TOLERANCE + slack
        change = (now[figure] - was) / was * 100 if was else float("inf")
        if now[figure] > was + limit:
            return f"{change:+.1f} % {what} a {unit}"
        if now[figure] < was - limit:
            return f"{change:+.1f} % {what} a {unit}: less; renew the baseline, so that it stays so"
    return ""


def compare(cases, baseline, compiler):
    """Prints a line a case; whether all are within the bounds."""
    known = baseline.get(compiler, {}).get("cases", {})
    bad = 0
    for name, unit, instructions, calls in cases:
        before = known.get(name)
        said = verdict(name, unit, {"instructions": instructions, "library_calls": calls}, before)
        was = f"was {before['instructions']:9.1f} and {before['library_calls']:6.2f}" if before else ""
        print(f"{name:42} {instructions:9.1f} instructions, {calls:6.2f} library calls a {unit:10} {was}  {said or 'ok'}")
        bad += said != ""
    for name in known.keys() - {name for name, *_ in cases}:
        print(f"{name}: in the file, but no longer counted")
        bad += 1
    if bad:
        print(f"{bad} of {len(cases)} not within {TOLERANCE:.0%} of {BASELINE.name} for {compiler}. Where that is meant, say why in "
              "the commit and renew it: ./dev bench --baseline")
    return bad == 0


def renew(cases, baseline, compiler, options):
    baseline[compiler] = {"options": {name: options[name] for name in OPTIONS if name in options}, "cases": {
        name: {"unit": unit, "instructions": round(instructions, 1), "library_calls": round(calls, 3)}
        for name, unit, instructions, calls in cases}}
    BASELINE.write_text(json.dumps(dict(sorted(baseline.items())), indent=1) + "\n")
    print(f"{BASELINE} has these now for {compiler}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--renew", action="store_true")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("build", type=pathlib.Path, metavar="BUILD_DIR")
    arguments = parser.parse_args()
    program = arguments.build.resolve() / "bench/instruction_counts"
    options = build_options(arguments.build)
    other = [f"{name}={options[name]}" for name, value in OPTIONS.items() if options.get(name, value) != value]
    if other and not arguments.show:
        skip(f"this build is not a release as the numbers are of ({', '.join(other)})")
    if not shutil.which("valgrind"):
        skip("there is no valgrind (apt install valgrind)")
    compiler = subprocess.run([program, "--compiler"], capture_output=True, text=True, check=True).stdout.strip()
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    if compiler not in baseline and not (arguments.renew or arguments.show):
        skip(f"{BASELINE.name} has no numbers for {compiler} (./dev bench --baseline writes them)")

    cases = count(program)
    held = compare(cases, baseline, compiler) if not arguments.renew else True
    if arguments.renew:
        renew(cases, baseline, compiler, options)
        compare(cases, baseline, compiler)
    elif not held and not arguments.show:
        sys.exit(1)


if __name__ == "__main__":
    main()
