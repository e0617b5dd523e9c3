// The states in which a CPU can start.
#pragma once

#include <cstdint>
#include <optional>

#include "emu/base/address.hpp"

namespace forkscope::cpu {

class CpuCore;

enum class ResetMode : uint8_t {
    Real,         // 16-bit real mode
    Protected32,  // flat 4 GiB segments, paging off: PVH and multiboot
    Long64,       // 64-bit mode with paging on, flat segments
};

// Registers that are not named are 0; interrupts are off.
struct ResetState {
    ResetMode mode = ResetMode::Protected32;
    uint64_t rip = 0;
    uint64_t rax = 0, rbx = 0, rdx = 0, rsi = 0, rdi = 0, rsp = 0;
    uint16_t code_selector = 0x10;  // Real: the base is 16 times this, unless code_base is given
    uint16_t data_selector = 0x18;
    std::optional<uint64_t> code_base = {};  // Real: after power-up the base is not what the selector says
    PhysAddr cr3;                            // Long64
    PhysAddr gdt_base;                       // Long64
    uint16_t gdt_limit = 0;
};

void apply_reset_state(const ResetState& reset_state, CpuCore& core);

}  // namespace forkscope::cpu
