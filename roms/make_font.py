#!/usr/bin/env python3
"""Turns the drawn font roms/font8x16.txt into C++ data: make_font.py SOURCE OUTPUT.cpp

The source is a list of entries. A line that begins with ';' is a comment; an empty line means nothing.

    0x41 U+0041 A           a glyph: its code in code page 437, its Unicode character, the character again
    ..###...                (or a word, for characters that do not print), and 16 rows of 8 pixels
    ...
    piece acute             a part that glyphs are composed of: 16 rows as well
    ...
    0x82 U+00E9 é           a glyph told by one line instead of rows:
    compose U+0065 acute        the glyph of U+0065 with that piece on it; further pieces may follow, and
                                `drop=R` takes row R out of the base and lowers what is above it by one
    invert U+2022               each pixel the other way
    box up=1 left=2             lines from the middle to these edges, single (1) or double (2)
    fill 0-7 8-15               the columns and rows that are set, both ends included
    shade 2                     so many quarters of the pixels

A mistake is told in one line, `font8x16.txt:12: ...`, with status 2, and nothing is written.
"""
import pathlib
import re
import sys

WIDTH, HEIGHT, CODES = 8, 16, 256
HEADER = re.compile(r"0x([0-9a-f]{2}) U\+([0-9A-F]{4}) (\S+)")
PIECE = re.compile(r"piece ([a-z][a-z-]*)")

# Columns (first, last) of vertical lines and rows of horizontal ones: a single line, both rails of a double one, and
# the gap between the rails. Vertical strokes are two pixels wide and horizontal ones one, as those of the letters are.
LINE_X, DOUBLE_X, GAP_X = (3, 4), (1, 6), (3, 4)
LINE_Y, DOUBLE_Y, GAP_Y = (7, 7), (6, 9), (7, 8)
ARMS = ("up", "down", "left", "right")

# The patch that a shade of so many quarters repeats; it divides the cell, so cells join.
SHADES = {"1": ("#...", "..#."), "2": ("#.#.", ".#.#"), "3": (".###", "##.#")}


class Mistake(Exception):
    """What is wrong with the source, and in which line."""

    def __init__(self, line, text):
        super().__init__(text)
        self.line = line


class Entry:
    """A glyph or a piece as the source has it: a headline, and rows or one directive."""

    def __init__(self, line, name, code=None, point=None):
        self.line, self.name, self.code, self.point = line, name, code, point
        self.rows, self.directive, self.directive_line = [], None, None


def parse_headline(line, text):
    """The Entry that a headline opens."""
    piece = PIECE.fullmatch(text)
    if piece:
        return Entry(line, piece.group(1))
    header = HEADER.fullmatch(text)
    if not header:
        raise Mistake(line, f"expected a headline as `0x41 U+0041 A` or `piece NAME`, found `{text}`")
    code, point, name = int(header.group(1), 16), int(header.group(2), 16), header.group(3)
    if len(name) == 1 and name != chr(point):
        raise Mistake(line, f"U+{point:04X} is `{chr(point)}`, not `{name}`")
    return Entry(line, f"0x{code:02x}", code, point)


def pixel_bits(text):
    """A row of . and # as a byte; the leftmost pixel is bit 7."""
    return sum(1 << (WIDTH - 1 - x) for x, pixel in enumerate(text) if pixel == "#")


def parse_row(line, text, entry):
    number = len(entry.rows)
    if number == HEIGHT:
        raise Mistake(line, f"{entry.name} has more than {HEIGHT} rows")
    if len(text) != WIDTH or set(text) - set(".#"):
        raise Mistake(line, f"row {number} of {entry.name} is `{text}`, expected {WIDTH} characters, each . or #")
    return pixel_bits(text)


def parse(text):
    """The entries of the source in its order, each complete and of its own name, code and character."""
    entries, entry = [], None
    for line, row in enumerate(text.splitlines(), 1):
        row = row.rstrip()
        if not row or row.startswith(";"):
            continue
        if row.startswith(("0x", "piece")):
            close(entry)
            entry = parse_headline(line, row)
            entries.append(entry)
        elif entry is None:
            raise Mistake(line, f"expected a headline as `0x41 U+0041 A` or `piece NAME`, found `{row}`")
        elif row[0] in ".#" or entry.rows:
            if entry.directive:
                raise Mistake(line, f"{entry.name} has both a directive and rows")
            entry.rows.append(parse_row(line, row, entry))
        elif entry.directive:
            raise Mistake(line, f"{entry.name} has more than one directive")
        else:
            entry.directive, entry.directive_line = row.split(), line
    close(entry)
    check_unique(entries)
    return entries


