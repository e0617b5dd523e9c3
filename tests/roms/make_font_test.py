#!/usr/bin/env python3
"""Tests of roms/make_font.py: what it says of mistakes, and the characters of the real font."""
import contextlib
import io
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROMS = pathlib.Path(__file__).resolve().parents[2] / "roms"
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROMS))
import make_font  # noqa: E402 (found by the line above)

SOURCE = (ROMS / "font8x16.txt").read_text(encoding="utf-8")
LETTER_A = re.search(r"0x41 U\+0041 A\n(?:[.#]{8}\n){16}", SOURCE).group(0)
ROWS = LETTER_A.split("\n")[1:17]


def run(*arguments):
    """main() with these arguments; returns (status, stderr)."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            status = make_font.main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code
    return status, said.getvalue()


def make(text):
    """Runs the script over text (or bytes); returns (status, stderr, the C++ that it wrote or None)."""
    with tempfile.TemporaryDirectory() as folder:
        source, output = pathlib.Path(folder, "font.txt"), pathlib.Path(folder, "font.cpp")
        source.write_bytes(text if isinstance(text, bytes) else text.encode())
        return *run(source, output), output.read_text() if output.exists() else None


def line_of(text, line):
    return text.split("\n").index(line) + 1


def with_letter(lines, head="0x41 U+0041 A"):
    """The real source with other lines under the headline of the letter A, and perhaps another headline."""
    return SOURCE.replace(LETTER_A, "\n".join([head, *lines]) + "\n")


class MakeFont(unittest.TestCase):
    def assert_refused(self, text, complaint, line):
        """The script ends with status 2, writes nothing, and says just this of that line (a number, or its text)."""
        status, said, output = make(text)
        self.assertEqual((status, output), (2, None), said)
        number = line if isinstance(line, int) else line_of(text, line)
        self.assertEqual(said, f"font.txt:{number}: {complaint}\n")

    def test_the_real_source_makes_the_same_every_time(self):
        status, said, output = make(SOURCE)
        self.assertEqual((status, said), (0, ""))
        self.assertEqual(output, make(SOURCE)[2])
        self.assertIn("// 0x41 U+0041\n", output)

    def test_the_characters_are_those_of_code_page_437(self):
        found = {int(code, 16): chr(int(point, 16)) for code, point in
                 re.findall(r"^0x(..) U\+([0-9A-F]{4}) ", SOURCE, re.MULTILINE)}
        pictograms = "☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"
        self.assertEqual("".join(found[code] for code in range(1, 32)), pictograms)
        self.assertEqual((found[0], found[127]), ("\0", "⌂"))
        for code in [*range(32, 127), *range(128, 256)]:
            self.assertEqual(found[code], bytes([code]).decode("cp437"), hex(code))

    def test_a_row_of_another_width(self):
        for row in (".......", ".........", "#"):
            self.assert_refused(with_letter([*ROWS[:3], row, *ROWS[4:]]),
                                f"row 3 of 0x41 is `{row}`, expected 8 characters, each . or #", row)

    def test_a_row_with_another_character(self):
        for row in ("..##x##.", "  ####", "invert U+0042"):
            self.assert_refused(with_letter([*ROWS[:5], row, *ROWS[6:]]),
                                f"row 5 of 0x41 is `{row}`, expected 8 characters, each . or #", row)

    def test_too_few_rows_and_too_many(self):
        self.assert_refused(with_letter(ROWS[:15]), "0x41 has 15 rows, expected 16", "0x41 U+0041 A")
        self.assert_refused(with_letter([]), "0x41 has 0 rows, expected 16", "0x41 U+0041 A")
        text = with_letter([*ROWS, "........"])
        self.assert_refused(text, "0x41 has more than 16 rows", line_of(text, "0x41 U+0041 A") + 17)

    def test_a_headline_that_is_none(self):
        expected = "expected a headline as `0x41 U+0041 A` or `piece NAME`, found"
        for head in ("0x41 U+41 A", "0x41 A", "0x4G U+0041 A", "piece Acute"):
            self.assert_refused(with_letter(ROWS, head), f"{expected} `{head}`", head)
        self.assert_refused("........\n" + SOURCE, f"{expected} `........`", 1)

    def test_the_character_of_a_headline_is_that_of_its_number(self):
        self.assert_refused(with_letter(ROWS, "0x41 U+0041 B"), "U+0041 is `A`, not `B`", "0x41 U+0041 B")

    def test_a_code_character_or_piece_twice(self):
        more = "\n".join(["", *ROWS, ""])
        for head, twice, first in (("0x41 U+0100 Ā", "0x41", "0x41 U+0041 A"),
                                   ("0x41 U+0041 A ", "0x41", "0x41 U+0041 A"),
                                   ("piece tilde ", "tilde", "piece tilde")):
            self.assert_refused(SOURCE + head + more, f"{twice} is already in line {line_of(SOURCE, first)}", head)
        self.assert_refused(with_letter(ROWS, "0x41 U+0040 @"),
                            f"U+0040 is already in line {line_of(SOURCE, '0x40 U+0040 @')}", "0x41 U+0040 @")

    def test_a_code_without_a_glyph(self):
        status, said, _ = make(SOURCE.replace(LETTER_A, ""))
        self.assertEqual(status, 2)
        self.assertRegex(said, r"\Afont\.txt:\d+: 0x41 has no glyph\n\Z")
        self.assert_refused("", "0x00 has no glyph", 1)

    def test_directives(self):
        compose = "expected `compose U+0041 PIECE...`, with one `drop=0` to `drop=15` at most"
        for line, complaint in (
                ("turn U+0042", "expected a row or one of compose, invert, box, fill, shade, found `turn`"),
                ("compose U+0042", compose),
                ("compose U+0042 acute drop=16", compose),
                ("compose U+0042 drop=1 drop=2 acute", compose),
                ("compose U+0042 sharp", "there is no glyph or piece `sharp`"),
                ("compose U+F042 acute", "there is no glyph or piece `U+F042`"),
                ("compose U+0041 acute", "`U+0041` is made of itself"),
                ("invert", "expected `invert U+0041`"),
                ("box", "expected up, down, left or right =1 or =2, found nothing"),
                ("box up=3", "expected up, down, left or right =1 or =2, found `up=3`"),
                ("box above=1", "expected up, down, left or right =1 or =2, found `above=1`"),
                ("box up=1 down=2", "up and down have to be of one weight"),
                ("fill 0-7", "expected `fill COLUMN-COLUMN ROW-ROW`"),
                ("fill 0-8 0-15", "columns 0-8 are not within 0-7"),
                ("fill 0-7 9-8", "rows 9-8 are not within 0-15"),
                ("shade 4", "expected `shade 1`, `shade 2` or `shade 3`")):
            with self.subTest(line):
                self.assert_refused(with_letter([line]), complaint, line)

    def test_rows_and_directives_do_not_mix(self):
        self.assert_refused(with_letter(["shade 2", "shade 3"]), "0x41 has more than one directive", "shade 3")
        text = with_letter(["fill 1-2 3-4", "........"])
        self.assert_refused(text, "0x41 has both a directive and rows", line_of(text, "fill 1-2 3-4") + 1)

    def test_what_cannot_be_read_or_written(self):
        status, said, _ = make(b"; \xff\n")
        self.assertEqual(status, 2)
        self.assertRegex(said, r"\Amake_font\.py: cannot read .*font\.txt: no UTF-8: byte 2 is not\n\Z")
        for arguments, complaint in ((("none.txt", "x.cpp"), r"cannot read .*none\.txt"),
                                     (("font8x16.txt", "none/x.cpp"), r"cannot write .*x\.cpp")):
            status, said = run(*(ROMS / argument for argument in arguments))
            self.assertEqual(status, 2)
            self.assertRegex(said, rf"\Amake_font\.py: {complaint}: No such file or directory\n\Z")

    def test_as_a_program(self):
        program = [sys.executable, ROMS / "make_font.py"]
        with tempfile.TemporaryDirectory() as folder:
            output = pathlib.Path(folder, "font.cpp")
            done = subprocess.run([*program, ROMS / "font8x16.txt", output], check=False)
            self.assertEqual(done.returncode, 0)
            self.assertEqual(output.read_text(), make(SOURCE)[2].replace("font.txt", "font8x16.txt"))
        done = subprocess.run(program, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (2, "usage: make_font.py SOURCE.txt OUTPUT.cpp\n"))


if __name__ == "__main__":
    unittest.main()
