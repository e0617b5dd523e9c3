#!/usr/bin/env python3
"""Boots a kernel with an initramfs under QEMU, prints its serial output, and exits with what init returned.

Exit status: init's; 124 when the machine did not stop in time; 125 when it stopped without saying how.
"""
import argparse
import subprocess
import sys

TIMED_OUT = 124
NO_STATUS = 125
BANNER = b"Booting from ROM"  # the firmware, when it starts the kernel


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--qemu", required=True)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--initrd", required=True)
    parser.add_argument("--append", default="")
    parser.add_argument("--memory", default="256M")
    parser.add_argument("--timeout", type=float, default=240, help="seconds")
    args = parser.parse_args()
    command = [
        args.qemu, "-M", "pc", "-accel", "tcg", "-m", args.memory, "-kernel", args.kernel, "-initrd", args.initrd,
        "-append", args.append, "-nographic", "-no-reboot", "-net", "none",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
    ]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=args.timeout, check=False)
    except subprocess.TimeoutExpired as late:
        sys.stdout.buffer.write(late.stdout or b"")
        print(f"\nno end after {args.timeout} s")
        return TIMED_OUT
    sys.stdout.buffer.write(done.stdout.replace(b"\r\n", b"\n"))
    # QEMU's own failures end with the status that stands for init's 0.
    if BANNER not in done.stdout:
        print("the kernel did not start")
        return NO_STATUS
    # isa-debug-exit makes 2 * status + 1 of a status.
    return done.returncode >> 1 if done.returncode & 1 else NO_STATUS


if __name__ == "__main__":
    sys.exit(main())
