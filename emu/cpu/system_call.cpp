// SYSCALL and SYSENTER (Intel SDM vol. 2, "SYSCALL", "SYSENTER"; AMD APM vol. 2, 6.1 for the legacy
// target of SYSCALL).
#include "emu/cpu/delivery.hpp"

namespace forkscope::cpu {

namespace {

// Descriptor words of the flat segments that both instructions load without looking at the GDT.
constexpr uint32_t kCode64 = 0x00af9b00, kCode32 = 0x00cf9b00, kData = 0x00cf9300;
constexpr uint64_t kInstructionBytes = 2;

void load_flat_kernel_segments(LiveState& s, uint16_t code_selector, bool long_target) {
    s.segment(kCs) = {code_selector, 0, 0, 0xffff'ffff, long_target ? kCode64 : kCode32};
    s.segment(kSs) = {static_cast<uint32_t>(code_selector + 8), 0, 0, 0xffff'ffff, kData};
    uint32_t hflags = s.hflags() & ~(kHfCplMask | kHfCs64 | kHfAddSeg | kHfInhibitIrq);
    hflags |= kHfCs32 | kHfSs32 | (long_target ? kHfCs64 : 0);
    s.hflags() = hflags;
}

}  // namespace

std::optional<Exception> Delivery::system_call() {
    LiveState& s = core_.state();
    if ((s.efer() & kEferSce) == 0) return invalid_opcode();
    // Intel's know it in 64-bit mode alone.
    if (!s.code64() && !core_.model().is_amd()) return invalid_opcode();
    const auto selector = static_cast<uint16_t>((s.star() >> 32) & 0xfffc);
    const uint64_t rflags = core_.engine().rflags();
    const uint64_t next = s.rip() + kInstructionBytes;
    if (s.long_mode()) {
        const uint64_t target = s.code64() ? s.lstar() : s.cstar();
        s.gpr(kRcx) = next;
        s.gpr(kR11) = rflags & ~kFlagRf;
        load_flat_kernel_segments(s, selector, true);
        core_.engine().set_rflags(rflags & ~(s.fmask() | kFlagRf));
        s.rip() = target - kInstructionBytes;
        return std::nullopt;
    }
    s.gpr(kRcx) = next & 0xffff'ffff;
    load_flat_kernel_segments(s, selector, false);
    core_.engine().set_rflags(rflags & ~(kFlagIf | kFlagRf | kFlagVm));
    s.rip() = (s.star() & 0xffff'ffff) - kInstructionBytes;
    return std::nullopt;
}

std::optional<Exception> Delivery::system_enter() {
    LiveState& s = core_.state();
    const auto selector = static_cast<uint16_t>(s.sysenter_cs() & 0xfffc);
    if (!s.protected_mode() || selector == 0) return general_protection(0);
    const bool long_target = s.long_mode();
    load_flat_kernel_segments(s, selector, long_target);
    s.eflags() &= ~(kFlagIf | kFlagRf | kFlagVm);
    const uint64_t mask = long_target ? ~uint64_t{0} : 0xffff'ffff;
    s.gpr(kRsp) = s.sysenter_esp() & mask;
    s.rip() = (s.sysenter_eip() & mask) - kInstructionBytes;
    return std::nullopt;
}

}  // namespace forkscope::cpu
