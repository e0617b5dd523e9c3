// Lengths and text of instructions, by Capstone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace forkscope::cpu {

// Bytes of the first instruction; 0 if it is none. bits: 16, 32 or 64.
[[nodiscard]] size_t instruction_length(std::span<const uint8_t> code, unsigned bits);

// The first instruction as text, or "(bad)".
[[nodiscard]] std::string disassemble(std::span<const uint8_t> code, uint64_t address, unsigned bits);

// Whether the first instruction refers to memory through SS: by push, pop, call, return, or with RBP or
// RSP as its base and no other segment. Such a reference outside its segment, or to a non-canonical
// address, is #SS, not #GP (Intel SDM vol. 3, 6.15 "Stack Fault Exception").
[[nodiscard]] bool references_stack(std::span<const uint8_t> code, unsigned bits);

// A memory operand, said or implied (the stack); registers by their number in encodings, -1 for none.
struct MemoryOperand {
    int base = -1, index = -1;
    unsigned scale = 1;
    int64_t displacement = 0;
    unsigned segment = 0;  // as in encodings: ES CS SS DS FS GS
    unsigned address_bytes = 8;
    unsigned bytes = 0;
    bool rip_relative = false;
    bool read = false, written = false;
};
inline constexpr size_t kMostMemoryOperands = 4;

// Those of the first instruction; how many.
[[nodiscard]] size_t memory_operands(std::span<const uint8_t> code, unsigned bits,
                                     std::span<MemoryOperand, kMostMemoryOperands> operands);

// Whether the first instruction can load CS and with it another privilege level: a far call, jump or return,
// IRET, SYSRET or SYSEXIT. (SYSCALL, SYSENTER and INT are seen by hooks.)
[[nodiscard]] bool is_far_transfer(std::span<const uint8_t> code, unsigned bits);

}  // namespace forkscope::cpu
