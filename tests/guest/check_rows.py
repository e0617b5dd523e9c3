#!/usr/bin/env python3
"""Runs every row program with every check on, with fork=cow and with fork=shared-tables, and asks its log again.

    cow fork=cow: no finding, live and in the log; 0 differences, live and in the log

A run is fine if no check finds anything while it runs, `log check` finds nothing in its log either, the audit has no
difference, and `log verify` none between the log and the RAM at the end. Whether the rows pass is tests/guest/run_rows.py's
business. Status 0 if all runs are fine.
"""
import argparse
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys
import tempfile

WAYS = ("cow", "shared-tables")
LIVE = re.compile(r"^check: (\d+) findings?: (.*)$", re.MULTILINE)
AUDIT = re.compile(r"^audit: .* (\d+) differences", re.MULTILINE)


def log_verb(options, verb, *arguments):
    done = subprocess.run([options.forkscope, "log", verb, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=options.timeout, check=False)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace").strip()


def try_run(options, program, way):
    """What is wrong with this run, in words; empty if nothing is."""
    wrong = []
    with tempfile.TemporaryDirectory() as directory:
        log, ram = (str(pathlib.Path(directory) / name) for name in ("run.mmu", "run.ram"))
        try:
            done = subprocess.run(
                [options.forkscope, "run", "-nographic", "-kernel", options.kernel, "-initrd", options.initrd,
                 "-append", f"quiet fork={way} init=/bin/{program}_rows", "--check", "all", "--audit",
                 "--record", log, "--save-ram", ram],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=options.timeout, check=False)
        except subprocess.TimeoutExpired:
            return [f"no end after {options.timeout:g} s"]
        said = done.stderr.decode(errors="replace")
        live, audit = LIVE.search(said), AUDIT.search(said)
        if not live or live[1] != "0":
            wrong.append("live: " + (said.splitlines() or ["nothing was said"])[0])
        if not audit or audit[1] != "0":
            wrong.append("the audit: " + (audit[0] if audit else "none"))
        status, shown, error = log_verb(options, "check", "--json", log)
        if status != 0:
            wrong.append("log check: " + next((f["text"] for f in json.loads(shown)["findings"]), error) if shown else error)
        status, shown, error = log_verb(options, "verify", log, "--ram", ram)
        if status != 0:
            wrong.append(f"log verify: {error or shown.strip()}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--timeout", type=float, default=280, help="seconds that one run may take")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help="only these, as `cow`")
    options = parser.parse_args()
    options.forkscope = options.build / "forkscope"
    options.kernel = options.build / "guest" / "kernel.elf"
    options.initrd = options.build / "tests" / "guest" / "rows.cpio"
    known = sorted(path.name[:-5] for path in (options.build / "tests" / "guest").glob("*_rows") if path.is_file())
    for program in options.programs:
        if program not in known:
            parser.error(f"no row program is called {program}; there are {', '.join(known)}")
    runs = [(program, way) for program in options.programs or known for way in WAYS]
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for (program, way), wrong in zip(runs, pool.map(lambda run: try_run(options, *run), runs)):
            bad += bool(wrong)
            print(f"{program} fork={way}: " + ("; ".join(wrong) if wrong else
                                               "no finding, live and in the log; 0 differences, live and in the log"), flush=True)
    print(f"{len(runs)} runs, {bad} with something wrong")
    return 1 if bad or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
