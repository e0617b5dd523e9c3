"""What a log costs: rows of `tools/bench --log`.

A fork storm is recorded, and the queries that go through all of a log are asked about it; the time is what the program
computed (user and system). `log_bench` writes and reads a stream that is less regular, in memory, with both threads.
"""
import json
import pathlib
import resource
import statistics
import subprocess
import tempfile

# name: what it is, unit, the goal, and whether more is better.
ROWS = {
    "stats": ("events of `log stats`, proof included", "M/s", 5, True),
    "forks": ("events of `log forks`", "M/s", 5, True),
    "storm bytes": ("of the recorded fork storm on disk", "bytes/event", 8, False),
    "write": ("events written, mixed stream", "M/s", None, True),
    "read": ("events read, mixed stream", "M/s", 5, True),
    "mixed bytes": ("of the mixed stream on disk", "bytes/event", 8, False),
}


def cpu_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def of_fork_storm(record, forkscope, rounds, progress):
    """`record` is the command that records it, but for the file. {row: values by round}"""
    with tempfile.TemporaryDirectory(prefix="forkscope-bench-") as scratch:
        log = pathlib.Path(scratch) / "storm.mmu"
        progress("recording")
        subprocess.run([*record, "--record", str(log)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        info = subprocess.run([forkscope, "log", "info", "--json", log], stdout=subprocess.PIPE, check=True)
        events = json.loads(info.stdout)["events"]
        values = {"stats": [], "forks": [], "storm bytes": [log.stat().st_size / events]}
        for number in range(rounds):
            for verb in ("stats", "forks"):
                progress(f"round {number + 1} of {rounds}: log {verb}")
                values[verb].append(events / cpu_seconds([forkscope, "log", verb, log]) / 1e6)
    return values


def of_mixed_stream(log_bench, rounds, progress):
    progress("log_bench")
    done = subprocess.run([log_bench, "--benchmark_format=json", "--benchmark_filter=^(Write|ReadAll)",
                           f"--benchmark_repetitions={rounds}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    values = {"write": [], "read": [], "mixed bytes": []}
    for one in json.loads(done.stdout)["benchmarks"]:
        if one["run_type"] != "iteration":
            continue
        values["write" if one["name"].startswith("Write") else "read"].append(one["items_per_second"] / 1e6)
        values["mixed bytes"].append(one["bytes/event"])
    return values


def summarize(values):
    """{row: {"median", "low", "high", "unit", "goal", "missed"}}"""
    rows = {}
    for name, (_, unit, goal, more) in ROWS.items():
        if not values.get(name):
            continue
        median = statistics.median(values[name])
        missed = goal is not None and (median < goal if more else median > goal)
        rows[name] = {"median": median, "low": min(values[name]), "high": max(values[name]), "unit": unit, "goal": goal,
                      "missed": missed}
    return rows


def print_rows(rows):
    for name, row in rows.items():
        goal = "" if row["goal"] is None else f"{'!' if row['missed'] else ' '}{'>=' if ROWS[name][3] else '<='}{row['goal']}"
        print(f"{name:12}{row['median']:8.2f} {row['unit']:12} ({row['low']:.2f}..{row['high']:.2f}) {goal:6} {ROWS[name][0]}")
