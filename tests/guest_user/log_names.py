#!/usr/bin/env python3
"""Every process of a session is in the log, with its name, its parent and its end. Status 0: all are."""
import json
import os
import subprocess
import sys
import tempfile

import machine

# Each program of a session, and who started it.
SCRIPT = """
ls /bin | sort | head -n 2 >/dev/null
sleep 0.1 & wait
echo $(awk 'BEGIN {print 1}') >/dev/null
find /etc -type f | xargs md5sum >/dev/null
(exit 7)
pthreads >/dev/null
vforkdemo >/dev/null
sh -c 'kill -9 $$'
"""
STARTED_BY_SHELL = ("ls", "sort", "head", "sleep", "awk", "find", "xargs", "pthreads", "vforkdemo")
THREADS = 8


def ask(options, verb, record, *arguments):
    command = [options.program, "log", verb, "--json", "--limit", "0", *arguments, record]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def side(fork, which):
    return fork[which] or {"name": "", "task": 0, "exit": None}


def problems(options, record):
    forks = ask(options, "forks", record)["forks"]
    actors = {actor["who"] for actor in ask(options, "stats", record)["actors"]}
    pairs = {(side(fork, "parent")["name"], side(fork, "child")["name"]) for fork in forks}
    # The name at the time of the fork is the shell's; what it became is what the log calls it elsewhere.
    tasks = {side(fork, "child")["task"]: fork for fork in forks if fork["child"]}
    for name in STARTED_BY_SHELL:
        made = [fork for task, fork in tasks.items() if f"{name}[{task}]" in actors]
        if not made:
            yield f"{name} is not in the log"
        elif side(made[0], "parent")["name"] != "sh":
            yield f"{name} was started by {side(made[0], 'parent')['name']}"
        elif made[0]["child"]["exit"] is None:
            yield f"the log does not tell how {name} ended"
    if not any(parent == "xargs" for parent, _ in pairs) or not any(a.startswith("md5sum[") for a in actors):
        yield "md5sum, which xargs started, is not in the log"
    threads = [fork for fork in forks if fork["call"] == "thread"]
    if len(threads) < THREADS or any(fork["parent"]["name"] != "pthreads" for fork in threads):
        yield f"{len(threads)} threads of pthreads are in the log"
    endings = {fork["child"]["exit"]["text"] for fork in tasks.values() if fork["child"]["exit"]}
    for wanted in ("exit 7", "killed by SIGKILL"):
        if wanted not in endings:
            yield f"no process is told to end with `{wanted}`: {sorted(endings)}"
    if not any(fork["call"] == "vfork" for fork in forks):
        yield "no vfork is in the log"
    for task, fork in tasks.items():
        if not fork["child"]["name"]:
            yield f"task {task} has no name"


def main():
    options = machine.parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        record = os.path.join(folder, "session.mmu")
        command = machine.command(options, "init=/bin/init -- /bin/sh") + ["--record", record, "--audit"]
        done = subprocess.run(command, input=SCRIPT.replace("\n", "\r") + "exit\r", text=True, capture_output=True,
                              timeout=options.timeout, check=False)
        found = list(problems(options, record))
    if found:
        print(done.stdout, *found, sep="\n")
        return 1
    print("every process is in the log with its name")
    return 0


if __name__ == "__main__":
    sys.exit(main())
