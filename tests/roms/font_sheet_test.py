#!/usr/bin/env python3
"""Tests of roms/font_sheet.py: the size of its pictures, some of their pixels, and what it says when it cannot."""
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

ROMS = pathlib.Path(__file__).resolve().parents[2] / "roms"


class FontSheet(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_sheet(self, *arguments):
        return subprocess.run([sys.executable, ROMS / "font_sheet.py", *arguments], capture_output=True, text=True,
                              check=False)

    def sheet(self, *arguments):
        """The picture that it draws with these arguments, as rows of bytes, three a pixel."""
        path = self.folder / "sheet.png"
        done = self.run_sheet(path, *arguments)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        data = path.read_bytes()
        width, height = struct.unpack(">II", data[16:24])
        start = data.index(b"IDAT")
        packed = data[start + 4:start + 4 + struct.unpack(">I", data[start - 4:start])[0]]
        pixels = zlib.decompress(packed)
        self.assertEqual(len(pixels), height * (1 + 3 * width))
        return [pixels[y * (1 + 3 * width) + 1:(y + 1) * (1 + 3 * width)] for y in range(height)]

    def text(self, text):
        path = self.folder / "text"
        path.write_text(text, encoding="utf-8")
        return "--text", path

    def test_all_glyphs(self):
        picture = self.sheet()
        self.assertEqual((len(picture[0]) // 3, len(picture)), (4 * (16 * 10 + 2), 4 * (16 * 18 + 2)))

    def test_a_text_in_cells_of_eight_and_of_nine_pixels(self):
        for arguments, width in (((), 8), (("--nine",), 9)):
            picture = self.sheet("--scale", "1", *arguments, *self.text("█a─\n€\n"))
            self.assertEqual((len(picture[0]) // 3, len(picture)), (3 * width, 32))
            ink, paper = picture[0][:3], picture[0][3 * width:3 * width + 3]
            # The block and the line reach across the whole cell, the letter does not.
            self.assertEqual(picture[0][:3 * width], ink * width)
            self.assertEqual(picture[7][-3 * width:], ink * width)
            self.assertEqual({picture[y][6 * width - 3:6 * width] for y in range(16)}, {paper})
            # What the code page lacks is a question mark.
            self.assertEqual(picture[16:], self.sheet("--scale", "1", *arguments, *self.text("   \n?\n"))[16:])

    def test_what_cannot_be_read_or_written(self):
        for arguments in (("none/x.png",), ("x.png", "--text", self.folder / "none"), ("x.png", "--source", "none")):
            done = self.run_sheet(self.folder / arguments[0], *arguments[1:])
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertRegex(done.stderr, r"\A[a-z_]+\.py: .*none.*: No such file or directory\n\Z")


if __name__ == "__main__":
    unittest.main()
