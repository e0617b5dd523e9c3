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

// Whether the first instruction can load CS and with it another privilege level: a far call, jump or return,
// IRET, SYSRET or SYSEXIT. (SYSCALL, SYSENTER and INT are seen by hooks.)
[[nodiscard]] bool is_far_transfer(std::span<const uint8_t> code, unsigned bits);

}  // namespace forkscope::cpu
