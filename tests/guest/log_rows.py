#!/usr/bin/env python3
"""Rows that the recorded log shows: the host saw them, whatever the guest says. Lines as the row programs print them."""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import traceback

TABLES = 4  # of the region that shared_tables_rows forks with, in last-level tables
PAGES_IN_TABLE = 512
DEMO = "init=/bin/forkscope-demo -- -q"
REGION = "init=/bin/shared_tables_rows -- fork_takes_no_table_for_what_is_shared"
FRAME_ANONYMOUS = 1  # abi::FrameUse


class Log:
    """One recorded run, and what `forkscope log` says about it."""

    def __init__(self, options, directory, append):
        self.forkscope = options.forkscope
        self.path = pathlib.Path(directory) / "rows.mmu"
        done = subprocess.run(
            [self.forkscope, "run", "-nographic", "-m", "256M", "-kernel", options.kernel, "-initrd", options.initrd,
             "-append", append, "--record", self.path, "--audit"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=options.timeout,
            check=False)
        output = done.stdout.decode(errors="replace")
        check(done.returncode == 0, f"status {done.returncode}: {output[-500:]}")
        check(", 0 differences" in output, output[-500:])

    def ask(self, verb, *arguments):
        done = subprocess.run([self.forkscope, "log", verb, "--json", *arguments[:-1], self.path, *arguments[-1:]]
                              if verb == "story" else [self.forkscope, "log", verb, "--json", *arguments, self.path],
                              stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)

    def forks(self, call):
        found = [f for f in self.ask("forks")["forks"] if f["call"] == call and f["error"] is None and f["result"] > 1]
        check(found, f"no {call} in the log")
        return found

    def breaks(self, outcome):
        """The write faults on shared pages of all forks, with that outcome."""
        found = []
        for fork in self.forks("fork"):
            found += [b for b in self.ask("story", "--limit", "0", str(fork["fork"]))["breaks"]
                      if b["outcome"] == outcome]
        check(found, f"no {outcome} in the log")
        return found

    def frames_allocated(self, begin, end):
        """Uses of the frames that the guest allocates between two events."""
        shown = self.ask("show", "--limit", "0", "--kind", "announce", "--from", str(begin["icount"]),
                         "--to", str(end["icount"]))["events"]
        return [int(e["words"][1], 16) for e in shown if e["announcement"] == "frame-alloc"
                and begin["event"] < e["event"] < end["event"]]


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def vfork_writes_no_entry(log):
    for fork in log.forks("vfork"):
        written = fork["write_protected"] + fork["tables_protected"] + fork["other_writes"] + fork["tables_allocated"]
        check(written == 0, f"vfork {fork['fork']} wrote {written} entries")
        writes = log.ask("show", "--limit", "0", "--kind", "pte-write", "--from", str(fork["begin"]["icount"]),
                         "--to", str(fork["end"]["icount"]))["events"]
        check(not writes, f"{len(writes)} page-table writes in vfork {fork['fork']}")


def fork_protects_both_sides(log):
    for fork in log.forks("fork"):
        check(fork["write_protected"] > 0, "nothing was write-protected")
        check(fork["child_seen"] and fork["entries_copied"] >= fork["parent"]["shared_pages"], "entries are missing")
        check(fork["entries_left_writable"] == 0, "the child can write to shared frames")
        check(fork["entries_copied_read_only"] >= fork["child"]["shared_pages"] > 0, "the child's entries")
        uses = log.frames_allocated(fork["begin"], fork["end"])
        check(FRAME_ANONYMOUS not in uses, "fork allocated a page of memory")


def a_copy_is_one_chain(log):
    for b in log.breaks("copy"):
        check(b["error_code"] & 3 == 3, f"error code {b['error_code']}")
        check(b["old_frame"] != b["new_frame"] and int(b["new_entry"], 16) & 2 != 0, "no new writable frame")
        check(b["invalidation"] is not None and b["resolved"] is not None, f"no flush or no end at {b['va']}")
        order = [b["fault"], b["upgrade"], b["invalidation"]["when"], b["resolved"]]
        check(all(x["event"] < y["event"] for x, y in zip(order, order[1:])), f"out of order at {b['va']}")
        if b["invalidation"]["how"] == "INVLPG":
            check(int(b["invalidation"]["va"], 16) >> 12 == int(b["va"], 16) >> 12, "another page was flushed")


def a_reuse_takes_no_frame(log):
    for b in log.breaks("reuse"):
        check(b["old_frame"] == b["new_frame"], "another frame")
        check(int(b["old_entry"], 16) & 2 == 0 and int(b["new_entry"], 16) & 2 != 0, "W did not become 1")
        check(not log.frames_allocated(b["fault"], b["resolved"]), "a frame was allocated")


def no_stale_entry_can_be_used(log):
    for fork in log.ask("forks")["forks"]:
        check(fork["unflushed"] == 0, f"fork {fork['fork']}: {fork['unflushed']} entries without a flush")
    for b in log.breaks("copy"):
        check(b["invalidation"]["when"]["icount"] <= b["resolved"]["icount"], "flushed too late")
    findings = log.ask("show", "--limit", "0", "--kind", "finding")["events"]
    check(not findings, f"the stale-TLB check found {len(findings)}")


def biggest_fork(log):
    return max(log.forks("fork"), key=lambda f: f["write_protected"] + PAGES_IN_TABLE * f["tables_protected"])


def tables_are_shared(log):
    fork = biggest_fork(log)
    check(fork["tables_protected"] >= TABLES, f"{fork['tables_protected']} tables protected")
    check(fork["tables_shared"] >= TABLES, f"{fork['tables_shared']} tables shared")
    check(fork["write_protected"] < PAGES_IN_TABLE, f"{fork['write_protected']} entries written all the same")


def entries_are_copied(log):
    fork = biggest_fork(log)
    check(fork["tables_protected"] == 0 and fork["tables_shared"] == 0, "tables were shared")
    check(fork["write_protected"] >= TABLES * PAGES_IN_TABLE, f"{fork['write_protected']} entries protected")


SHARED = "fork=shared-tables "
CHECKS = [
    (DEMO, [("V1", vfork_writes_no_entry), ("W1", fork_protects_both_sides), ("W2", a_copy_is_one_chain),
            ("W3", a_reuse_takes_no_frame), ("W8", no_stale_entry_can_be_used)]),
    (SHARED + DEMO, [("V1,W9", vfork_writes_no_entry), ("W2,W9", a_copy_is_one_chain),
                     ("W3,W9", a_reuse_takes_no_frame), ("W8,W9", no_stale_entry_can_be_used)]),
    (SHARED + REGION, [("W9", tables_are_shared), ("W8,W9", no_stale_entry_can_be_used)]),
    (REGION, [("W9", entries_are_copied)]),
]


def run_checks(options):
    """Yields (rows, name, whether it passed, why not)."""
    for append, checks in CHECKS:
        with tempfile.TemporaryDirectory(prefix="forkscope-rows-") as directory:
            suffix = "@shared-tables" if append.startswith(SHARED) else ""
            try:
                log = Log(options, directory, append)
            except (AssertionError, OSError, subprocess.SubprocessError) as error:
                for rows, test in checks:
                    yield rows, test.__name__ + suffix, False, str(error)
                continue
            for rows, test in checks:
                why = ""
                try:
                    test(log)
                except AssertionError as error:
                    why = str(error)
                except Exception:  # a broken answer is a failure, too
                    why = traceback.format_exc()
                yield rows, test.__name__ + suffix, not why, why


def add_arguments(parser):
    parser.add_argument("--forkscope", required=True)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--initrd", required=True, help="with the row programs in it")
    parser.add_argument("--timeout", type=float, default=280, help="seconds that one run may take")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    failed = 0
    for rows, name, passed, why in run_checks(parser.parse_args()):
        if why:
            print(f"  {why}")
            failed += 1
        print(f"{'pass' if passed else 'FAIL'} {rows} {name}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
