#!/usr/bin/env python3
"""Asks a large log everything, in bounded memory.

Records a fork storm with its audit, has grow_log repeat it until there are --events events, and then: an event takes at most
8 bytes on disk, the totals are those of the small log many times over, no query takes more memory than --memory MiB, and
queries about a moment in the middle read a small part of the file.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

# What goes through the whole log.
WHOLE = ["stats", "forks", "forks --json", "tasks", "story 2", "check", "frame {frame}", "info", "syscalls -c", "faults -c",
         "diff --before-fork {fork} --after-fork {fork}", "export --to perfetto -o {output}",
         "export --to html -o {output}", "export --to sqlite --from {from_} --until {to} -o {output}",
         "export --to csv --kind finding -o {output}"]
# What is about a moment; the share of the file that it may read.
MOMENT = ["show --from {from_} --to {to}", "show --from {from_} --to {to} --json", "tree --at {from_}",
          "diff --from {from_} --to {to}", "who 0x400000 --task 1 --from {from_} --to {to}", "faults --from {from_} --to {to}",
          "syscalls --from {from_} --to {to}", "export --to csv --from {from_} --until {to} -o {output}"]
SHARE = 0.05
BYTES_AN_EVENT = 8


class Failure(Exception):
    pass


def check(condition, message):
    if not condition:
        raise Failure(message)


class Scale:
    def __init__(self, options, directory):
        self.options = options
        self.directory = pathlib.Path(directory)
        self.small, self.large = self.directory / "small.mmu", self.directory / "large.mmu"

    def record(self):
        done = subprocess.run(
            [self.options.forkscope, "run", "-nographic", "-kernel", self.options.kernel, "-initrd", self.options.initrd,
             "-append", f"init=/bin/bench -- forkstorm {self.options.rounds}", "--record", self.small, "--audit"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        check(done.returncode == 0, f"the fork storm: {done.stdout.decode(errors='replace')[-500:]}")
        self.bounded([self.options.grow_log, self.small, str(self.options.events), self.large])

    def bounded(self, command):
        """Runs it; (what it printed, bytes that it read)."""
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            counters = dict(line.split(": ") for line in pathlib.Path(f"/proc/{process.pid}/io").read_text().splitlines())
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            tail = output.read(1 << 16).decode(errors="replace")
        name = " ".join(str(word) for word in command[1:])
        check(process.returncode == 0, f"{name}: status {process.returncode}: {tail[-500:]}")
        memory = usage.ru_maxrss / 1024
        check(memory <= self.options.memory, f"{name}: took {memory:.0f} MiB of memory")
        if self.options.verbose:
            print(f"{memory:6.0f} MiB {usage.ru_utime + usage.ru_stime:7.2f} s {int(counters['rchar']):12,} bytes  {name}",
                  flush=True)
        return tail, int(counters["rchar"])

    def ask(self, path, verb):
        done = subprocess.run([self.options.forkscope, "log", verb, "--json", path], stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)

    def totals_agree(self):
        small, large = (self.ask(path, "stats") for path in (self.small, self.large))
        check(large["events"] >= self.options.events, f"{large['events']} events, {self.options.events} were asked for")
        size = self.large.stat().st_size
        check(size <= BYTES_AN_EVENT * large["events"], f"{size / large['events']:.2f} bytes an event")
        # The last repetition may be cut short, and a reset gives up tables and frames.
        times = large["announcements"]["fork-begin"] / small["announcements"]["fork-begin"]
        for what in ("kinds", "announcements"):
            for name, count in small[what].items():
                if name not in ("table-unlink", "announce", "frame-free", "frame-refs"):
                    check(int(times) * count <= large[what][name] <= (int(times) + 1) * count,
                          f"{large[what][name]} of {name}, {times:.2f} times {count} were expected")
        proof = large["completeness"]
        check(proof["complete"] and proof["audits"] >= int(times) - 1, f"the log does not prove itself: {proof}")
        check(large["damage"] == "", large["damage"])
        return large

    def ask_everything(self, stats):
        middle = stats["last_icount"] // 2
        output = self.directory / "out"
        words = {"from_": middle, "to": middle + 100000, "frame": "0x1c4000", "output": output,
                 "fork": max(2, stats["announcements"]["fork-begin"] // 2)}
        for question in WHOLE + MOMENT:
            verb, *arguments = question.format(**words).split()
            command = [self.options.forkscope, "log", verb, *arguments, self.large]
            text, read = self.bounded(command)
            check(text or output.exists(), f"{question}: no answer")
            # A log of few chunks cannot be read in small parts.
            size = self.large.stat().st_size
            if question in MOMENT:
                allowed = SHARE * size + (1 << 20)
                check(read <= allowed, f"{question}: read {read:,} bytes of a log of {size:,}")
            output.unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--forkscope", required=True)
    parser.add_argument("--grow-log", required=True)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--initrd", required=True)
    parser.add_argument("--events", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=3000, help="of the fork storm that is repeated")
    parser.add_argument("--memory", type=int, default=512, help="MiB that a query may take")
    parser.add_argument("--verbose", action="store_true", help="print what each query took")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as directory:
            scale = Scale(options, directory)
            scale.record()
            stats = scale.totals_agree()
            scale.ask_everything(stats)
            print(f"{stats['events']:,} events, {scale.large.stat().st_size / stats['events']:.2f} bytes each")
    except (Failure, subprocess.SubprocessError) as failure:
        print(f"FAIL {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
