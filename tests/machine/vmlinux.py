"""The kernel inside a bzImage: its ELF, its symbols by its own table (kallsyms), and changes to its code.

    image = vmlinux.Vmlinux.of_bzimage(pathlib.Path("/boot/vmlinuz-6.1.0-56-cloud-amd64"))
    image.patch("flush_tlb_mm_range", vmlinux.RETURN)
    image.write(path)

What does not look as expected raises BadImage with one line.
"""
import re
import struct

RETURN = b"\xc3"  # RET
LZ4_LEGACY = b"\x02\x21\x4c\x18"
ENDBR64 = b"\xf3\x0f\x1e\xfa"
CALL = 0xe8
NOP5 = b"\x0f\x1f\x44\x00\x00"
TOKENS = 256  # of kallsyms: pieces of names


def is_prologue(code):
    """Whether it is a PUSH of a register, or SUB RSP."""
    return 0x50 <= code[0] <= 0x57 or code[0] == 0x41 and 0x50 <= code[1] <= 0x57 or code[:3] == b"\x48\x83\xec"


class BadImage(Exception):
    """One line for the user."""


def lz4_block(block):
    """The bytes that one LZ4 block stands for: literals, and copies of what came before."""
    out = bytearray()
    at = 0

    def longer(length):
        nonlocal at
        if length != 15:
            return length
        while True:
            more = block[at]
            at += 1
            length += more
            if more != 255:
                return length

    while at < len(block):
        token = block[at]
        at += 1
        length = longer(token >> 4)
        out += block[at:at + length]
        at += length
        if at >= len(block):
            break
        distance = block[at] | block[at + 1] << 8
        at += 2
        length = longer(token & 15) + 4
        start = len(out) - distance
        if distance == 0 or start < 0:
            raise BadImage("an LZ4 block copies from before its beginning")
        if distance >= length:
            out += out[start:start + length]
        else:
            piece = out[start:]
            out += (piece * (length // distance + 1))[:length]
    return bytes(out)


def unpack_lz4(data):
    """A row of blocks, each after its length, as `lz4 -l` makes them and the kernel's build uses it. The last word is the
    length of the whole."""
    out = bytearray()
    at = len(LZ4_LEGACY)
    while at + 4 < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        at += 4
        out += lz4_block(data[at:at + length])
        at += length
    return bytes(out)


def payload_of(bzimage):
    """The compressed kernel: Documentation/arch/x86/boot.rst, payload_offset and payload_length."""
    if len(bzimage) < 0x260 or bzimage[0x202:0x206] != b"HdrS":
        raise BadImage("no bzImage: 'HdrS' was expected at 0x202")
    start = (bzimage[0x1f1] + 1) * 512
    offset, length = struct.unpack_from("<II", bzimage, 0x248)
    return bzimage[start + offset:start + offset + length]


class Vmlinux:
    def __init__(self, elf):
        if elf[:4] != b"\x7fELF":
            raise BadImage("the kernel in the bzImage is no ELF image")
        self.bytes = bytearray(elf)
        self.segments = self._segments()
        self.symbols = self._kallsyms()

    @classmethod
    def of_bzimage(cls, path):
        payload = payload_of(path.read_bytes())
        if not payload.startswith(LZ4_LEGACY):
            raise BadImage(f"{path}: the kernel in it is compressed by something else than LZ4 (it begins with "
                           f"{payload[:4].hex()}); Debian's 6.1 uses LZ4")
        return cls(unpack_lz4(payload))

    def _segments(self):
        """(virtual address, offset, bytes) of what is loaded."""
        (headers,) = struct.unpack_from("<Q", self.bytes, 32)
        size, count = struct.unpack_from("<HH", self.bytes, 54)
        found = []
        for n in range(count):
            kind, _, offset, address, _, length = struct.unpack_from("<IIQQQQ", self.bytes, headers + n * size)
            if kind == 1 and address >> 63:
                found.append((address, offset, length))
        return found

    def offset_of(self, address):
        for start, offset, length in self.segments:
            if start <= address < start + length:
                return offset + address - start
        raise BadImage(f"{address:#x} is not in the kernel image")

    def _kallsyms(self):
        """{name: address} of what the kernel's own table holds (Linux 6.1, scripts/kallsyms.c, write_src): offsets, their
        base, the number of symbols, names, markers, tokens and the index of the tokens, each at a multiple of 8."""
        tokens, start = self._tokens()
        for at in range(start - start % 8 - 8, max(0, start - (64 << 20)), -8):
            (count,) = struct.unpack_from("<Q", self.bytes, at)
            if 1000 <= count <= 1 << 20:
                names = self._names(tokens, at + 8, count, start)
                if names:
                    break
        else:
            raise BadImage("the table of symbols (kallsyms) has no names where Linux 6.1 has them")
        (base,) = struct.unpack_from("<Q", self.bytes, at - 8)
        offsets = struct.unpack_from(f"<{count}i", self.bytes, at - 8 - (4 * count + 7) // 8 * 8)
        if base >> 31 != 0x1ffffffff or sum(offset < 0 for offset in offsets) <= count // 2:
            raise BadImage("the table of symbols (kallsyms) has no addresses where Linux 6.1 has them")
        return {name[1:]: base - 1 - offset for name, offset in zip(names, offsets) if offset < 0 and name[:1] in "TtWw"}

    def _tokens(self):
        """(the 256 pieces of names, where they begin). Digits are tokens of themselves and stand in a row."""
        digits = b"".join(b"%d\0" % n for n in range(10))
        for match in re.finditer(re.escape(digits), self.bytes):
            end = match.start()
            for _ in range(TOKENS - ord("0")):
                end = self.bytes.index(b"\0", end) + 1
            index = struct.unpack_from(f"<{TOKENS}H", self.bytes, (end + 7) // 8 * 8)
            start = match.start() - index[ord("0")]
            tokens = self.bytes[start:end].split(b"\0")[:TOKENS]
            places = [sum(len(token) + 1 for token in tokens[:n]) for n in range(len(tokens))]
            if places == list(index):
                return tokens, start
        raise BadImage("the image has no table of symbols (kallsyms)")

    def _names(self, tokens, at, count, end):
        """So many names, or None if they do not end before `end` with the markers after them."""
        first, marker, names = at, 0, []
        for n in range(count):
            if n == 256:
                marker = at - first
            length, at = self.bytes[at], at + 1
            if length & 0x80:
                length, at = length & 0x7f | self.bytes[at] << 7, at + 1
            if length == 0 or at + length > end:
                return None
            names.append(b"".join(tokens[token] for token in self.bytes[at:at + length]).decode(errors="replace"))
            at += length
        return names if struct.unpack_from("<II", self.bytes, (at + 7) // 8 * 8) == (0, marker) else None

    def address_of(self, function):
        if function not in self.symbols:
            raise BadImage(f"the kernel has no function {function}: another version has another name for it")
        return self.symbols[function]

    def patch(self, function, code):
        """Puts code at the beginning of a function, which must look like the beginning of one."""
        at = self.offset_of(self.address_of(function))
        # With CONFIG_FUNCTION_TRACER a function begins with a call to __fentry__ (5 bytes) that the kernel may rewrite as
        # it boots, with IBT by ENDBR64 before it; the patch goes behind them.
        if self.bytes[at:at + 4] == ENDBR64:
            at += len(ENDBR64)
        if self.bytes[at] == CALL:
            at += 5
        elif self.bytes[at:at + 5] != NOP5 and not is_prologue(self.bytes[at:at + 3]):
            raise BadImage(f"{function} begins with {self.bytes[at:at + 8].hex(' ')}, which is no beginning of a function that "
                           "is known here: this kernel was built in another way")
        self.bytes[at:at + len(code)] = code

    def write(self, path):
        path.write_bytes(self.bytes)
