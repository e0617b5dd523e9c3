// REP MOVS and REP STOS, many steps at once. The engine runs each step as a block of its own. Where both
// operands lie in plain RAM that its TLB reaches, the steps up to the end of a page are one copy; whatever is
// otherwise (a page table, code, a device, a miss) is left to the engine, step by step. All that the guest
// and the log can see is the same: as many instructions retire, and the last step is always the engine's.
#pragma once

#include <cstdint>
#include <span>

#include "emu/cpu/live_state.hpp"

namespace forkscope::cpu {

class RepeatedString {
public:
    // Longer blocks are none.
    static constexpr uint32_t kMostBytes = 4;

    RepeatedString() = default;
    // The whole of a block's code, in 64-bit mode; not valid() if it is anything but such an instruction with
    // 64-bit addresses in the usual segments.
    explicit RepeatedString(std::span<const uint8_t> block);

    // Fewer steps than that the engine does as quickly.
    static constexpr uint64_t kFewSteps = 4;
    [[nodiscard]] static bool has_few_steps(const LiveState& state) { return state.gpr(kRcx) <= kFewSteps; }

    [[nodiscard]] bool valid() const { return element_ != 0; }

    // At the start of the instruction's block: carries out steps, `most` of them and all but the last at
    // most. How many it did, with the registers moved on.
    uint32_t run(const LiveState& state, uint32_t most) const;

private:
    uint8_t element_ = 0;  // bytes of a step
    bool moves_ = false;   // MOVS, else STOS
};

}  // namespace forkscope::cpu
