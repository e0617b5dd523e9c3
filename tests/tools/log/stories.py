#!/usr/bin/env python3
"""The stories of the demonstrations, as the log tells them, against what is kept of them and what the guest counted.

golden/demonstrations.txt holds, for each demonstration, the command that makes its log and a line a fork: who called what,
how many entries were made read-only and copied, how many first writes were copied or given back, and how the child ended.
After a wanted change: `stories.py ... --show` prints what it should hold now.

Then a shell runs a demonstration and prints the kernel's own counters (/proc/vmstat): the faults that the log saw up to that
moment must be as many.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

GOLDEN = pathlib.Path(__file__).resolve().parent / "golden" / "demonstrations.txt"
# The arguments make every write of a child come before or after the others' by waiting, not by the clock.
DEMONSTRATIONS = {
    "forkscope-demo": "init=/bin/forkscope-demo -- -q",
    "forkdemo": "init=/bin/forkdemo",
    "vforkdemo": "init=/bin/vforkdemo",
    "clonedemo": "init=/bin/clonedemo",
    "pthreads": "init=/bin/pthreads -- 3 10",
    "cowstorm": "init=/bin/cowstorm -- 16 2 1",
    "shared tables": "fork=shared-tables init=/bin/forkscope-demo -- -q",
}
COUNTED = 'init=/bin/sh -- -c "mount -t proc proc /proc; cowstorm 64 4 2; forkdemo; cat /proc/vmstat"'


class Failure(Exception):
    pass


def check(condition, message):
    if not condition:
        raise Failure(message)


class Log:
    """One recorded run."""

    def __init__(self, options, path, append):
        self.forkscope, self.path = options.forkscope, path
        done = subprocess.run(
            [self.forkscope, "run", "-nographic", "-kernel", options.kernel, "-initrd", options.initrd, "-append", append,
             "--record", path, "--audit"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=options.timeout, check=False)
        self.output = done.stdout.decode(errors="replace").replace("\r\n", "\n")
        check(done.returncode == 0, f"{append}: status {done.returncode}: {self.output[-500:]}")
        check(", 0 differences" in self.output, f"{append}: {self.output[-500:]}")

    def ask(self, verb, *arguments):
        done = subprocess.run([self.forkscope, "log", verb, self.path, "--json", "--limit", "0", *arguments],
                              stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)


def side_text(side):
    """Copies and reuses; which of the two a write becomes can depend on who runs first, their sum cannot."""
    return f"{side['copies'] + side['reuses']} of {side['shared_pages']} written"


def fork_text(fork):
    parent, child = fork["parent"], fork["child"]
    end = child["exit"]["text"] if child["exit"] else "alive"
    text = f"{parent['name']} {fork['call']} {fork['flags_text']}: "
    if "CLONE_VM" in fork["flags_text"]:
        text += f"{fork['write_protected'] + fork['other_writes']} page-table writes, {fork['entries_copied']} copied"
    else:
        text += (f"{fork['write_protected'] + fork['tables_protected']} made read-only, {fork['tables_allocated']} tables, "
                 f"parent {side_text(parent)}, child {side_text(child)}")
    check(not fork["notes"], f"{text}: {fork['notes']}")
    check(not fork["unflushed"], f"{text}: {fork['unflushed']} entries unflushed")
    return f"{text}; {end}"


def story(options, directory, name, append):
    path = pathlib.Path(directory) / "story.mmu"
    log = Log(options, path, append)
    lines = [f"[{name}]", f"forkscope run -append \"{append}\" --record F.mmu; forkscope log forks --json F.mmu"]
    # The first is the kernel's own: it makes init.
    lines += [fork_text(fork) for fork in log.ask("forks")["forks"][1:]]
    return lines


def first_read(log):
    """When the last `cat` got the kernel's counters."""
    reads = [c for c in log.ask("syscalls", "--task", "cat")["syscalls"]
             if c["call"] in ("read", "sendfile") and (c["result"] or 0) > 200]
    check(reads, "cat read nothing")
    return reads[0]["icount"]


def page_of(address):
    return int(address, 16) >> 12


def broken(fault):
    """Task, page and frame of a write after which its page was the task's own."""
    return fault["task"], page_of(fault["va"]), page_of(fault["resolved"]["leaf"]) & (1 << 40) - 1


def announced_breaks(log, moment):
    """The same as the kernel tells it, and whether it copied."""
    events = log.ask("show", "--kind", "announce", "--to", str(moment))["events"]
    words = [e["words"] for e in events if e["announcement"] == "cow-break"]
    return [((int(w[0], 16), page_of(w[1]), page_of(w[3])), w[2] != w[3]) for w in words]


def counters_agree(options, directory):
    log = Log(options, pathlib.Path(directory) / "counted.mmu", COUNTED)
    counters = dict(re.findall(r"^(\w+) (\d+)$", log.output, re.MULTILINE))
    moment = first_read(log)
    faults = [f for f in log.ask("faults", "--to", str(moment))["faults"] if f["resolved"]]
    breaks = announced_breaks(log, moment)
    for copies, counter in ((True, "cow_copies"), (False, "cow_reuses")):
        told = sum(copied == copies for _, copied in breaks)
        check(told == int(counters[counter]), f"{told} breaks are announced, {counter} is {counters[counter]}")
    # The kernel counts the first write to a page of a file, where nothing was mapped yet, as a copy, too.
    seen = [(broken(f), f) for f in faults if f["access"] == "write"]
    for place, copied in breaks:
        ends = ("copied", "mapped") if copied else ("made-usable",)
        found = next((s for s in seen if s[0] == place and s[1]["end"] in ends), None)
        check(found, f"a break is announced that the host has not seen: {place}, {ends[0]}")
        seen.remove(found)
    for place, fault in seen:
        check(fault["refusal"] != "read-only", f"{place}: {fault['end']}, and not announced")
    # A child that runs no other program writes to no other pages than those that it shares with its parent.
    told = 0
    for fork in log.ask("forks")["forks"]:
        child = fork["child"]
        if fork["call"] != "fork" or child["exec"] or not child["exit"]:
            continue
        mine = [f for f in faults if f["task"] == child["task"] and f["refusal"] == "read-only"]
        for end, count in (("copied", child["copies"]), ("made-usable", child["reuses"])):
            seen = sum(f["end"] == end for f in mine)
            check(seen == count, f"fork {fork['fork']}: {count} told, {seen} faults were {end}")
        told += child["copies"] + child["reuses"]
    check(told > 100, f"only {told} first writes of children")
    print(f"the kernel counted {counters['cow_copies']} copies and {counters['cow_reuses']} reuses, and so did the log; "
          f"{told} of them are told fork by fork")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--forkscope", required=True)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--initrd", required=True)
    parser.add_argument("--timeout", type=int, default=120)
    parser.add_argument("--show", action="store_true", help="print the stories and compare nothing")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as directory:
            lines = []
            for name, append in DEMONSTRATIONS.items():
                lines += story(options, directory, name, append) + [""]
            text = "\n".join(lines)
            if options.show:
                print(text, end="")
                return 0
            kept = GOLDEN.read_text(encoding="utf-8")
            for number, (now, then) in enumerate(zip(text.splitlines(), kept.splitlines()), 1):
                check(now == then, f"{GOLDEN.name}:{number}: kept is\n  {then}\nthe log tells\n  {now}")
            check(text == kept, f"{GOLDEN.name} has {len(kept.splitlines())} lines, the logs give {len(text.splitlines())}")
            counters_agree(options, directory)
    except (Failure, subprocess.SubprocessError) as failure:
        print(f"FAIL {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
