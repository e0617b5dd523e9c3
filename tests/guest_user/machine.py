"""How to start the guest: the command lines of QEMU and of Forkscope for one and the same machine."""
import argparse


def add_arguments(parser):
    parser.add_argument("--platform", choices=("qemu", "forkscope"), required=True)
    parser.add_argument("--program", required=True, help="QEMU or forkscope")
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--initrd", required=True)
    parser.add_argument("--memory", default="256M", help="RAM of the machine, as QEMU takes it")
    parser.add_argument("--timeout", type=float, default=120, help="seconds")


def parser(description):
    out = argparse.ArgumentParser(description=description)
    add_arguments(out)
    return out


def command(options, append):
    if options.platform == "qemu":
        return [
            options.program, "-M", "pc", "-accel", "tcg", "-m", options.memory, "-kernel", options.kernel,
            "-initrd", options.initrd, "-append", append, "-nographic", "-no-reboot", "-net", "none",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
        ]
    return [
        options.program, "run", "-nographic", "-m", options.memory, "-kernel", options.kernel, "-initrd", options.initrd,
        "-append", append,
    ]


def exit_status(options, returncode):
    """What init returned: QEMU's isa-debug-exit makes 2 * status + 1 of it."""
    if options.platform == "qemu":
        return returncode >> 1 if returncode & 1 else None
    return returncode
