#!/usr/bin/env python3
"""Boots the kernel with an initramfs, prints its serial output, and exits with what init returned.

Exit status: init's; 124 when the machine did not stop in time; 125 when it stopped without saying how, or when
Forkscope's audit of the page tables found a difference, or one of its checks a mistake.
"""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "guest_user"))
import machine  # noqa: E402

TIMED_OUT = 124
NO_STATUS = 125
BANNER = b"Memory: "  # the kernel's first lines
NO_FINDING = b"\ncheck: 0 findings: "
CLEAN_AUDIT = re.compile(rb"^audit: \d+ entries under \d+ roots?, 0 differences", re.MULTILINE)


def main():
    parser = machine.parser(__doc__.splitlines()[0])
    parser.add_argument("--append", default="", help="the kernel's command line")
    options = parser.parse_args()
    command = machine.command(options, options.append)
    audited = options.platform == "forkscope"
    if audited:
        command += ["--audit", "--check", "all"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=options.timeout, check=False)
    except subprocess.TimeoutExpired as late:
        sys.stdout.buffer.write(late.stdout or b"")
        print(f"\nno end after {options.timeout} s")
        return TIMED_OUT
    sys.stdout.buffer.write(done.stdout.replace(b"\r\n", b"\n"))
    sys.stdout.flush()
    # The emulator's own failures end with the status that stands for init's 0.
    if BANNER not in done.stdout:
        print("the kernel did not start")
        return NO_STATUS
    if audited and not CLEAN_AUDIT.search(done.stdout):
        print("no clean audit")
        return NO_STATUS
    if audited and NO_FINDING not in done.stdout.replace(b"\r\n", b"\n"):
        print("a check found something")
        return NO_STATUS
    status = machine.exit_status(options, done.returncode)
    return NO_STATUS if status is None else status


if __name__ == "__main__":
    sys.exit(main())
