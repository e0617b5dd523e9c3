#!/usr/bin/env python3
"""A session at the guest's serial console: line editing, job control, signals, end of file. Status 0: all as on Linux."""
import sys
import time

import machine
from console import Console, ConsoleError

PROMPT = "# "
# Says when it is in the foreground, also again, so that no key comes while the shell is still arranging that.
SLEEPER = "sh -c 'trap \"echo again\" CONT; echo ready; while :; do read x; done'"
INTERRUPT, END_OF_FILE, SUSPEND, QUIT = "\x03", "\x04", "\x1a", "\x1c"


class Session:
    def __init__(self, console):
        self.console = console

    def run(self, line):
        """The output of a command line, without the echo."""
        self.console.type(line + "\n")
        self.console.expect(line + "\r\n")
        return self.console.expect(PROMPT)

    def check(self, line, *wanted):
        output = self.run(line)
        for text in wanted:
            if text not in output:
                raise ConsoleError(f"`{line}` said {output!r}, without {text!r}")

    def start(self, line, sign):
        """Starts a program that goes on; returns when it has said `sign`."""
        self.console.type(line + "\n")
        self.console.expect(line + "\r\n")
        self.console.expect(sign)

    def key(self, key, *wanted):
        """Presses a key that brings the prompt back."""
        # ash loses an interrupt that comes between its last look at them and its read.
        time.sleep(0.3)
        self.console.type(key)
        for text in wanted:
            self.console.expect(text)
        self.console.expect(PROMPT)


def commands(session):
    session.check("echo $((6 * 7))", "42")
    session.check("echo one two three | tr ' ' '\\n' | sort | head -n 1", "one")
    session.check("ls -ld /bin /tmp", "drwxr-xr-x", "drwxrwxrwt")
    session.check("tty", "/dev/console")
    session.check("stty -a", "rows 24; columns 80", "icanon", "echoctl")
    session.check("(exit 42); echo $?", "42")
    session.check("ls -l /", "total 0\r\n", "drwxr-xr-x    2 root     root", " bin\r\n", " sbin -> bin\r\n",
                  " init -> bin/init\r\n", "drwxrwxrwt ", " tmp\r\n", "dr-xr-xr-x ", " proc\r\n")
    session.check("ls -l /dev/null /dev/tty", "crw-rw-rw-    1 root     root        1,   3 Jan  1  1970 /dev/null\r\n")
    session.check("seq 1 100 | grep 7 | sort -rn | head -n 1", "97\r\n")
    session.check("dd if=/dev/zero bs=1M count=16 | md5sum", "16+0 records out", "2c7ab85a893283e98c931e9511add182")
    session.start("cat <<END | tr a-z A-Z", "> ")
    session.start("a here-document of $((40 + 2))", "> ")
    session.check("END", "A HERE-DOCUMENT OF 42\r\n")


def job_control(session):
    session.start(SLEEPER, "ready\r\n")
    session.key(INTERRUPT, "^C")
    session.check("echo $?", "130")
    session.start(SLEEPER, "ready\r\n")
    session.key(SUSPEND, "^Z", "Stopped")
    session.check("jobs", "Stopped")
    session.start("fg", "again\r\n")
    session.key(INTERRUPT, "^C")
    session.check("sleep 100 & jobs", "Running")
    session.check("kill %1; wait; jobs")
    session.start("sh -c 'echo ready; exec sleep 100'", "ready\r\n")  # ash itself ignores SIGQUIT
    session.key(QUIT, "^\\")
    session.check("echo $?", "131")
    # A pipeline is one job: all of it stops, goes on and ends together.
    session.start("sh -c 'echo ready; exec sleep 100' | cat | cat", "ready\r\n")
    session.key(SUSPEND, "^Z", "Stopped")
    session.check("ps -o stat,comm | grep -c '^T .*\\(sleep\\|cat\\)'", "3\r\n")
    session.check("bg; jobs", "Running")
    session.check("sleep 200 & sleep 300 & jobs -l", "sleep 200\r\n", "sleep 300\r\n", "[3]+")
    session.check("kill %2; kill -STOP %3; wait %2; sleep 0.1; jobs", "Stopped")
    session.start("fg %1", "cat\r\n")
    session.key(INTERRUPT, "^C")
    session.check("kill -9 %3; sleep 0.2; jobs", "Killed")
    session.check("jobs | wc -l", "0\r\n")
    # A background program that reads the terminal is stopped; in the foreground it gets its line.
    session.check("cat & sleep 1", "Stopped (tty input)")
    session.start("fg", "cat\r\n")
    session.console.type("a line\n")
    session.console.expect("a line\r\na line\r\n")
    session.key(END_OF_FILE)
    session.start("sh -c 'trap \"echo caught; exit 3\" INT; echo ready; read x'", "ready\r\n")
    session.key(INTERRUPT, "caught\r\n")
    session.check("echo $?", "3")


