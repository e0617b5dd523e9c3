#!/usr/bin/env python3
"""Runs all row programs on the host and in the guest, and the rows that only the log shows; one line a row.

    W1 host pass guest pass test cow/each_side_copies_what_it_writes_first

Of several tests for a row the line names one that passes on both sides, or the one that fails. A row that only this
machine can show has `host none`. Status 0 if every row has a passing test, and no test fails.
"""
import argparse
import collections
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys

import log_rows

HERE = pathlib.Path(__file__).resolve().parent
RESULT = re.compile(r"^(pass|FAIL|skip) (\S+) (\S+)")
SHARED = "fork=shared-tables"
# Also run with fork=shared-tables: what forks or changes memory.
ALSO_SHARED = ("cow", "fork", "shared_tables", "table_exit", "clone", "mm", "exec", "inject", "leak", "remap",
               "advice", "fallocate", "softdirty", "overcommit",
               "oom", "pss")

Result = collections.namedtuple("Result", "rows name host guest")


def read_rows(path):
    """[(id, title, whether the host is asked)]"""
    rows = []
    for line in path.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        word, title = line.split(maxsplit=1)
        rows.append((word.rstrip("*"), title, not word.endswith("*")))
    return rows


def lines_of(command, timeout):
    """{test name: (result, rows)} that a row program prints, and its whole output."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=timeout, check=False)
        output, status = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        output, status = late.stdout or b"", "timeout"
    text = output.decode(errors="replace").replace("\r", "")
    found = {m[3]: (m[1], m[2]) for m in map(RESULT.match, text.splitlines()) if m}
    if status != 0 and not any(result == "FAIL" for result, _ in found.values()):
        found["(the program itself)"] = ("FAIL", "-")
        text += f"\nstatus {status}\n"
    return found, text


def run_program(options, program, variant):
    """The results of one program, on the host and in the guest booted that way."""
    binary = options.build / "tests" / "guest" / f"{program}_rows"
    host, host_text = ({}, "") if variant else lines_of([binary], options.timeout)
    boot = [sys.executable, HERE / "boot.py", "--platform", options.platform, "--program", options.program,
            "--kernel", options.kernel, "--initrd", options.initrd, "--timeout", str(options.timeout),
            "--append", f"{variant} init=/bin/{program}_rows".strip()]
    guest, guest_text = lines_of(boot, options.timeout + 10)
    results = []
    for name in {**guest, **host}:
        rows = (guest.get(name) or host.get(name))[1]
        results.append(Result([] if rows == "-" else rows.split(","), f"{program}/{name}" + ("@shared-tables" if variant else ""),
                              host.get(name, ("none", ""))[0], guest.get(name, ("none", ""))[0]))
    failures = [f"--- {program} on {side}\n{text}" for side, found, text in
                (("the host", host, host_text), ("the guest", guest, guest_text))
                if any(result == "FAIL" for result, _ in found.values())]
    return results, failures


def run_all(options):
    results, failures = [], []
    programs = sorted(path.name[:-5] for path in (options.build / "tests" / "guest").glob("*_rows") if path.is_file())
    jobs = [(program, "") for program in programs] + [(p, SHARED) for p in ALSO_SHARED if p in programs]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for found, said in pool.map(lambda job: run_program(options, *job), jobs):
            results += found
            failures += said
            progress(f"{len(results)} tests have run")
    for rows, name, passed, why in log_rows.run_checks(options):
        results.append(Result(rows.split(","), f"log/{name}", "none", "pass" if passed else "FAIL"))
        if why:
            failures.append(f"--- log/{name}\n  {why}")
        progress(f"{len(results)} tests have run")
    progress("")
    return results, failures


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def judge(row, ask_host, results):
    """The line of one row: (host, guest, test, whether it is fine)."""
    tests = [result for result in results if row in result.rows]
    failing = [t for t in tests if "FAIL" in (t.host, t.guest)]
    whole = [t for t in tests if t.guest == "pass" and (t.host == "pass" or not ask_host)]
    best = (failing or sorted(whole, key=lambda t: t.host != "pass") or tests or [None])[0]
    if best is None:
        return "none", "none", "(no test names it)", False
    return best.host, best.guest, best.name, not failing and bool(whole)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--platform", choices=("forkscope", "qemu"), default="forkscope", help="what runs the guest")
    parser.add_argument("--qemu", default="qemu-system-x86_64")
    parser.add_argument("--timeout", type=float, default=280, help="seconds that one run may take")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--json", action="store_true", help="all tests of all rows as JSON")
    options = parser.parse_args()
    options.forkscope = options.build / "forkscope"
    options.program = options.forkscope if options.platform == "forkscope" else options.qemu
    options.kernel = options.build / "guest" / "kernel.elf"
    options.initrd = options.build / "tests" / "guest" / "rows.cpio"

    results, failures = run_all(options)
    rows = read_rows(HERE / "rows.txt")
    known = {row for row, _, _ in rows}
    report, fine = [], not failures
    for row, title, ask_host in rows:
        host, guest, test, good = judge(row, ask_host, results)
        fine = fine and good
        report.append({"row": row, "title": title, "host": host, "guest": guest, "test": test, "fine": good,
                       "tests": [r._asdict() for r in results if row in r.rows]})
    strangers = sorted({row for result in results for row in result.rows} - known)
    if options.json:
        print(json.dumps({"rows": report, "unknown_rows": strangers, "fine": fine and not strangers}, indent=1))
    else:
        for line in report:
            print(f"{line['row']} host {line['host']} guest {line['guest']} test {line['test']}"
                  + ("" if line["fine"] else "   <-- " + ("fails" if "FAIL" in (line["host"], line["guest"]) else "not proved")))
    for text in failures:
        print(text, file=sys.stderr)
    if strangers:
        print(f"rows that rows.txt does not have: {', '.join(strangers)}", file=sys.stderr)
    return 0 if fine and not strangers else 1


if __name__ == "__main__":
    sys.exit(main())
