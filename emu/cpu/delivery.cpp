#include "emu/cpu/delivery.hpp"

#include <array>
#include <cstring>

namespace forkscope::cpu {

namespace {

constexpr uint16_t kRplMask = 3;
constexpr uint16_t kTableIndicator = 4;  // the descriptor is in the LDT
constexpr uint32_t kIdtErrorBit = 2;

// The words of a frame as they lie in memory, lowest address first.
template <typename Word, size_t N>
class Frame {
public:
    void push(uint64_t value) { words_[N - ++count_] = static_cast<Word>(value); }
    [[nodiscard]] std::span<const uint8_t> bytes() const {
        return {reinterpret_cast<const uint8_t*>(&words_[N - count_]), count_ * sizeof(Word)};
    }

private:
    std::array<Word, N> words_{};
    size_t count_ = 0;
};

constexpr size_t kMostWords = 10;  // GS, FS, DS, ES, SS, SP, FLAGS, CS, IP, error code

// RFLAGS as the frame shows it: a fault can be restarted, so RF is set in it; every instruction that is done
// clears it, which the engine does not (SDM vol. 3, 17.3.1.1 "Instruction-Breakpoint Exception Condition").
uint64_t saved_flags(uint64_t rflags, const Exception& e) {
    return e.origination == Origination::Fault ? rflags | kFlagRf : rflags & ~kFlagRf;
}

}  // namespace

// The EXT bit of faults on the way to the handler: the event did not come from INT n.
uint32_t Delivery::external_bit(const Exception& e) { return e.origination == Origination::Software ? 0 : 1; }

uint32_t Delivery::selector_error(uint16_t selector, uint32_t ext) {
    return static_cast<uint32_t>(selector & ~kRplMask) | ext;
}

bool Delivery::deliver(const Exception& first, const log::Origin& origin) {
    Exception exception = first;
    LiveState& s = core_.state();
    for (;;) {
        // The engine would turn the next contributory fault into a double fault by itself.
        s.old_exception() = ~0u;
        s.exception_is_int() = 0;
        if (exception.vector == kPageFault) {
            s.cr(2) = exception.address.raw();
            core_.mmu().page_fault_delivered(exception.address, core_.paging_registers());
            core_.engine().flush_page(exception.address.page_base().raw());
        }
        const auto delivered = try_deliver(exception);
        if (delivered) {
            if (exception.vector == kPageFault)
                log_page_fault(exception, origin, log::FaultDelivery::Delivered);
            else
                log_interrupt(exception, origin);
            return true;
        }
        const Exception& next = delivered.error();
        if (exception.vector == kDoubleFault) {
            if (next.vector == kPageFault) log_page_fault(next, origin, log::FaultDelivery::TripleFault);
            return false;
        }
        // SDM vol. 3, table 6-5 "Conditions for Generating a Double Fault".
        const bool twice =
            (is_contributory(exception.vector) && is_contributory(next.vector)) ||
            (exception.vector == kPageFault && (is_contributory(next.vector) || next.vector == kPageFault));
        const bool software = exception.origination == Origination::Software;
        if (twice && !software) {
            const Exception& lost = next.vector == kPageFault ? next : exception;
            if (lost.vector == kPageFault) {
                s.cr(2) = lost.address.raw();
                log_page_fault(lost, origin, log::FaultDelivery::DoubleFault);
            }
            exception = {.vector = kDoubleFault, .error_code = 0};
            continue;
        }
        // INT n itself faults: it can be restarted, so RIP goes back to it.
        if (software) s.rip() -= software_interrupt_length();
        exception = next;
    }
}

// Of the INT3, INTO or INT n that ends at RIP.
uint64_t Delivery::software_interrupt_length() {
    constexpr uint8_t kInt3 = 0xcc, kInto = 0xce;
    uint8_t bytes[15];
    if (core_.peek_code(core_.linear_rip() - 1, bytes) == 0) return 2;
    return bytes[0] == kInt3 || bytes[0] == kInto ? 1 : 2;
}

Guarded<bool> Delivery::try_deliver(const Exception& exception) {
    const LiveState& s = core_.state();
    if (!s.protected_mode()) return through_vector_table(exception);
    return s.long_mode() ? through_long_gate(exception) : through_legacy_gate(exception);
}

Guarded<Gate> Delivery::read_gate(const Exception& exception, unsigned gate_bytes) {
    const uint32_t idt_error = exception.vector * 8u + kIdtErrorBit + external_bit(exception);
    const SegmentCache& idt = core_.state().idt();
    const uint64_t at = uint64_t{exception.vector} * gate_bytes;
    if (at + gate_bytes - 1 > idt.limit) return tl::make_unexpected(general_protection(idt_error));
    const uint64_t low = GUARD(memory_.read(idt.base + at, 8, mmu::Privilege::ImplicitSupervisor));
    uint64_t high = 0;
    if (gate_bytes == 16)
        high = GUARD(memory_.read(idt.base + at + 8, 8, mmu::Privilege::ImplicitSupervisor));
    const Gate gate(low, high);
    const bool known = gate.type() == Gate::kInterrupt32 || gate.type() == Gate::kTrap32 ||
                       (gate_bytes == 8 && (gate.is_16bit() || gate.type() == Gate::kTask));
    if (!known || (exception.origination == Origination::Software && gate.dpl() < core_.state().cpl()))
        return tl::make_unexpected(general_protection(idt_error));
    if (!gate.present())
        return tl::make_unexpected(Exception{.vector = kSegmentNotPresent, .error_code = idt_error});
    return gate;
}

Guarded<uint64_t> Delivery::read_descriptor(uint16_t selector, Exception refusal) {
    const LiveState& s = core_.state();
    const SegmentCache& table = (selector & kTableIndicator) != 0 ? s.ldt() : s.gdt();
    const uint64_t at = selector & ~uint64_t{7};
    if (at + 7 > table.limit) return tl::make_unexpected(refusal);
    return memory_.read(table.base + at, 8, mmu::Privilege::ImplicitSupervisor);
}

Guarded<Delivery::Target> Delivery::find_target(const Gate& gate, const Exception& exception) {
    const LiveState& s = core_.state();
    const uint32_t ext = external_bit(exception);
    const uint16_t selector = gate.selector();
    if ((selector & ~kRplMask) == 0) return tl::make_unexpected(general_protection(ext));
    const Exception refusal = general_protection(selector_error(selector, ext));
    const SegmentDescriptor code(GUARD(read_descriptor(selector, refusal)));
    if (!code.is_code() || code.dpl() > s.cpl()) return tl::make_unexpected(refusal);
    if (!code.present())
        return tl::make_unexpected(
            Exception{.vector = kSegmentNotPresent, .error_code = selector_error(selector, ext)});
    if (s.long_mode() && (!code.long_code() || code.default_32())) return tl::make_unexpected(refusal);
    // A handler of virtual-8086 mode runs at CPL 0 (SDM vol. 3, 20.3.1).
    if ((s.eflags() & kFlagVm) != 0 && (code.conforming() || code.dpl() != 0))
        return tl::make_unexpected(refusal);
    const unsigned cpl = code.conforming() ? s.cpl() : code.dpl();
    return Target{.selector = static_cast<uint16_t>((selector & ~kRplMask) | cpl),
                  .code = code,
                  .offset = gate.offset(),
                  .cpl = cpl,
                  .masks_interrupts = gate.masks_interrupts(),
                  .frame16 = gate.is_16bit()};
}

Guarded<uint64_t> Delivery::long_stack(const Gate& gate, const Target& target, uint32_t ext) {
    LiveState& s = core_.state();
    uint64_t pointer = s.gpr(kRsp);
    if (gate.ist() != 0 || target.cpl < s.cpl()) {
        // 64-bit TSS: RSP0..2 from offset 4, IST1..7 from offset 36 (SDM vol. 3, 7.7).
        const uint64_t at = gate.ist() != 0 ? 36 + 8 * (gate.ist() - 1) : 4 + 8 * target.cpl;
        if (at + 7 > s.tr().limit)
            return tl::make_unexpected(
                Exception{.vector = kInvalidTss,
                          .error_code = selector_error(static_cast<uint16_t>(s.tr().selector), ext)});
        pointer = GUARD(memory_.read(s.tr().base + at, 8, mmu::Privilege::ImplicitSupervisor));
    }
    if (!is_canonical(VirtAddr(pointer)))
        return tl::make_unexpected(Exception{.vector = kStackFault, .error_code = ext});
    return pointer & ~uint64_t{15};
}

Guarded<bool> Delivery::through_long_gate(const Exception& exception) {
    LiveState& s = core_.state();
    const Gate gate = GUARD(read_gate(exception, 16));
    const Target target = GUARD(find_target(gate, exception));
    if (!is_canonical(VirtAddr(target.offset)))
        return tl::make_unexpected(general_protection(external_bit(exception)));
    const uint64_t pointer = GUARD(long_stack(gate, target, external_bit(exception)));

    Frame<uint64_t, kMostWords> frame;
    frame.push(s.segment(kSs).selector);
    frame.push(s.gpr(kRsp));
    frame.push(saved_flags(core_.engine().rflags(), exception));
    frame.push(s.segment(kCs).selector);
    frame.push(s.rip());
    if (exception.error_code) frame.push(*exception.error_code);
    const uint64_t top = pointer - frame.bytes().size();
    const auto privilege = target.cpl == 3 ? mmu::Privilege::User : mmu::Privilege::Supervisor;
    GUARD(memory_.push(top, frame.bytes(), sizeof(uint64_t), privilege));
    mark_accessed(target.selector, target.code);

    const bool inner = target.cpl < s.cpl();
    s.gpr(kRsp) = top;
    // A change of privilege loads a null selector (SDM vol. 3, 6.14.2 "64-Bit Mode Stack Frame").
    if (inner) s.segment(kSs) = {target.cpl, 0, 0, 0, target.cpl << 13};
    enter_handler(target);
    return true;
}

Guarded<Delivery::Stack> Delivery::inner_stack32(unsigned cpl, uint32_t ext) {
    LiveState& s = core_.state();
    const auto tss_error = static_cast<uint32_t>((s.tr().selector & 0xfffc) | ext);
    // 32-bit TSS: ESP0 at 4, SS0 at 8, and so on (SDM vol. 3, 7.2.1); a 16-bit TSS has half of that.
    const bool tss32 = ((s.tr().flags >> 8) & 0xf) >= 9;
    const unsigned word = tss32 ? 4 : 2;
    const uint64_t at = word + uint64_t{cpl} * 2 * word;
    if (at + 2 * uint64_t{word} - 1 > s.tr().limit)
        return tl::make_unexpected(Exception{.vector = kInvalidTss, .error_code = tss_error});
    const uint64_t pointer = GUARD(memory_.read(s.tr().base + at, word, mmu::Privilege::ImplicitSupervisor));
    const auto selector = static_cast<uint16_t>(
        GUARD(memory_.read(s.tr().base + at + word, 2, mmu::Privilege::ImplicitSupervisor)));
    const Exception bad{.vector = kInvalidTss, .error_code = selector_error(selector, ext)};
    if ((selector & ~kRplMask) == 0 || (selector & kRplMask) != cpl) return tl::make_unexpected(bad);
    const SegmentDescriptor descriptor(GUARD(read_descriptor(selector, bad)));
    if (descriptor.dpl() != cpl || !descriptor.is_writable_data()) return tl::make_unexpected(bad);
    if (!descriptor.present())
        return tl::make_unexpected(
            Exception{.vector = kStackFault, .error_code = selector_error(selector, ext)});
    return Stack{selector, descriptor.cache(selector), pointer, true};
}

Guarded<bool> Delivery::through_legacy_gate(const Exception& exception) {
    LiveState& s = core_.state();
    const Gate gate = GUARD(read_gate(exception, 8));
    if (gate.type() == Gate::kTask) return through_task_gate(gate, exception);
    const Target target = GUARD(find_target(gate, exception));
    Stack stack{static_cast<uint16_t>(s.segment(kSs).selector), s.segment(kSs), s.gpr(kRsp), false};
    if (target.cpl < s.cpl()) stack = GUARD(inner_stack32(target.cpl, external_bit(exception)));
    const bool wide_stack = (stack.segment.flags & (1u << 22)) != 0;
    if (!wide_stack) stack.pointer &= 0xffff;

    const bool from_v86 = (s.eflags() & kFlagVm) != 0;
    const auto push_all = [&](auto& frame) {
        if (from_v86)
            for (const unsigned n : {kGs, kFs, kDs, kEs}) frame.push(s.segment(n).selector);
        if (stack.switched) {
            frame.push(s.segment(kSs).selector);
            frame.push(s.gpr(kRsp));
        }
        frame.push(saved_flags(core_.engine().rflags(), exception));
        frame.push(s.segment(kCs).selector);
        frame.push(s.rip());
        if (exception.error_code) frame.push(*exception.error_code);
    };
    Frame<uint32_t, kMostWords> frame32;
    Frame<uint16_t, kMostWords> frame16;
    std::span<const uint8_t> bytes;
    if (target.frame16) {
        push_all(frame16);
        bytes = frame16.bytes();
    } else {
        push_all(frame32);
        bytes = frame32.bytes();
    }
    uint64_t top = stack.pointer - bytes.size();
    top &= wide_stack ? 0xffff'ffff : 0xffff;
    const auto privilege = target.cpl == 3 ? mmu::Privilege::User : mmu::Privilege::Supervisor;
    GUARD(memory_.push((stack.segment.base + top) & 0xffff'ffff, bytes, target.frame16 ? 2 : 4, privilege));
    mark_accessed(target.selector, target.code);
    if (wide_stack)
        s.gpr(kRsp) = top;
    else
        s.gpr(kRsp) = (s.gpr(kRsp) & ~uint64_t{0xffff}) | top;
    if (stack.switched) load_stack(stack, target.cpl);
    if (from_v86)
        for (const unsigned n : {kGs, kFs, kDs, kEs}) s.segment(n) = {0, 0, 0, 0, 0};
    enter_handler(target);
    return true;
}

Guarded<bool> Delivery::through_vector_table(const Exception& exception) {
    LiveState& s = core_.state();
    const uint64_t at = uint64_t{exception.vector} * 4;
    if (at + 3 > s.idt().limit) return tl::make_unexpected(general_protection(0));
    const uint64_t vector = GUARD(memory_.read(s.idt().base + at, 4, mmu::Privilege::Supervisor));
    Frame<uint16_t, kMostWords> frame;
    // RF leaks into the 16-bit image of nobody: the frame holds the low word alone.
    frame.push(core_.engine().rflags());
    frame.push(s.segment(kCs).selector);
    frame.push(s.rip());
    const uint64_t top = (s.gpr(kRsp) - frame.bytes().size()) & 0xffff;
    GUARD(memory_.write(s.segment(kSs).base + top, frame.bytes(), mmu::Privilege::Supervisor));
    s.gpr(kRsp) = (s.gpr(kRsp) & ~uint64_t{0xffff}) | top;
    SegmentCache& cs = s.segment(kCs);
    cs.selector = static_cast<uint32_t>(vector >> 16);
    cs.base = uint64_t{cs.selector} << 4;
    s.rip() = vector & 0xffff;
    s.eflags() &= ~(kFlagIf | kFlagTf | kFlagRf | kFlagAc);
    s.hflags() &= ~kHfInhibitIrq;
    return true;
}

void Delivery::mark_accessed(uint16_t selector, const SegmentDescriptor& descriptor) {
    if (descriptor.accessed()) return;
    const LiveState& s = core_.state();
    const SegmentCache& table = (selector & kTableIndicator) != 0 ? s.ldt() : s.gdt();
    const uint64_t at = table.base + (selector & ~uint64_t{7}) + 5;
    const auto type = static_cast<uint8_t>((descriptor.flags() >> 8) | 1);
    // A table that cannot be written faults in hardware; the handler is found all the same here.
    static_cast<void>(memory_.write(at, {&type, 1}, mmu::Privilege::ImplicitSupervisor));
}

void Delivery::load_stack(const Stack& stack, unsigned cpl) {
    LiveState& s = core_.state();
    s.segment(kSs) = stack.segment;
    s.segment(kSs).selector = static_cast<uint32_t>((stack.selector & ~kRplMask) | cpl);
    s.hflags() = (s.hflags() & ~kHfSs32) | ((stack.segment.flags & (1u << 22)) != 0 ? kHfSs32 : 0);
}

void Delivery::enter_handler(const Target& target) {
    LiveState& s = core_.state();
    s.segment(kCs) = target.code.cache(target.selector);
    s.rip() = s.long_mode() ? target.offset : target.offset & (target.frame16 ? 0xffff : 0xffff'ffff);
    s.eflags() &= ~(kFlagTf | kFlagNt | kFlagRf | kFlagVm);
    if (target.masks_interrupts) s.eflags() &= ~kFlagIf;
    uint32_t hflags = s.hflags() & ~(kHfCplMask | kHfInhibitIrq | kHfCs32 | kHfCs64 | kHfVm);
    hflags |= target.cpl;
    if (s.long_mode()) {
        hflags |= kHfCs32 | kHfCs64 | kHfSs32;
        hflags &= ~kHfAddSeg;
    } else if (target.code.default_32()) {
        hflags |= kHfCs32;
    }
    s.hflags() = hflags;
}

void Delivery::log_interrupt(const Exception& exception, const log::Origin& origin) {
    if (!core_.recorder().wants(log::EventKind::Interrupt)) return;
    log::Event e = log::make_event(log::EventKind::Interrupt, origin);
    e.aux = exception.vector;
    e.va = core_.linear_rip();
    if (exception.error_code) {
        e.a = *exception.error_code;
        e.flags |= log::kHasErrorCode;
    }
    if (exception.origination == Origination::External) e.flags |= log::kIntHardware;
    if (exception.origination == Origination::Software) e.flags |= log::kIntSoftware;
    core_.recorder().append(e);
}

void Delivery::log_page_fault(const Exception& exception, const log::Origin& origin,
                              log::FaultDelivery outcome) {
    if (!core_.recorder().wants(log::EventKind::PageFault)) return;
    log::Event e = log::make_event(log::EventKind::PageFault, origin);
    e.aux = static_cast<uint16_t>(outcome);
    e.va = exception.address.raw();
    e.a = exception.error_code.value_or(0);
    e.pa = exception.level != 0 ? exception.entry.raw() : 0;
    e.b = exception.entry_value;
    e.level = exception.level;
    core_.recorder().append(e);
}

}  // namespace forkscope::cpu
