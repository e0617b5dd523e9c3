// An instruction that touches a page with a watched byte runs alone, by the trap flag: then it is known when
// it is done, which is when a data breakpoint is reported (Intel SDM vol. 3, 18.3.1.2 "Data Memory and I/O
// Breakpoint Exception Conditions").
#include <array>

#include "emu/cpu/cpu.hpp"
#include "emu/cpu/disassembler.hpp"

namespace forkscope::cpu {

namespace {

constexpr uint64_t kDr6SingleStep = 1u << 14;

uint64_t linear_address(const MemoryOperand& operand, const LiveState& s, uint64_t next_rip) {
    uint64_t offset = static_cast<uint64_t>(operand.displacement);
    if (operand.base >= 0) offset += s.gpr(static_cast<unsigned>(operand.base));
    if (operand.index >= 0) offset += s.gpr(static_cast<unsigned>(operand.index)) * operand.scale;
    if (operand.rip_relative) offset += next_rip;
    if (operand.address_bytes < 8) offset &= (uint64_t{1} << (8 * operand.address_bytes)) - 1;
    const bool has_base = !s.code64() || operand.segment == kFs || operand.segment == kGs;
    const uint64_t linear = offset + (has_base ? s.segment(operand.segment).base : 0);
    return s.code64() ? linear : linear & 0xffff'ffff;
}

}  // namespace

// DR0 to DR7 were written.
void Cpu::watch_changed() {
    const bool was_armed = watch_.armed();
    watch_.update(core_.state());
    if (was_armed || watch_.armed()) core_.flush_engine();
}

void Cpu::begin_watched_step() {
    LiveState& s = core_.state();
    uint8_t bytes[15];
    const std::span<const uint8_t> code(bytes, core_.peek_code(core_.linear_rip(), bytes));
    std::array<MemoryOperand, kMostMemoryOperands> operands;
    const size_t count = memory_operands(code, s.code_bits(), operands);
    const uint64_t next_rip = s.rip() + instruction_length(code, s.code_bits());
    watch_hits_ = 0;
    for (size_t i = 0; i < count; ++i) {
        const uint64_t at = linear_address(operands[i], s, next_rip);
        if (operands[i].written) watch_hits_ |= watch_.hits(at, operands[i].bytes, true);
        if (operands[i].read) watch_hits_ |= watch_.hits(at, operands[i].bytes, false);
    }
    watch_stepping_ = true;
    guest_steps_ = (s.eflags() & kFlagTf) != 0;
    s.eflags() |= kFlagTf;
}

// Undoes what stepping set, and withholds the page again.
void Cpu::end_watched_step() {
    if (!watch_stepping_) return;
    watch_stepping_ = false;
    if (!guest_steps_) core_.state().eflags() &= ~kFlagTf;
    core_.flush_engine();
}

// The instruction is done. False: it was not ours that was stepped.
bool Cpu::finish_watched_step() {
    if (!watch_stepping_) return false;
    LiveState& s = core_.state();
    end_watched_step();
    core_.clock().leave_at(core_.linear_rip());
    if (!guest_steps_) s.dr(6) &= ~kDr6SingleStep;
    if (watch_hits_ == 0 && !guest_steps_) return true;
    s.dr(6) |= watch_hits_ | (guest_steps_ ? kDr6SingleStep : 0);
    deliver({.vector = kDebug, .origination = Origination::Trap});
    return true;
}

}  // namespace forkscope::cpu
