#!/usr/bin/env python3
"""`forkscope view` as a user meets it: a real window under Xvfb with real keys, pictures without a display, and
bad input. The window's title says which moment it shows, so that is what the keys are judged by.
"""
import argparse
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time
import unittest
import zlib

OPTIONS = None


def run(*arguments, status=0, **environment):
    """The command's output, after it ended with this status."""
    done = subprocess.run([OPTIONS.forkscope, *map(str, arguments)], capture_output=True, text=True, timeout=120,
                          env={**os.environ, **environment}, check=False)
    assert done.returncode == status, f"{arguments} ended with {done.returncode}: {done.stderr}{done.stdout}"
    return done.stdout + done.stderr


def picture(path):
    """Width, height and the rows of a PNG of 8-bit RGB."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed, head = 8, b"", None
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        if kind == b"IHDR":
            head = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed += body
        at += size + 12
    width, height, depth, colour = head[:4]
    assert (depth, colour) == (8, 2), "not RGB of 8 bits"
    raw = zlib.decompress(packed)
    stride = width * 3 + 1
    return width, height, [unfilter(raw, y, stride) for y in range(height)]


def unfilter(raw, y, stride, kept={}):  # pylint: disable=dangerous-default-value
    """Row y; rows must be asked for in order."""
    line = bytearray(raw[y * stride + 1:(y + 1) * stride])
    above = kept.get("above") if y else None
    above = above or bytes(len(line))
    method = raw[y * stride]
    for i, value in enumerate(line):
        left = line[i - 3] if i >= 3 else 0
        corner = above[i - 3] if i >= 3 else 0
        if method == 1:
            value += left
        elif method == 2:
            value += above[i]
        elif method == 3:
            value += (left + above[i]) // 2
        elif method == 4:
            guess = left + above[i] - corner
            value += min((left, above[i], corner), key=lambda p: abs(guess - p))
        line[i] = value & 0xff
    kept["above"] = bytes(line)
    return bytes(line)


def colours_of(rows):
    return {rows[y][x:x + 3] for y in range(0, len(rows), 3) for x in range(0, len(rows[0]), 9)}


class Pictures(unittest.TestCase):
    def shot(self, name, *arguments, **environment):
        path = OPTIONS.out / f"{name}.png"
        path.unlink(missing_ok=True)
        run("view", "--screenshot", path, *arguments, OPTIONS.log, **environment)
        return picture(path)

    def test_every_panel_has_its_picture(self):
        seen = []
        for panel in ["all", "tasks", "tables", "frames", "events", "story", "tlb", "counters"]:
            width, height, rows = self.shot(panel, "--panel", panel, "--fork", 2, "--size", "900x600",
                                            SDL_VIDEODRIVER="dummy")
            self.assertEqual((width, height), (900, 600))
            self.assertGreater(len(colours_of(rows)), 8, panel)
            seen.append(rows)
        for i, rows in enumerate(seen):
            self.assertNotIn(rows, seen[:i])

    def test_light_is_lighter_than_dark(self):
        def brightness(rows):
            return sum(sum(row[::50]) for row in rows)
        dark = self.shot("dark", "--size", "640x480")[2]
        light = self.shot("light", "--theme", "light", "--size", "640x480")[2]
        self.assertGreater(brightness(light), 2 * brightness(dark))

    def test_a_moment_is_the_same_picture_each_time(self):
        moment = ("--at", "e5000", "--size", "640x480")
        self.assertEqual(self.shot("first", *moment), self.shot("second", *moment))
        self.assertNotEqual(self.shot("first", *moment), self.shot("other", "--at", "e7000", "--size", "640x480"))


class BadInput(unittest.TestCase):
    def refuses(self, *arguments, says):
        text = run("view", *arguments, status=2)
        self.assertIn(says, text)
        self.assertEqual(len(text.splitlines()), 1, text)

    def test_one_line_and_status_2(self):
        self.refuses("/nowhere.mmu", says="/nowhere.mmu")
        self.refuses("--panel", "tabels", OPTIONS.log, says="'tabels'")
        self.refuses("--theme", "pink", OPTIONS.log, says="dark or light")
        self.refuses("--scale", "99", OPTIONS.log, says="0.5 to 4")
        self.refuses("--size", "12", OPTIONS.log, says="1600x1000")
        self.refuses("--at", "noon", OPTIONS.log, says="noon")
        self.refuses("--fork", "99999", "--screenshot", "x.png", OPTIONS.log, says="99999")
        self.refuses("--screenshot", "/nowhere/x.png", OPTIONS.log, says="/nowhere/x.png")

    def test_no_display_is_said(self):
        text = run("view", OPTIONS.log, status=2, SDL_VIDEODRIVER="x11", DISPLAY=":9999")
        self.assertIn("no window can be opened", text)

    def test_a_cut_log_is_shown(self):
        cut = OPTIONS.out / "cut.mmu"
        cut.write_bytes(OPTIONS.log.read_bytes()[:-200])
        run("view", "--screenshot", OPTIONS.out / "cut.png", "--size", "640x480", cut)

    def test_help_teaches(self):
        text = run("view", "--help")
        for word in ["--at", "--panel", "--screenshot", "Page Down", "forkscope view --fork 2 F.mmu"]:
            self.assertIn(word, text)


@unittest.skipUnless(shutil.which("Xvfb") and shutil.which("xdotool"), "needs Xvfb and xdotool")
class Window(unittest.TestCase):
    def setUp(self):
        read, write = os.pipe()
        self.server = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1700x1100x24"],
                                       pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end, self.server)
        os.close(write)
        with os.fdopen(read) as pipe:
            self.environment = {**os.environ, "DISPLAY": f":{pipe.readline().strip()}", "SDL_VIDEODRIVER": "x11"}
        self.view = subprocess.Popen([OPTIONS.forkscope, "view", "--at", "start", OPTIONS.log], env=self.environment)
        self.addCleanup(self.end, self.view)
        self.window = self.wait_for(lambda: self.xdotool("search", "--name", "^Forkscope:").split())[-1]
        self.title_is("before the first event")

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=20)

    def xdotool(self, *arguments):
        return subprocess.run(["xdotool", *arguments], env=self.environment, capture_output=True, text=True,
                              check=False, timeout=20).stdout

    def wait_for(self, condition):
        """What the condition gives, as soon as it is true."""
        for _ in range(600):
            value = condition()
            if value:
                return value
            self.assertIsNone(self.view.poll(), "the view has ended")
            time.sleep(0.05)
        self.fail(f"in vain; the title is {self.xdotool('getwindowname', self.window)}")

    def title_is(self, text):
        return self.wait_for(lambda: text in self.xdotool("getwindowname", self.window))

    def key(self, *names):
        self.xdotool("key", "--window", self.window, *names)

    def test_keys_and_mouse_go_through_time(self):
        self.key("Right")
        self.title_is("event 0 ")
        self.key("shift+Right", "Left")
        self.title_is("event 99 ")
        self.key("Home", "Next", "Next")
        forks = run("log", "forks", "--json", OPTIONS.log)
        begin = json.loads(forks)["forks"][1]["begin"]["event"]
        self.title_is(f"event {begin:,} ")
        self.key("3", "t", "F1", "Escape", "0")
        self.title_is(f"event {begin:,} ")
        self.key("End")
        last = json.loads(run("log", "info", "--json", OPTIONS.log))["events"] - 1
        self.title_is(f"event {last:,} ")
        # The left end of the time bar.
        self.xdotool("mousemove", "--window", self.window, "420", "975", "click", "1")
        self.wait_for(lambda: f"event {last:,} " not in self.xdotool("getwindowname", self.window))

    def test_escape_ends_it(self):
        self.key("Escape")
        self.assertEqual(self.view.wait(timeout=20), 0)


def main():
    global OPTIONS  # pylint: disable=global-statement
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forkscope", required=True)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--initrd", required=True)
    parser.add_argument("--out", type=pathlib.Path, help="where the pictures stay")
    OPTIONS, rest = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as scratch:
        OPTIONS.out = OPTIONS.out or pathlib.Path(scratch)
        OPTIONS.out.mkdir(parents=True, exist_ok=True)
        OPTIONS.log = OPTIONS.out / "demo.mmu"
        run("run", "-nographic", "-kernel", OPTIONS.kernel, "-initrd", OPTIONS.initrd, "--record", OPTIONS.log,
            "-append", "init=/bin/forkscope-demo")
        unittest.main(argv=["window_test.py", *rest])


if __name__ == "__main__":
    main()
