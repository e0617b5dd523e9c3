#!/usr/bin/env python3
"""Runs a shell script in the guest's busybox and in the host's, and compares what they say. Status 0: the same."""
import difflib
import os
import subprocess
import sys
import tempfile

import machine

MARK = "--- the script said:"


GUEST_PROGRAMS = "/tests/bin"


def on_host(options):
    """The output of the script in an empty directory, with busybox's applets and --programs as the only programs."""
    busybox, script = options.busybox, options.script
    with tempfile.TemporaryDirectory() as applets, tempfile.TemporaryDirectory() as work:
        for name in subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split():
            os.symlink(busybox, os.path.join(applets, name))
        environment = {"PATH": f"{options.programs}:{applets}" if options.programs else applets, "HOME": "/root"}
        done = subprocess.run([busybox, "sh", script], cwd=work, env=environment, stdin=subprocess.DEVNULL, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        return done.stdout.decode(errors="replace").replace(script, "SCRIPT")


def in_guest(options):
    script = options.script
    name = f"/tests/{os.path.basename(script)}"
    commands = f"PATH={GUEST_PROGRAMS}:$PATH; mkdir /tmp/w; cd /tmp/w; sh {name} >/tmp/out 2>&1 </dev/null; echo '{MARK}'; cat /tmp/out"
    command = machine.command(options, f'init=/bin/init -- /bin/sh -c "{commands}"')
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=options.timeout, check=False)
    text = done.stdout.decode(errors="replace").replace("\r\n", "\n")
    if MARK not in text:
        sys.exit(f"the guest did not come to the end of the script:\n{text}")
    return text.split(MARK + "\n", 1)[1].replace(name, "SCRIPT")


def main():
    parser = machine.parser(__doc__)
    parser.add_argument("--busybox", default="/bin/busybox")
    parser.add_argument("--programs", help=f"a folder of programs that the guest has in {GUEST_PROGRAMS}")
    parser.add_argument("script")
    options = parser.parse_args()
    host, guest = on_host(options), in_guest(options)
    if not host:
        sys.exit("the script says nothing on the host")
    difference = list(difflib.unified_diff(host.splitlines(), guest.splitlines(), "host", "guest", lineterm=""))
    print("\n".join(difference) or f"{len(host.splitlines())} lines, all the same")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
