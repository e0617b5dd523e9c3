// Prefixes of an instruction (Intel SDM vol. 2, 2.1.1 "Instruction Prefixes" and 2.2.1 "REX Prefixes").
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace forkscope::cpu {

[[nodiscard]] constexpr bool is_prefix(uint8_t byte, bool code64) {
    switch (byte) {
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
        case 0x64:
        case 0x65:  // segment overrides
        case 0x66:
        case 0x67:  // operand and address size
        case 0xf0:
        case 0xf2:
        case 0xf3:  // LOCK, REPNE, REP
            return true;
        default:
            return code64 && (byte & 0xf0) == 0x40;  // REX
    }
}

// How many of them the code begins with.
[[nodiscard]] constexpr size_t prefix_bytes(std::span<const uint8_t> code, bool code64) {
    size_t count = 0;
    while (count < code.size() && is_prefix(code[count], code64)) ++count;
    return count;
}

}  // namespace forkscope::cpu