def close(entry):
    if entry and not entry.directive and len(entry.rows) != HEIGHT:
        raise Mistake(entry.line, f"{entry.name} has {len(entry.rows)} rows, expected {HEIGHT}")


def check_unique(entries):
    seen = {}
    for entry in entries:
        keys = [entry.name] if entry.point is None else [entry.name, f"U+{entry.point:04X}"]
        for key in keys:
            if key in seen:
                raise Mistake(entry.line, f"{key} is already in line {seen[key]}")
            seen[key] = entry.line
    for code in range(CODES):
        if f"0x{code:02x}" not in seen:
            raise Mistake(entries[-1].line if entries else 1, f"0x{code:02x} has no glyph")


def between(first, last, axis, end, line):
    """The numbers first-last as given in a directive, if they lie in 0..end-1 in that order."""
    if not (0 <= first <= last < end):
        raise Mistake(line, f"{axis} {first}-{last} are not within 0-{end - 1}")
    return range(first, last + 1)


def pixels(columns, rows):
    """Rows of a glyph in which just these columns and rows are set."""
    bits = sum(1 << (WIDTH - 1 - x) for x in columns)
    return [bits if y in rows else 0 for y in range(HEIGHT)]


def merged(one, other):
    return [a | b for a, b in zip(one, other)]


def without(one, other):
    return [a & ~b for a, b in zip(one, other)]


def span(pair):
    return range(pair[0], pair[1] + 1)


def box(arms):
    """Lines from the middle to the edges in arms ({"up": 2, ...}). Each is first drawn as wide as it gets, then the
    gap of double ones is carved out, all the way into the middle; last come the single lines that cross it."""
    down_x = span(DOUBLE_X if 2 in (arms["up"], arms["down"]) else LINE_X)
    across_y = span(DOUBLE_Y if 2 in (arms["left"], arms["right"]) else LINE_Y)
    xs = range(0 if arms["left"] else down_x[0], WIDTH if arms["right"] else down_x[-1] + 1)
    ys = range(0 if arms["up"] else across_y[0], HEIGHT if arms["down"] else across_y[-1] + 1)
    across = pixels(xs, across_y) if arms["left"] or arms["right"] else pixels((), ())
    down = pixels(down_x, ys) if arms["up"] or arms["down"] else pixels((), ())
    glyph = merged(across, down)
    if 2 in (arms["left"], arms["right"]):
        first = 0 if arms["left"] else GAP_X[0]
        glyph = without(glyph, pixels(range(first, WIDTH if arms["right"] else GAP_X[1] + 1), span(GAP_Y)))
    if 2 in (arms["up"], arms["down"]):
        first = 0 if arms["up"] else GAP_Y[0]
        glyph = without(glyph, pixels(span(GAP_X), range(first, HEIGHT if arms["down"] else GAP_Y[1] + 1)))
    # A single line that only meets two rails stops at the first; one that goes on, or that they begin at, is whole.
    if 1 in (arms["left"], arms["right"]) and (arms["left"] and arms["right"] or not (arms["up"] and arms["down"])):
        glyph = merged(glyph, across)
    if 1 in (arms["up"], arms["down"]) and (arms["up"] and arms["down"] or not (arms["left"] and arms["right"])):
        glyph = merged(glyph, down)
    return glyph


