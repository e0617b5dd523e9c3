#!/usr/bin/env python3
"""Runs an image of facts and compares each line with the one beside the fact; see README.md."""
import argparse
import re
import struct
import subprocess
import sys



class Fact:
    def __init__(self, name, expected):
        self.name, self.expected = name, expected
        self.qemu = self.known = None
        self.for_qemu = True


def section(image, wanted):
    """The bytes of one section of an ELF64 file."""
    with open(image, "rb") as file:
        data = file.read()
    table, = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    headers = [struct.unpack_from("<IIQQQQIIQQ", data, table + i * size) for i in range(count)]
    text = headers[names][4]
    for header in headers:
        start = text + header[0]
        if data[start:data.index(b"\0", start)].decode() == wanted:
            return data[header[4]:header[4] + header[5]]
    raise SystemExit(f"{image}: no section {wanted}: not an image of facts")


def read_facts(image):
    facts = []
    for record in section(image, ".facts").decode().split("\0"):
        if not record:
            continue
        first, second = record[1:].split("\t", 1)
        if record[0] == "F":
            facts.append(Fact(first, second))
        elif record[0] in "qk":
            line, why = second.split("\t")
            fact, = (fact for fact in facts if fact.name == first)
            setattr(fact, {"q": "qemu", "k": "known"}[record[0]], (line, why))
        elif record[0] == "N":
            facts[-1].for_qemu = False
        elif record[0] == "Q":
            facts[-1].qemu = (first, second)
        else:
            facts[-1].known = (first, second)
    names = [fact.name for fact in facts]
    assert len(set(names)) == len(names), f"{image}: a name twice: {[n for n in names if names.count(n) > 1]}"
    return facts


def lines_of(output):
    """name -> what was said, from the serial port's bytes; and the name that was last begun."""
    said = {}
    last = None
    for line in output.decode(errors="replace").replace("\r", "").split("\n"):
        match = re.match(r"([\w.-]+):(.*)", line)
        if match:
            last = match[1]
            said[last] = match[2].strip() or "ok"
    return said, last


def command_of(args):
    if args.qemu:
        model = {"amd": "EPYC", "intel": "Broadwell-noTSX"}[args.cpu]
        # By counted instructions, so that timers do not depend on the load of the host.
        return [args.qemu, "-accel", "tcg", "-icount", "shift=3,sleep=off", "-M", "pc", "-cpu", model, "-m", "64",
                "-kernel", args.image, "-append", "qemu", "-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=1"]
    return [args.forkscope, "run", "-cpu", args.cpu, "-m", "64M", "-kernel", args.image, "--audit"]


def run(args):
    """What was said, how it ended, and the other stream."""
    try:
        done = subprocess.run(command_of(args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=args.timeout, check=False)
        output, errors, status = done.stdout, done.stderr.decode(errors="replace"), done.returncode
    except subprocess.TimeoutExpired as late:
        output, errors, status = late.stdout or b"", "", None
    said, last = lines_of(output)
    shut_down = status == (0 if args.qemu else 3)
    if shut_down and last is not None:
        said[last] = (said[last] + " shutdown").removeprefix("ok ")
    complaint = None
    if status is None:
        complaint = f"no end after {args.timeout:g} seconds; last fact: {last}"
    elif not shut_down and status != 1:
        complaint = f"status {status} after {last}: {errors}"
    elif not args.qemu and not re.search(r"audit: .* 0 differences", errors):
        complaint = f"no clean audit: {errors}"
    return said, complaint


def judge(fact, line, qemu):
    """None, or what is wrong."""
    if qemu and not fact.for_qemu:
        return None
    other = fact.qemu if qemu else fact.known
    if other is not None:
        if line == fact.expected:
            return f"{fact.name}: as the manual says; the mark ({other[0]}) is no longer needed"
        if line != other[0]:
            return f"{fact.name}: {line}\n  expected:  {fact.expected}\n  or, known: {other[0]} ({other[1]})"
        print(f"{fact.name}: {line}; the manual says {fact.expected}: {other[1]}")
        return None
    if line != fact.expected:
        return f"{fact.name}: {line}\n  expected: {fact.expected}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forkscope", help="the program to run")
    parser.add_argument("--qemu", help="qemu-system-x86_64 to run instead")
    parser.add_argument("--timeout", type=float, default=120, help="seconds; sanitizers are slow")
    parser.add_argument("--cpu", default="amd", choices=("amd", "intel"))
    parser.add_argument("image")
    args = parser.parse_args()
    facts = read_facts(args.image)
    said, complaint = run(args)
    missing = [fact.name for fact in facts if fact.name not in said]
    wrong = [text for fact in facts if fact.name in said and (text := judge(fact, said.pop(fact.name), args.qemu))]
    wrong += [f"{name}: a line of no fact: {line}" for name, line in said.items()]
    if missing:
        wrong.append(f"{len(missing)} facts said nothing; the first is {missing[0]}")
    if complaint:
        wrong.append(complaint)
    for text in wrong:
        print(text)
    marked = sum((fact.qemu if args.qemu else fact.known) is not None for fact in facts)
    print(f"{len(facts)} facts: {len(wrong)} wrong, {marked} known to be otherwise {'in QEMU' if args.qemu else 'here'}")
    return 1 if wrong or not facts else 0


if __name__ == "__main__":
    sys.exit(main())
