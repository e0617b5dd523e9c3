#include "emu/cpu/store_intent.hpp"

#include "emu/cpu/prefixes.hpp"

namespace forkscope::cpu {

namespace {

// SDM vol. 2, tables; /n is the opcode extension in the ModRM byte.
bool one_byte(uint8_t opcode, unsigned extension) {
    // ADD, OR, ADC, SBB, AND, SUB, XOR with memory as the destination; CMP (38, 39) only reads.
    if (opcode < 0x38 && (opcode & 7) < 2) return true;
    switch (opcode) {
        case 0x80:
        case 0x81:
        case 0x82:
        case 0x83:
            return extension != 7;  // CMP
        case 0x86:
        case 0x87:  // XCHG
        case 0xc0:
        case 0xc1:
        case 0xd0:
        case 0xd1:
        case 0xd2:
        case 0xd3:  // shifts
            return true;
        case 0xf6:
        case 0xf7:
            return extension == 2 || extension == 3;  // NOT, NEG
        case 0xfe:
        case 0xff:
            return extension <= 1;  // INC, DEC
        default:
            return false;
    }
}

// Table A-3.
bool two_byte(uint8_t opcode, unsigned extension) {
    switch (opcode) {
        case 0xa4:
        case 0xa5:
        case 0xac:
        case 0xad:  // SHLD, SHRD
        case 0xab:
        case 0xb3:
        case 0xbb:  // BTS, BTR, BTC
        case 0xb0:
        case 0xb1:  // CMPXCHG
        case 0xc0:
        case 0xc1:  // XADD
            return true;
        case 0xba:
            return extension >= 5;
        case 0xc7:
            return extension == 1;  // CMPXCHG8B, CMPXCHG16B
        default:
            return false;
    }
}

}  // namespace

bool reads_to_modify(std::span<const uint8_t> code, bool code64) {
    size_t i = prefix_bytes(code, code64);
    const bool escaped = i < code.size() && code[i] == 0x0f;
    if (escaped) ++i;
    if (i + 1 >= code.size() || code[i + 1] >= 0xc0) return false;
    const unsigned extension = (code[i + 1] >> 3) & 7u;
    return escaped ? two_byte(code[i], extension) : one_byte(code[i], extension);
}

}  // namespace forkscope::cpu
