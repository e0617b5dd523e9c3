// An interrupt or exception through a task gate, in 32-bit protected mode (Intel SDM vol. 3, 8.3 "Task
// Switching", 6.12.2 "Interrupt Tasks"). Jumps and calls to tasks are the engine's own.
#include <algorithm>
#include <array>

#include "emu/cpu/delivery.hpp"
#include "emu/cpu/engine_internals.hpp"

namespace forkscope::cpu {

namespace {

constexpr uint16_t kRplMask = 3, kTableIndicator = 4;
constexpr unsigned kAvailableTss = 9, kLdtType = 2;
constexpr uint32_t kSmallestTss = 0x67;

// The 32-bit TSS (figure 8-2).
constexpr uint64_t kCr3 = 28, kEip = 32, kRegisters = 40, kSegments = 72, kLdtSelector = 96;
constexpr size_t kSavedWords = 16;  // EIP, EFLAGS, eight registers, six segments

unsigned type_of(const SegmentDescriptor& descriptor) { return (descriptor.flags() >> 8) & 0x1f; }

}  // namespace

Guarded<uint32_t> Delivery::task_word(uint64_t offset) {
    return static_cast<uint32_t>(
        GUARD(memory_.read(core_.state().tr().base + offset, 4, mmu::Privilege::ImplicitSupervisor)));
}

Guarded<bool> Delivery::save_task() {
    LiveState& s = core_.state();
    std::array<uint32_t, kSavedWords> words{};
    words[0] = static_cast<uint32_t>(s.rip());
    words[1] = static_cast<uint32_t>(core_.engine().rflags());
    for (unsigned n = kRax; n <= kRdi; ++n) words[2 + n] = static_cast<uint32_t>(s.gpr(n));
    for (unsigned n = kEs; n <= kGs; ++n) words[10 + n] = s.segment(n).selector;
    return memory_.write(s.tr().base + kEip, {reinterpret_cast<const uint8_t*>(words.data()), sizeof words},
                         mmu::Privilege::ImplicitSupervisor);
}

// From here on the new task is the one that runs, and the one that faults.
Guarded<bool> Delivery::through_task_gate(const Gate& gate, const Exception& exception) {
    LiveState& s = core_.state();
    const uint32_t ext = external_bit(exception);
    const uint16_t selector = gate.selector();
    const Exception refusal = general_protection(selector_error(selector, ext));
    if ((selector & ~kRplMask) == 0 || (selector & kTableIndicator) != 0) return tl::make_unexpected(refusal);
    const SegmentDescriptor descriptor(GUARD(read_descriptor(selector, refusal)));
    if (type_of(descriptor) != kAvailableTss) return tl::make_unexpected(refusal);
    if (!descriptor.present())
        return tl::make_unexpected(
            Exception{.vector = kSegmentNotPresent, .error_code = selector_error(selector, ext)});
    if (descriptor.limit() < kSmallestTss)
        return tl::make_unexpected(
            Exception{.vector = kInvalidTss, .error_code = selector_error(selector, ext)});
    GUARD(save_task());

    const auto link = static_cast<uint16_t>(s.tr().selector);
    const uint8_t link_bytes[2] = {static_cast<uint8_t>(link), static_cast<uint8_t>(link >> 8)};
    GUARD(memory_.write(descriptor.base(), link_bytes, mmu::Privilege::ImplicitSupervisor));
    const auto busy = static_cast<uint8_t>((descriptor.flags() >> 8) | 2);
    GUARD(memory_.write(s.gdt().base + (selector & ~uint64_t{7}) + 5, {&busy, 1},
                        mmu::Privilege::ImplicitSupervisor));
    s.tr() = descriptor.cache(selector);
    cpu_x86_update_cr0_x86_64(s.env(), static_cast<uint32_t>(s.cr(0) | kCr0Ts));
    return enter_task(exception);
}

Guarded<bool> Delivery::enter_task(const Exception& exception) {
    LiveState& s = core_.state();
    const uint32_t cr3 = GUARD(task_word(kCr3));
    if ((s.cr(0) & kCr0Pg) != 0 && cr3 != s.cr(3)) {
        const uint64_t old_value = s.cr(3);
        cpu_x86_update_cr3_x86_64(s.env(), cr3);
        core_.engine_flushed_itself();
        core_.mmu().on_flush(log::FlushKind::Cr3Load, VirtAddr(), old_value, cr3, core_.paging_registers(),
                             core_.origin());
    }
    std::array<uint32_t, kSavedWords> words{};
    for (size_t i = 0; i < kSavedWords; ++i) words[i] = GUARD(task_word(kEip + 4 * i));
    const auto ldt = static_cast<uint16_t>(GUARD(task_word(kLdtSelector)));
    s.rip() = words[0];
    core_.engine().set_rflags((words[1] & ~kFlagVm) | kFlagNt | 2);
    for (unsigned n = kRax; n <= kRdi; ++n) s.gpr(n) = words[(kRegisters - kEip) / 4 + n];
    for (unsigned n = kEs; n <= kGs; ++n)
        s.segment(n) = {words[(kSegments - kEip) / 4 + n] & 0xffff, 0, 0, 0, 0};
    s.hflags() = (s.hflags() & ~(kHfCplMask | kHfInhibitIrq | kHfVm)) | (s.segment(kCs).selector & kRplMask);
    GUARD(load_task_ldt(ldt));
    for (const unsigned n : {kCs, kSs, kEs, kDs, kFs, kGs}) GUARD(load_task_segment(n));
    if (!exception.error_code) return true;
    const bool wide = (s.segment(kSs).flags & (1u << 22)) != 0;
    const uint64_t mask = wide ? 0xffff'ffff : 0xffff;
    const uint64_t top = (s.gpr(kRsp) - 4) & mask;
    const uint32_t code = *exception.error_code;
    const auto privilege = s.cpl() == 3 ? mmu::Privilege::User : mmu::Privilege::Supervisor;
    GUARD(memory_.push((s.segment(kSs).base + top) & 0xffff'ffff,
                       {reinterpret_cast<const uint8_t*>(&code), 4}, 4, privilege));
    s.gpr(kRsp) = (s.gpr(kRsp) & ~mask) | top;
    return true;
}

Guarded<bool> Delivery::load_task_ldt(uint16_t selector) {
    LiveState& s = core_.state();
    s.ldt() = {selector, 0, 0, 0, 0};
    if ((selector & ~kRplMask) == 0) return true;
    const Exception bad{.vector = kInvalidTss, .error_code = selector_error(selector, 0)};
    if ((selector & kTableIndicator) != 0) return tl::make_unexpected(bad);
    const SegmentDescriptor descriptor(GUARD(read_descriptor(selector, bad)));
    if (type_of(descriptor) != kLdtType || !descriptor.present()) return tl::make_unexpected(bad);
    s.ldt() = descriptor.cache(selector);
    return true;
}

// Table 8-1 "Exception Conditions Checked During a Task Switch", tests 7 to 12.
Guarded<bool> Delivery::load_task_segment(unsigned n) {
    LiveState& s = core_.state();
    const auto selector = static_cast<uint16_t>(s.segment(n).selector);
    const unsigned rpl = selector & kRplMask;
    const Exception bad{.vector = kInvalidTss, .error_code = selector_error(selector, 0)};
    if ((selector & ~kRplMask) == 0) {
        if (n == kCs || n == kSs) return tl::make_unexpected(bad);
        return true;
    }
    const SegmentDescriptor descriptor(GUARD(read_descriptor(selector, bad)));
    bool fits = false;
    if (n == kCs)
        fits = descriptor.is_code() &&
               (descriptor.conforming() ? descriptor.dpl() <= rpl : descriptor.dpl() == rpl);
    else if (n == kSs)
        fits = descriptor.is_writable_data() && descriptor.dpl() == s.cpl() && rpl == s.cpl();
    else
        fits = descriptor.is_readable() && ((descriptor.is_code() && descriptor.conforming()) ||
                                            descriptor.dpl() >= std::max(rpl, s.cpl()));
    if (!fits) return tl::make_unexpected(bad);
    if (!descriptor.present())
        return tl::make_unexpected(Exception{.vector = n == kSs ? kStackFault : kSegmentNotPresent,
                                             .error_code = selector_error(selector, 0)});
    mark_accessed(selector, descriptor);
    s.segment(n) = descriptor.cache(selector);
    uint32_t hflags = s.hflags() | kHfAddSeg;
    if (n == kCs) hflags = (hflags & ~kHfCs32) | (descriptor.default_32() ? kHfCs32 : 0);
    if (n == kSs) hflags = (hflags & ~kHfSs32) | (descriptor.default_32() ? kHfSs32 : 0);
    s.hflags() = hflags;
    return true;
}

}  // namespace forkscope::cpu
