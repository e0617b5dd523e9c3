#include "emu/cpu/cpu.hpp"
#include "emu/cpu/engine_internals.hpp"

namespace forkscope::cpu {

// The engine grows and shrinks its TLB by host time, at flushes; a smaller one fills more often, so runs
// would differ. The start of its window is pinned by virtual time instead: a tenth of a second, more or less,
// as the engine has it. A shorter one leaves a program that never flushes with the small table of its start.
void Cpu::pin_resize_windows() {
    constexpr InstrCount kWindow = 120'000'000;
    constexpr int64_t kNotYet = INT64_MAX / 2, kOver = 0;
    const EngineTlb tlb(core_.state());
    const InstrCount now = core_.clock().at_block_start();
    for (unsigned mode = 0; mode < EngineTlbLayout::kModes; ++mode) {
        int64_t& begin = tlb.window_begin(mode);
        if (begin != pinned_window_[mode]) window_end_[mode] = now + kWindow;
        begin = pinned_window_[mode] = now < window_end_[mode] ? kNotYet : kOver;
    }
}

}  // namespace forkscope::cpu
