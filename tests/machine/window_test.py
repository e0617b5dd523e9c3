#!/usr/bin/env python3
"""The window of a run, on a display without a screen (Xvfb) and on SDL's dummy one. A person's hands are xdotool's."""
import argparse
import ctypes
import os
import pathlib
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

ARGS = None
TIMEOUT = 240  # seconds; sanitizers are slow


class Png:
    """A picture of eight bits a colour, without transparency or interlacing."""

    def __init__(self, path):
        data = pathlib.Path(path).read_bytes()
        self.width, self.height, depth, kind = struct.unpack(">IIBB", data[16:26])
        assert (depth, kind) == (8, 2), path
        packed, at = b"", 8
        while at < len(data):
            length, = struct.unpack(">I", data[at:at + 4])
            if data[at + 4:at + 8] == b"IDAT":
                packed += data[at + 8:at + 8 + length]
            at += length + 12
        self.rows = self.unfilter(zlib.decompress(packed), self.width * 3)

    @staticmethod
    def unfilter(data, pitch):
        """PNG specification, section 9."""
        rows, above = [], bytes(pitch)
        for start in range(0, len(data), pitch + 1):
            kind, row = data[start], bytearray(data[start + 1:start + 1 + pitch])
            for i in range(pitch):
                a = row[i - 3] if i >= 3 else 0
                b, c = above[i], above[i - 3] if i >= 3 else 0
                if kind == 1:
                    guess = a
                elif kind == 2:
                    guess = b
                elif kind == 3:
                    guess = (a + b) // 2
                elif kind == 4:
                    guess = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
                else:
                    guess = 0
                row[i] = (row[i] + guess) & 0xff
            rows.append(bytes(row))
            above = row
        return rows

    def enlarged(self, n):
        """Each row with every pixel n times."""
        return [b"".join(row[i:i + 3] * n for i in range(0, len(row), 3)) for row in self.rows]


class Message(ctypes.Structure):
    """XClientMessageEvent of Xlib, in the room of an XEvent."""
    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("send_event", ctypes.c_int),
                ("display", ctypes.c_void_p), ("window", ctypes.c_ulong), ("message_type", ctypes.c_ulong),
                ("format", ctypes.c_int), ("data", ctypes.c_long * 5), ("rest", ctypes.c_long * 24)]


