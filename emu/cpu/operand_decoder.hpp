// Decodes the few instructions that we carry out ourselves: prefixes, opcode, ModRM and the address of a
// memory operand (Intel SDM vol. 2, chapter 2 "Instruction Format").
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "emu/cpu/live_state.hpp"

namespace forkscope::cpu {

struct DecodedInstruction {
    uint8_t opcode = 0;  // the byte after 0F
    uint8_t modrm = 0;   // 0 where the opcode has none
    uint8_t rex = 0;     // 0: no REX prefix
    uint8_t length = 0;  // bytes
    bool operand_size_prefix = false;
    bool has_memory = false;
    uint64_t linear = 0;  // of the memory operand

    [[nodiscard]] unsigned reg() const { return ((modrm >> 3) & 7u) | ((rex & 4u) << 1); }
    [[nodiscard]] unsigned rm() const { return (modrm & 7u) | ((rex & 1u) << 3); }
};

// The two-byte-opcode (0F xx) instruction at RIP, whose code is given; empty if it is none.
[[nodiscard]] std::optional<DecodedInstruction> decode_two_byte(std::span<const uint8_t> code,
                                                                const LiveState& state);

}  // namespace forkscope::cpu
