#!/usr/bin/env python3
"""Forkscope on a terminal, as a person has it: the escape key, the terminal's size, pasted text, and how the terminal is
left. The test is the terminal, and answers when it is asked where its cursor is. Status 0: all as it should be."""
import fcntl
import os
import pty
import selectors
import signal
import struct
import subprocess
import sys
import termios
import time

import machine
from console import Console, ConsoleError
from session import PROMPT, Session

ROWS, COLUMNS = 33, 111
CTRL_A, ESCAPE, END_OF_FILE = "\x01", "\x1b", "\x04"
WHERE = ESCAPE + "[6n"  # DSR 6: where is the cursor?


class Terminal(Console):
    """Runs `command` on a terminal of its own."""

    def __init__(self, command, timeout):
        self.timeout = timeout
        self.text = ""
        self.seen = self.answered = 0
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("4H", ROWS, COLUMNS, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(command, stdin=self.slave, stdout=self.slave, stderr=self.slave)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.master, selectors.EVENT_READ)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def expect(self, wanted):
        before = super().expect(wanted)
        # What is typed before the shell's question was answered would come before the answer.
        if wanted == PROMPT:
            super().expect(WHERE)
        return before

    def type(self, text):
        os.write(self.master, text.replace("\n", "\r").encode())

    def read_more(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0 or not self.selector.select(left):
            raise ConsoleError("nothing came in time")
        # Nothing else can come once the other end is closed; we hold it open ourselves.
        # The terminal, too, makes a carriage return and a newline of a newline: Forkscope's own lines need it.
        self.text = (self.text + os.read(self.master, 65536).decode(errors="replace")).replace("\r\r\n", "\r\n")
        # What terminals answer to DSR 6. The shell asks at its prompt, where the column is all that it wants to know.
        while self.text.count(WHERE) > self.answered:
            self.answered += 1
            far = self.text.split(WHERE)[self.answered - 1].endswith("[999;999H")
            os.write(self.master, f"{ESCAPE}[{ROWS};{COLUMNS if far else 5}R".encode())
        return True

    def end(self):
        """The status of the program that was on the terminal, which has to be as it was."""
        status = self.process.wait(timeout=self.timeout)
        if termios.tcgetattr(self.slave) != self.before:
            raise ConsoleError("the terminal is not left as it was")
        return status


def paste(session):
    """More at once than any buffer on the way takes."""
    lines = [f"line {n} of what was pasted, with some more words to make it long" for n in range(400)]
    session.start("stty -echo; echo ready; md5sum; stty echo", "ready\r\n")
    session.console.type("\n".join(lines) + "\n")
    session.console.type(END_OF_FILE)
    wanted = subprocess.run(["md5sum"], input="\n".join(lines) + "\n", text=True, check=True, capture_output=True).stdout
    session.console.expect(wanted.split()[0])
    session.console.expect(PROMPT)


def play(session):
    terminal = session.console
    session.check("resize", f"{ROWS} rows, {COLUMNS} columns")
    session.check("stty size", f"{ROWS} {COLUMNS}")
    terminal.type(CTRL_A + "h")
    terminal.expect("Ctrl-A x       leave")
    terminal.type("\n")
    terminal.expect(PROMPT)
    session.start("echo ready; head -c 2 | od -An -tx1", "ready\r\n")
    terminal.type(CTRL_A + CTRL_A + "\n")
    terminal.expect("01 0a")
    terminal.expect(PROMPT)
    paste(session)
    # A program that has the whole screen, and gives it back.
    terminal.type("vi file\n")
    terminal.expect("- file ")
    terminal.type("itext for the file")
    time.sleep(0.5)  # vi waits to see whether what follows makes an escape sequence
    terminal.type(ESCAPE)
    time.sleep(0.5)
    terminal.type(":wq\n")
    terminal.expect(PROMPT)
    session.check("cat file", "text for the file")


def boot(options):
    return Terminal(machine.command(options, "init=/bin/init"), options.timeout)


def main():
    options = machine.parser(__doc__).parse_args()
    try:
        with boot(options) as terminal:
            try:
                terminal.expect("Welcome to Forkscope's guest")
                terminal.expect(PROMPT)
                play(Session(terminal))
                terminal.type(CTRL_A + "x")
                terminal.end()
            except ConsoleError:
                print(terminal.text)
                raise
        # However the emulator ends.
        for ending in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with boot(options) as terminal:
                terminal.expect(PROMPT)
                terminal.process.send_signal(ending)
                if terminal.end() == 0:
                    raise ConsoleError(f"{ending.name} ended it with status 0")
    except ConsoleError as error:
        print(f"FAILED: {error}")
        return 1
    print("the terminal was there, and is as it was")
    return 0


if __name__ == "__main__":
    sys.exit(main())
