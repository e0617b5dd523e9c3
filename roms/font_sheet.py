#!/usr/bin/env python3
"""Shows the font as it is drawn: font_sheet.py OUTPUT.png [--source FILE] [--text FILE] [--scale N] [--nine]

Draws all 256 glyphs in 16 columns, each in its cell; or, with --text, a text file as a screen shows it. With --nine a
cell is nine pixels wide, as in VGA's 720-pixel modes.
"""
import argparse
import pathlib
import struct
import sys
import zlib

sys.dont_write_bytecode = True
import make_font  # noqa: E402 (beside this file, and no __pycache__ is left there)

BACKGROUND, CELL, INK = (16, 18, 24), (28, 32, 42), (204, 208, 214)


def cell_pixels(rows, code, nine):
    """The rows of a glyph as lists of 0 and 1; the ninth column repeats the eighth for line drawing."""
    result = []
    for row in rows:
        pixels = [row >> (7 - x) & 1 for x in range(8)]
        result.append(pixels + [pixels[7] if 0xc0 <= code <= 0xdf else 0] if nine else pixels)
    return result


def grid(glyphs, lines, nine, gap, paper):
    """An image (rows of colours) of lines of codes, gap pixels apart."""
    width = (9 if nine else 8) + gap
    columns = max(1, *map(len, lines))
    image = [[BACKGROUND] * (columns * width + gap) for _ in range(len(lines) * (16 + gap) + gap)]
    for line, codes in enumerate(lines):
        for column, code in enumerate(codes):
            for y, row in enumerate(cell_pixels(glyphs[code][1], code, nine)):
                start = gap + column * width
                image[gap + line * (16 + gap) + y][start:start + len(row)] = [INK if bit else paper for bit in row]
    return image


def text_codes(glyphs, path):
    """The lines of a text as codes; what the code page lacks is shown as a question mark."""
    codes = {chr(point): code for code, (point, _) in enumerate(glyphs)}
    text = path.read_text(encoding="utf-8", errors="replace") or " "
    return [[codes.get(letter, ord("?")) for letter in line] for line in text.expandtabs().splitlines()]


def write_png(path, image, scale):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = []
    for row in image:
        line = b"\0" + b"".join(bytes(colour) * scale for colour in row)
        rows.append(line * scale)
    size = struct.pack(">IIBBBBB", len(image[0]) * scale, len(image) * scale, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"".join(rows)))
                     + chunk(b"IEND", b""))


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--source", type=pathlib.Path, default=here / "font8x16.txt")
    parser.add_argument("--text", type=pathlib.Path, help="a text to show, UTF-8")
    parser.add_argument("--scale", type=int, default=4, choices=range(1, 17), metavar="1-16", help="default: 4")
    parser.add_argument("--nine", action="store_true")
    options = parser.parse_args()
    glyphs = make_font.read_font(options.source)
    try:
        if options.text:
            image = grid(glyphs, text_codes(glyphs, options.text), options.nine, 0, BACKGROUND)
        else:
            image = grid(glyphs, [range(start, start + 16) for start in range(0, 256, 16)], options.nine, 2, CELL)
        write_png(options.output, image, options.scale)
    except OSError as error:
        sys.stderr.write(f"font_sheet.py: {error.filename}: {error.strerror}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
