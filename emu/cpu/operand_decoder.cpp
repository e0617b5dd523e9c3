#include "emu/cpu/operand_decoder.hpp"

namespace forkscope::cpu {

namespace {

class Cursor {
public:
    explicit Cursor(std::span<const uint8_t> code) : code_(code) {}

    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] size_t position() const { return position_; }
    [[nodiscard]] uint8_t peek() const { return position_ < code_.size() ? code_[position_] : uint8_t{0}; }
    uint8_t byte() {
        if (position_ >= code_.size()) {
            ok_ = false;
            return 0;
        }
        return code_[position_++];
    }
    // A displacement of `bytes` bytes, sign-extended.
    uint64_t displacement(unsigned bytes) {
        uint64_t value = 0;
        for (unsigned i = 0; i < bytes; ++i) value |= uint64_t{byte()} << (8 * i);
        const unsigned unused = 64 - 8 * bytes;
        return bytes == 0 ? 0 : static_cast<uint64_t>(static_cast<int64_t>(value << unused) >> unused);
    }

private:
    std::span<const uint8_t> code_;
    size_t position_ = 0;
    bool ok_ = true;
};

struct Prefixes {
    int segment = -1;
    bool address_size = false;
    bool operand_size = false;
    uint8_t rex = 0;
};

Prefixes read_prefixes(Cursor& cursor, bool code64) {
    Prefixes p;
    for (;;) {
        const uint8_t byte = cursor.peek();
        switch (byte) {
            case 0x26:
                p.segment = kEs;
                break;
            case 0x2e:
                p.segment = kCs;
                break;
            case 0x36:
                p.segment = kSs;
                break;
            case 0x3e:
                p.segment = kDs;
                break;
            case 0x64:
                p.segment = kFs;
                break;
            case 0x65:
                p.segment = kGs;
                break;
            case 0x67:
                p.address_size = true;
                break;
            case 0x66:
                p.operand_size = true;
                break;
            case 0xf0:
            case 0xf2:
            case 0xf3:
                break;
            default:
                if (!code64 || (byte & 0xf0) != 0x40) return p;
                p.rex = cursor.byte();
                return p;
        }
        cursor.byte();
    }
}

struct Effective {
    uint64_t offset = 0;
    unsigned segment = kDs;
    bool rip_relative = false;
};

Effective address16(Cursor& cursor, uint8_t modrm, const LiveState& s) {
    const unsigned mod = modrm >> 6, rm = modrm & 7;
    if (mod == 0 && rm == 6) return {cursor.displacement(2) & 0xffff, kDs, false};
    static constexpr unsigned kBase[8] = {kRbx, kRbx, kRbp, kRbp, kRsi, kRdi, kRbp, kRbx};
    uint64_t offset = s.gpr(kBase[rm]);
    if (rm < 4) offset += s.gpr((rm & 1) != 0 ? kRdi : kRsi);
    offset += cursor.displacement(mod);
    return {offset & 0xffff, kBase[rm] == kRbp ? kSs : kDs, false};
}

Effective address32or64(Cursor& cursor, uint8_t modrm, uint8_t rex, bool code64, const LiveState& s) {
    const unsigned mod = modrm >> 6;
    unsigned base = modrm & 7;
    Effective e;
    const unsigned displacement_bytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;
    if (base == 4) {
        const uint8_t sib = cursor.byte();
        const unsigned index = ((sib >> 3) & 7u) | ((rex & 2u) << 2);
        base = sib & 7;
        if (index != 4) e.offset += s.gpr(index) << (sib >> 6);
        if (base == 5 && mod == 0) {
            e.offset += cursor.displacement(4);
            return e;
        }
    } else if (base == 5 && mod == 0) {
        e.offset = cursor.displacement(4);
        e.rip_relative = code64;
        return e;
    }
    if (base == kRsp || base == kRbp) e.segment = kSs;
    const unsigned extended = base | ((rex & 1u) << 3);
    if (extended > kRdi) e.segment = kDs;
    e.offset += s.gpr(extended) + cursor.displacement(displacement_bytes);
    return e;
}

}  // namespace

std::optional<DecodedInstruction> decode_two_byte(std::span<const uint8_t> code, const LiveState& s) {
    const bool code64 = s.code64();
    Cursor cursor(code);
    const Prefixes prefixes = read_prefixes(cursor, code64);
    if (cursor.byte() != 0x0f) return std::nullopt;
    DecodedInstruction d;
    d.rex = prefixes.rex;
    d.operand_size_prefix = prefixes.operand_size;
    d.opcode = cursor.byte();
    // WRMSR, RDMSR, RDPMC and CLTS have no ModRM byte.
    if (d.opcode == 0x30 || d.opcode == 0x32 || d.opcode == 0x33 || d.opcode == 0x06) {
        d.length = static_cast<uint8_t>(cursor.position());
        return cursor.ok() ? std::optional(d) : std::nullopt;
    }
    d.modrm = cursor.byte();
    // MOV to and from control registers takes every mod as a register.
    d.has_memory = d.modrm < 0xc0 && (d.opcode == 0x00 || d.opcode == 0x01);
    Effective e;
    const bool code32 = (s.hflags() & kHfCs32) != 0;
    const unsigned address_bits =
        code64 ? (prefixes.address_size ? 32 : 64) : (code32 != prefixes.address_size ? 32 : 16);
    if (d.has_memory)
        e = address_bits == 16 ? address16(cursor, d.modrm, s)
                               : address32or64(cursor, d.modrm, d.rex, code64, s);
    d.length = static_cast<uint8_t>(cursor.position());
    if (!cursor.ok()) return std::nullopt;
    if (e.rip_relative) e.offset += s.rip() + d.length;
    if (address_bits != 64) e.offset &= 0xffff'ffff;
    const unsigned segment = prefixes.segment >= 0 ? static_cast<unsigned>(prefixes.segment) : e.segment;
    const bool has_base = !code64 || segment == kFs || segment == kGs;
    d.linear = e.offset + (has_base ? s.segment(segment).base : 0);
    if (!code64) d.linear &= 0xffff'ffff;
    return d;
}

}  // namespace forkscope::cpu