class Builder:
    """Pixels of entries: drawn rows as they are, directives carried out once what they name is known."""

    def __init__(self, entries):
        self.entries = {entry.name if entry.point is None else f"U+{entry.point:04X}": entry for entry in entries}
        self.done, self.open = {}, []

    def rows_of(self, key, line):
        """The 16 rows of the glyph `U+0041` or of the piece of that name; line is that which asks for it."""
        if key not in self.entries:
            raise Mistake(line, f"there is no glyph or piece `{key}`")
        if key in self.open:
            raise Mistake(line, f"`{key}` is made of itself")
        if key not in self.done:
            entry = self.entries[key]
            self.open.append(key)
            self.done[key] = entry.rows or self.carried_out(entry)
            self.open.pop()
        return self.done[key]

    def carried_out(self, entry):
        line, (verb, *words) = entry.directive_line, entry.directive
        verbs = {"compose": self.compose, "invert": self.invert, "box": self.box, "fill": self.fill,
                 "shade": self.shade}
        if verb not in verbs:
            raise Mistake(line, f"expected a row or one of {', '.join(verbs)}, found `{verb}`")
        return verbs[verb](line, words)

    def compose(self, line, words):
        names = [word for word in words if not word.startswith("drop=")]
        drops = [word[len("drop="):] for word in words if word.startswith("drop=")]
        if len(names) < 2 or len(drops) > 1 or not all(drop.isdecimal() and int(drop) < HEIGHT for drop in drops):
            raise Mistake(line, "expected `compose U+0041 PIECE...`, with one `drop=0` to `drop=15` at most")
        rows = list(self.rows_of(names[0], line))
        for drop in drops:
            rows = [0] + rows[:int(drop)] + rows[int(drop) + 1:]
        for name in names[1:]:
            rows = merged(rows, self.rows_of(name, line))
        return rows

    def invert(self, line, words):
        if len(words) != 1:
            raise Mistake(line, "expected `invert U+0041`")
        return [~row & 0xff for row in self.rows_of(words[0], line)]

    def box(self, line, words):
        arms = dict.fromkeys(ARMS, 0)
        for word in words or [""]:
            arm, _, weight = word.partition("=")
            if arm not in arms or weight not in ("1", "2"):
                found = f"`{word}`" if word else "nothing"
                raise Mistake(line, f"expected up, down, left or right =1 or =2, found {found}")
            arms[arm] = int(weight)
        for one, other in (("up", "down"), ("left", "right")):
            if arms[one] and arms[other] and arms[one] != arms[other]:
                raise Mistake(line, f"{one} and {other} have to be of one weight")
        return box(arms)

    def fill(self, line, words):
        ranges = [re.fullmatch(r"(\d+)-(\d+)", word) for word in words]
        if len(words) != 2 or not all(ranges):
            raise Mistake(line, "expected `fill COLUMN-COLUMN ROW-ROW`")
        (left, right), (top, bottom) = ([int(number) for number in pair.groups()] for pair in ranges)
        return pixels(between(left, right, "columns", WIDTH, line), between(top, bottom, "rows", HEIGHT, line))

    def shade(self, line, words):
        if len(words) != 1 or words[0] not in SHADES:
            raise Mistake(line, "expected `shade 1`, `shade 2` or `shade 3`")
        patch = SHADES[words[0]]
        return [pixel_bits(patch[y % len(patch)] * (WIDTH // len(patch[0]))) for y in range(HEIGHT)]


def build(text):
    """The source as a list of (Unicode character, 16 rows) by code."""
    entries = parse(text)
    builder = Builder(entries)
    glyphs = [None] * CODES
    for entry in entries:
        key = entry.name if entry.point is None else f"U+{entry.point:04X}"
        rows = builder.rows_of(key, entry.line)
        if entry.code is not None:
            glyphs[entry.code] = (entry.point, rows)
    return glyphs


def cpp(glyphs, source):
    """The generated C++ source: what roms/font8x16_data.hpp declares."""
    lines = [f"// Made from roms/{source} by roms/make_font.py.", '#include "roms/font8x16_data.hpp"', "",
             "namespace forkscope::roms {", "", "const std::array<uint8_t, 256 * 16> kFontRows = {"]
    for code, (point, rows) in enumerate(glyphs):
        lines.append(f"    {' '.join(f'0x{row:02x},' for row in rows)}  // 0x{code:02x} U+{point:04X}")
    lines += ["};", "", "const std::array<char32_t, 256> kUnicodeOf = {"]
    for start in range(0, CODES, 8):
        lines.append("    " + " ".join(f"0x{point:04x}," for point, _ in glyphs[start:start + 8]))
    lines += ["};", "", "const std::array<CodeOf, 256> kCodeOf = {{"]
    order = sorted((point, code) for code, (point, _) in enumerate(glyphs))
    for start in range(0, CODES, 4):
        lines.append("    " + " ".join(f"{{0x{point:04x}, 0x{code:02x}}}," for point, code in order[start:start + 4]))
    lines += ["}};", "", "}  // namespace forkscope::roms", ""]
    return "\n".join(lines)


def read_font(path):
    """build() of a file, or a one-line complaint and status 2."""
    try:
        return build(path.read_text(encoding="utf-8"))
    except Mistake as mistake:
        sys.stderr.write(f"{path.name}:{mistake.line}: {mistake}\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"no UTF-8: byte {error.start} is not"
        sys.stderr.write(f"make_font.py: cannot read {path}: {reason}\n")
    sys.exit(2)


def main(arguments):
    if len(arguments) != 2:
        sys.stderr.write("usage: make_font.py SOURCE.txt OUTPUT.cpp\n")
        return 2
    source, output = map(pathlib.Path, arguments)
    text = cpp(read_font(source), source.name)
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        sys.stderr.write(f"make_font.py: cannot write {output}: {error.strerror}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
