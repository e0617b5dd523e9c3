#!/usr/bin/env python3
"""The guest's screen and keyboard without a window: --keys types, --screenshot shows what came of it."""
import argparse
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

ARGS = None
TIMEOUT = 240  # seconds; sanitizers are slow


class Screen(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.dir = pathlib.Path(holder.name)

    def run_guest(self, keys, *arguments, seconds=20, name="screen.txt", append="console=tty0"):
        """What the screen shows in the end, as the file has it."""
        file = self.dir / name
        command = [ARGS.forkscope, "run", "-nographic", "-append", append, "--keys", keys, "--exit-after",
                   str(seconds), "--screenshot", str(file), *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=TIMEOUT, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return file.read_bytes()

    def lines(self, *arguments, **keywords):
        return self.run_guest(*arguments, **keywords).decode().splitlines()

    def test_a_shell_on_the_screen(self):
        lines = self.lines("echo $((6*7))\\ntty\\n")
        self.assertEqual(len(lines), 25)
        self.assertIn("Forkscope kernel", lines)
        shown = lines[lines.index("~ # echo $((6*7))"):]
        self.assertEqual(shown[:5], ["~ # echo $((6*7))", "42", "~ # tty", "/dev/console", "~ #"])

    def test_the_serial_console_is_the_default(self):
        lines = self.lines("x", append="", seconds=3)
        self.assertIn("Forkscope kernel", lines)
        self.assertNotIn("~ #", "\n".join(lines))

    def test_an_editor(self):
        lines = self.lines("vi /tmp/a\\nione<ret>two<up><home>zero <esc>:wq\\ncat /tmp/a\\n", seconds=30)
        self.assertEqual(lines[lines.index("~ # cat /tmp/a"):][:3], ["~ # cat /tmp/a", "zero one", "two"])

    def test_signals_from_the_keyboard(self):
        lines = self.lines("sleep 1000\\n<ctrl-c>echo $?\\n")
        self.assertEqual(lines[lines.index("~ # sleep 1000"):][:3], ["~ # sleep 1000", "^C", "~ # echo $?"])
        self.assertIn("130", lines)

    def test_other_terminals(self):
        lines = self.lines("(exec \\</dev/tty2 >/dev/tty2; echo here; tty)\\n<wait><alt-f2>")
        self.assertEqual(lines[:2], ["here", "/dev/tty2"])
        lines = self.lines("echo first\\n<alt-f3><wait><alt-f1>")
        self.assertIn("first", lines)

    def test_colours_and_history(self):
        lines = self.lines("seq 100\\n<shift-pgup><wait>")
        self.assertIn("70", lines)
        self.assertNotIn("100", lines)

    def test_the_size_of_the_terminal(self):
        self.assertIn("25 80", self.lines("stty size\\n"))

    def test_a_picture_is_a_png_and_the_same_each_time(self):
        first = self.run_guest("ls /\\n", name="a.png", seconds=6)
        self.assertEqual(first[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(struct.unpack(">II", first[16:24]), (720, 400))
        self.assertEqual(first, self.run_guest("ls /\\n", name="b.png", seconds=6))

    def test_bad_input(self):
        for arguments, line in (
                (["--keys", "<nokey>"], "forkscope: --keys: at character 1: 'nokey' is no key; expected a name such as "
                                        "ctrl, alt, f1, up, ret or a"),
                (["--screenshot", "/nowhere/x.png", "--exit-after", "0.01"],
                 "forkscope: --screenshot /nowhere/x.png: cannot be written: No such file or directory"),
                (["--screenshot", "/nowhere/x.txt", "--exit-after", "0.01"],
                 "forkscope: --screenshot /nowhere/x.txt: cannot be written: No such file or directory")):
            done = subprocess.run([ARGS.forkscope, "run", "-nographic", *arguments], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
            self.assertEqual((done.returncode, done.stderr.decode().splitlines()), (2, [line]))


def main():
    global ARGS
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forkscope", required=True)
    parser.add_argument("tests", nargs="*")
    ARGS = parser.parse_args()
    unittest.main(argv=[sys.argv[0], *ARGS.tests])


if __name__ == "__main__":
    main()
