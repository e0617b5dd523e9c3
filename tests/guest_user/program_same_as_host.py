#!/usr/bin/env python3
"""Runs a program as the guest's init and on the host's Linux, and compares what it says and its exit status. 0: the same."""
import subprocess
import sys

import machine

BANNER = "Memory: "


def main():
    parser = machine.parser(__doc__)
    parser.add_argument("host_program", help="its path on the host")
    parser.add_argument("guest_program", help="its path in the guest")
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    host = subprocess.run([options.host_program, *options.arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          timeout=options.timeout, check=False)
    append = f"init={options.guest_program} -- {' '.join(options.arguments)}"
    guest = subprocess.run(machine.command(options, append), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           timeout=options.timeout, check=False)
    expected = host.stdout.decode()
    said = guest.stdout.decode(errors="replace").replace("\r\n", "\n")
    # Firmware and kernel speak first.
    output = said.split(BANNER, 1)[-1].split("\n", 1)[-1]
    status = machine.exit_status(options, guest.returncode)
    if output == expected and status == host.returncode:
        print(f"{len(expected.splitlines())} lines and status {status}, the same")
        return 0
    print(f"host, status {host.returncode}:\n{expected}\nguest, status {status}:\n{said}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
