#include "emu/cpu/reset_state.hpp"

#include <cstring>

#include "emu/cpu/cpu_core.hpp"

namespace forkscope::cpu {

namespace {

constexpr uint32_t kCode16 = 0x9b00, kData16 = 0x9300;
constexpr uint32_t kCode32 = 0x00cf9b00, kData32 = 0x00cf9300, kCode64 = 0x00af9b00;
// Without the busy bit, which the engine keeps in the descriptor alone.
constexpr uint32_t kTss = 0x8900, kLdt = 0x8200;
constexpr uint32_t kFlatLimit = 0xffff'ffff, kRealLimit = 0xffff;
constexpr uint64_t kCr0Et = 1u << 4;

void set_segments(LiveState& s, const SegmentCache& code, const SegmentCache& data) {
    for (unsigned n = kEs; n <= kGs; ++n) s.segment(n) = n == kCs ? code : data;
    s.ldt() = {0, 0, 0, kRealLimit, kLdt};
    s.tr() = {0, 0, 0, kRealLimit, kTss};
}

}  // namespace

void apply_reset_state(const ResetState& r, CpuCore& core) {
    LiveState& s = core.state();
    for (unsigned n = kRax; n <= kR15; ++n) s.gpr(n) = 0;
    s.gpr(kRax) = r.rax;
    s.gpr(kRbx) = r.rbx;
    s.gpr(kRdx) = r.rdx;
    s.gpr(kRsi) = r.rsi;
    s.gpr(kRdi) = r.rdi;
    s.gpr(kRsp) = r.rsp;
    core.engine().set_rflags(2);
    s.cr(2) = s.cr(3) = s.cr(4) = 0;
    s.efer() = 0;
    s.gdt() = {0, 0, r.gdt_base.raw(), r.gdt_limit, 0};
    s.idt() = {0, 0, 0, r.mode == ResetMode::Real ? 0x3ffu : 0u, 0};
    s.hflags2() = kHf2Gif;
    switch (r.mode) {
        case ResetMode::Real:
            s.cr(0) = kCr0Et;
            set_segments(s,
                         {r.code_selector, 0, r.code_base.value_or(uint64_t{r.code_selector} << 4),
                          kRealLimit, kCode16},
                         {r.data_selector, 0, uint64_t{r.data_selector} << 4, kRealLimit, kData16});
            s.hflags() = kHfAddSeg;
            break;
        case ResetMode::Protected32:
            s.cr(0) = kCr0Et | kCr0Pe;
            set_segments(s, {r.code_selector, 0, 0, kFlatLimit, kCode32},
                         {r.data_selector, 0, 0, kFlatLimit, kData32});
            s.hflags() = kHfPe | kHfCs32 | kHfSs32;
            break;
        case ResetMode::Long64:
            s.cr(0) = kCr0Et | kCr0Pe | kCr0Pg;
            s.cr(3) = r.cr3.raw();
            s.cr(4) = kCr4Pae;
            s.efer() = kEferLme | kEferLma;
            set_segments(s, {r.code_selector, 0, 0, kFlatLimit, kCode64},
                         {r.data_selector, 0, 0, kFlatLimit, kData32});
            s.hflags() = kHfPe | kHfCs32 | kHfSs32 | kHfLma | kHfCs64;
            break;
    }
    s.rip() = r.rip;
    s.old_exception() = ~0u;
    core.engine().arm_intercepts();
    core.flush_engine();
}

}  // namespace forkscope::cpu