def process_tools(session):
    """What reads /proc."""
    session.check("sleep 100 &")
    session.check("ps", "PID   USER", "/bin/init", "sleep 100", "{ps} /bin/sh")
    session.check("ps -T", "/bin/init", "sleep 100")
    session.check("ps -o pid,ppid,pgid,sid,stat,nice,vsz,rss,comm", "S ", "R ", "sleep\r\n")
    session.check("top -b -n 1", "Mem: ", "CPU: ", "Load average: ", "PID  PPID USER", "sleep 100")
    session.check("free", "Mem: ", "Swap: ")
    session.check("uptime", "load average: ")
    session.check("pidof init", "1\r\n")
    session.check("nproc", "1\r\n")
    session.check("mount", "rootfs on / type rootfs", "proc on /proc type proc (rw")
    session.check("mount -t tmpfs scratch /mnt && df /mnt", "scratch", "/mnt\r\n")
    session.check("umount /mnt && mount | grep -c scratch", "0\r\n")
    session.check("echo text | cat /dev/stdin", "text\r\n")
    session.check("ls -l /proc/$$", "exe -> /bin/busybox", "cwd -> /root", "root -> /", "dr-x------")
    session.check("ls -l /proc/$$/fd", "0 -> /dev/console")
    session.check("killall sleep; wait; pidof sleep; echo $?", "1\r\n")


def line_editing(session):
    # In canonical mode the kernel edits the line.
    session.start("echo ready; cat", "ready\r\n")
    session.console.type("wrong\x15right\n")
    session.console.expect("\r\nright\r\n")
    session.console.type("erasex\x7f this wrod\x17word\n")
    session.console.expect("\r\nerase this word\r\n")
    session.console.type("no newline" + END_OF_FILE + END_OF_FILE)
    session.console.expect("no newline")
    session.console.expect(PROMPT)
    session.start("stty -echo; echo ready; cat; stty echo", "ready\r\n")
    session.console.type("unseen\n")
    if session.console.expect("unseen\r\n") != "":
        raise ConsoleError("what was typed is echoed with echo off")
    session.key(END_OF_FILE)
    # Raw characters, one at a time.
    session.start("stty -icanon -echo; echo ready; head -c 3 | od -An -tx1; stty sane", "ready\r\n")
    session.key("a\x04b", "61 04 62")
    session.start("read -t 1 x; echo status $?", "status 1")
    session.console.expect(PROMPT)


def main():
    options = machine.parser(__doc__).parse_args()
    with Console(machine.command(options, "init=/bin/init"), options.timeout) as console:
        session = Session(console)
        try:
            console.expect("Welcome to Forkscope's guest")
            console.expect(PROMPT)
            commands(session)
            job_control(session)
            process_tools(session)
            line_editing(session)
            console.type("exit 7\n")
            status = machine.exit_status(options, console.wait_for_end())
            if status != 7:
                raise ConsoleError(f"`exit 7` ended the machine with status {status}")
        except ConsoleError as error:
            print(f"{console.text}\n\nFAILED: {error}")
            return 1
    print("the session went as on Linux")
    return 0


if __name__ == "__main__":
    sys.exit(main())