def ask_to_close(display, window):
    """What a window manager sends when the person closes a window (ICCCM, 4.2.8)."""
    x = ctypes.CDLL("libX11.so.6")
    x.XOpenDisplay.restype = ctypes.c_void_p
    x.XInternAtom.restype = ctypes.c_ulong
    server = ctypes.c_void_p(x.XOpenDisplay(display.encode()))
    protocols, delete = (x.XInternAtom(server, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
    message = Message(type=33, window=window, message_type=protocols, format=32)
    message.data[0] = delete
    x.XSendEvent(server, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(message))
    x.XCloseDisplay(server)


class Base(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.dir = pathlib.Path(holder.name)
        self.environment = {k: v for k, v in os.environ.items()
                            if k not in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")}

    def run_to_end(self, *arguments, program=None):
        return subprocess.run([program or ARGS.forkscope, "run", *arguments], cwd=self.dir, env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=TIMEOUT, check=False)

    def check_log(self, name, ram=None):
        """The log is whole; and with the RAM of the end, its page tables are those of the machine."""
        check = ["verify", self.dir / name, "--ram", self.dir / ram] if ram else ["info", self.dir / name]
        done = subprocess.run([ARGS.forkscope, "log", *check], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=TIMEOUT, check=False)
        self.assertEqual(done.returncode, 0, done.stdout.decode())


class Headless(Base):
    def test_needs_no_display_library(self):
        needed = subprocess.run(["ldd", ARGS.forkscope], stdout=subprocess.PIPE, check=True).stdout.decode()
        for library in ("SDL", "libX", "wayland"):
            self.assertNotIn(library, needed)

    def test_no_display(self):
        done = self.run_to_end("-display", "sdl", "--record", "a.mmu")
        self.assertEqual(done.returncode, 2)
        self.assertIn("forkscope: -display sdl: no window can be opened: ", done.stderr.decode())
        self.assertIn("DISPLAY is unset", done.stderr.decode())
        self.assertFalse((self.dir / "a.mmu").exists())

    def test_no_module(self):
        program = self.dir / "forkscope"
        shutil.copy(ARGS.forkscope, program)
        done = self.run_to_end("-display", "sdl", program=program)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.decode().splitlines(),
                         [f"forkscope: -display sdl: the window cannot be loaded: {self.dir}/libforkscope_ui.so: "
                          "cannot open shared object file: No such file or directory"])

    def test_bad_usage(self):
        for arguments, line in (
                (["-display", "gtk"], "forkscope: -display gtk: expected sdl or none"),
                (["-display", "sdl", "-nographic"], "forkscope: -display sdl and -nographic: expected one of them"),
                (["-display", "sdl", "--retrace", "--record", "a.mmu"],
                 "forkscope: --retrace: expected a run without input: -display none")):
            done = self.run_to_end(*arguments)
            self.assertEqual((done.returncode, done.stderr.decode().splitlines()), (2, [line]))

    def test_a_script_gets_no_window_unasked(self):
        self.environment["DISPLAY"] = ":nowhere"
        done = self.run_to_end("--exit-after", "2")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stderr, b"")
        self.assertIn(b"~ #", done.stdout)


class Dummy(Base):
    def setUp(self):
        super().setUp()
        self.environment["SDL_VIDEODRIVER"] = "dummy"

    def test_keys_screenshot_and_exit_after(self):
        done = self.run_to_end("-display", "sdl", "--keys", "echo $((6*7))\\n", "--exit-after", "4", "--screenshot",
                               "a.txt", "--record", "a.mmu", "--audit")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn("0 differences", done.stderr.decode())
        self.assertIn("42", (self.dir / "a.txt").read_text().splitlines())
        self.assertIn(b"Forkscope kernel", done.stdout)
        self.check_log("a.mmu")

    def test_the_guests_status(self):
        done = self.run_to_end("-display", "sdl", "-append", "init=/bin/false")
        self.assertEqual(done.returncode, 1, done.stderr.decode())

    def test_bad_input_is_told_without_a_window(self):
        done = self.run_to_end("-display", "sdl", "-kernel", "nothing")
        self.assertEqual(done.returncode, 2)
        self.assertIn("nothing", done.stderr.decode())


class Window(Base):
    def setUp(self):
        super().setUp()
        reading, writing = os.pipe()
        server = subprocess.Popen(["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1000x24", "-nolisten",
                                   "tcp", "-noreset"], pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(writing)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        with os.fdopen(reading) as number:
            self.display = ":" + number.readline().strip()
        self.environment["DISPLAY"] = self.display

    def hands(self, *arguments):
        done = subprocess.run(["xdotool", *arguments], env=self.environment, stdout=subprocess.PIPE,
                              timeout=TIMEOUT, check=True)
        return done.stdout.decode().strip()

    def start(self, *arguments):
        self.guest = subprocess.Popen([ARGS.forkscope, "run", "-display", "sdl", *arguments], cwd=self.dir,
                                      env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE)
        self.addCleanup(self.guest.stderr.close)
        self.find_window()

    def start_on_a_terminal(self, *arguments):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        self.guest = subprocess.Popen([ARGS.forkscope, "run", *arguments], cwd=self.dir, env=self.environment,
                                      stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)

    def find_window(self):
        self.addCleanup(self.guest.wait)
        self.addCleanup(self.guest.kill)
        self.window = self.hands("search", "--sync", "--onlyvisible", "--name", "Forkscope").split()[0]
        self.hands("windowfocus", "--sync", self.window)

    def title(self):
        return self.hands("getwindowname", self.window)

    def until(self, what, condition):
        end = time.monotonic() + TIMEOUT
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.05)

    def keys(self, *names):
        self.hands("key", *names)

    def until_a_prompt(self):
        self.until("the guest waits", lambda: self.title().startswith("Forkscope: idle"))
        time.sleep(0.5)

    def file(self, name):
        path = self.dir / name
        self.until(name, lambda: path.exists() and path.read_bytes()[-8:-4] == b"IEND")
        return path

    def end(self):
        _, errors = self.guest.communicate(timeout=TIMEOUT)
        return self.guest.returncode, errors.decode()

    def test_typing_and_pictures(self):
        self.start("--screenshot", "end.txt", "--record", "a.mmu")
        self.until_a_prompt()
        self.hands("type", "--delay", "20", "echo \"Quoted $((6*7))\" | tr a-z A-Z")
        self.keys("Return")
        self.until_a_prompt()
        # In this order: the second one would show the notice of the first.
        self.keys("ctrl+alt+shift+i")
        window = Png(self.file("forkscope-window-1.png"))
        self.assertEqual((window.width, window.height), (1440, 800))
        self.keys("ctrl+alt+i")
        guest = Png(self.file("forkscope-1.png"))
        self.assertEqual((guest.width, guest.height), (720, 400))
        # The cursor blinks; all else is the guest's picture with square pixels.
        large = guest.enlarged(2)
        different = {y // 2 // 16 for y in range(800) if window.rows[y] != large[y // 2]}
        self.assertLessEqual(len(different), 1, different)
        self.keys("ctrl+alt+q")
        self.assertEqual(self.end(), (0, ""))
        lines = (self.dir / "end.txt").read_text().splitlines()
        at = lines.index('~ # echo "Quoted $((6*7))" | tr a-z A-Z')
        self.assertEqual(lines[at + 1:at + 3], ["QUOTED 42", "~ #"])
        self.check_log("a.mmu")

    def drag(self, cells):
        """Marks so many cells of the first row."""
        self.hands("mousemove", "--window", self.window, "9", "16", "mousedown", "1", "mousemove", "--window",
                   self.window, "90", "16", "mousemove", "--window", self.window, str(18 * cells - 9), "16", "mouseup", "1")

    def test_copy_and_paste(self):
        self.start("--screenshot", "end.txt")
        self.until_a_prompt()
        self.drag(len("Forkscope"))
        self.hands("type", "--delay", "20", "echo once ")
        self.hands("mousemove", "--window", self.window, "300", "700", "click", "2")
        self.hands("type", "--delay", "20", " more; echo twice ")
        self.drag(len("Forkscope kernel"))
        self.keys("ctrl+alt+c", "ctrl+alt+v", "Return")
        self.until_a_prompt()
        self.keys("ctrl+alt+q")
        self.assertEqual(self.end(), (0, ""))
        lines = (self.dir / "end.txt").read_text().splitlines()
        at = lines.index("~ # echo once Forkscope more; echo twice Forkscope kernel")
        self.assertEqual(lines[at + 1:at + 4], ["once Forkscope more", "twice Forkscope kernel", "~ #"])

    def test_closing_ends_in_good_order(self):
        self.start("--record", "a.mmu", "--save-ram", "ram", "-append", "init=/bin/cowstorm -- 64 4 1000000")
        self.until("the guest runs", lambda: "starting" not in self.title())
        time.sleep(1)
        ask_to_close(self.display, int(self.window))
        self.assertEqual(self.end(), (0, ""))
        self.check_log("a.mmu", "ram")

    def test_pause_step_and_reset(self):
        self.start("--record", "a.mmu")
        self.until_a_prompt()
        self.keys("ctrl+alt+p")
        self.until("paused", lambda: self.title().startswith("Forkscope: paused"))
        before = self.title()
        self.keys("ctrl+alt+s")
        self.until("a step", lambda: self.title() != before)
        time.sleep(0.6)
        seconds = [float(title.split()[2]) for title in (before, self.title())]
        self.assertTrue(self.title().startswith("Forkscope: paused"))
        self.assertAlmostEqual(seconds[1] - seconds[0], 0.002, delta=0.0015)
        self.keys("ctrl+alt+r")
        self.until("the second run", lambda: (self.dir / "a-2.mmu").exists())
        self.until_a_prompt()
        self.keys("ctrl+alt+q")
        self.assertEqual(self.end(), (0, "forkscope: reset; this is run 2, recorded in a-2.mmu\n"))
        self.check_log("a.mmu")
        self.check_log("a-2.mmu")

    def test_signals_and_the_end(self):
        self.start("--record", "a.mmu")
        self.until_a_prompt()
        self.guest.terminate()
        self.assertEqual(self.end(), (143, "forkscope: ended by signal 15\n"))
        self.check_log("a.mmu")
        self.start("-no-shutdown", "-append", "init=/bin/false")
        self.until("the end", lambda: self.title().startswith("Forkscope: ended"))
        self.keys("ctrl+alt+shift+i")
        self.file("forkscope-window-1.png")
        self.keys("Escape")
        self.assertEqual(self.end(), (1, ""))

    def test_the_default_for_a_person_is_a_window_that_stays(self):
        self.start_on_a_terminal("-append", "init=/bin/false")
        self.find_window()
        self.until("the end", lambda: self.title().startswith("Forkscope: ended"))
        self.keys("Return")
        self.assertEqual(self.guest.wait(TIMEOUT), 1)

    def test_who_asks_for_the_terminal_gets_no_window(self):
        for words in (["-serial", "stdio", "-append", "init=/bin/false"], ["-nographic", "-append", "init=/bin/false"],
                      ["-append", "console=ttyS0 init=/bin/false"], ["-display", "none", "-append", "init=/bin/false"]):
            # A window would stay.
            self.start_on_a_terminal(*words)
            self.assertEqual(self.guest.wait(TIMEOUT), 1)

    def test_a_german_keyboard(self):
        subprocess.run(["setxkbmap", "de"], env=self.environment, timeout=TIMEOUT, check=True)
        self.start("--screenshot", "end.txt")
        self.until_a_prompt()
        # By their numbers on the host: Z Y, Shift with 7 and 2, AltGr with Q and 7; then keys that do not write.
        self.keys("e", "c", "h", "o", "space", "29", "52", "apostrophe", "shift+16", "shift+11", "ISO_Level3_Shift+24",
                  "ISO_Level3_Shift+16", "apostrophe", "Return")
        self.keys("shift+40", "KP_Left", "BackSpace", "x", "Return")
        self.until_a_prompt()
        self.keys("ctrl+alt+q")
        self.assertEqual(self.end(), (0, ""))
        lines = (self.dir / "end.txt").read_text().splitlines()
        at = lines.index("~ # echo zy'/\"@{'")
        self.assertEqual(lines[at + 1:at + 3], ['zy/"@{', "~ # xD"])

    def test_grab_and_full_screen(self):
        self.start()
        self.until_a_prompt()
        for wanted in ("(Ctrl-Alt-G gives the mouse back)", "(Ctrl-Alt-H: keys)"):
            self.keys("ctrl+alt+g")
            self.until(wanted, lambda end=wanted: self.title().endswith(end))
        # Without a window manager the X server's window keeps its size; what is drawn does not.
        for number, size in ((1, (1600, 1000)), (2, (1440, 800))):
            self.keys("ctrl+alt+f")
            time.sleep(1.5)
            self.keys("ctrl+alt+shift+i")
            picture = self.file(f"forkscope-window-{number}.png").read_bytes()
            self.assertEqual(struct.unpack(">II", picture[16:24]), size)
        self.keys("ctrl+alt+minus")
        self.until("smaller", lambda: "Geometry: 720x400" in self.hands("getwindowgeometry", self.window))
        self.keys("ctrl+alt+equal")
        self.until("larger", lambda: "Geometry: 1440x800" in self.hands("getwindowgeometry", self.window))
        self.keys("ctrl+alt+q")
        self.assertEqual(self.end(), (0, ""))


def main():
    global ARGS
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forkscope", required=True, type=os.path.abspath)
    parser.add_argument("tests", nargs="*")
    ARGS = parser.parse_args()
    unittest.main(argv=[sys.argv[0], *ARGS.tests])


if __name__ == "__main__":
    main()
