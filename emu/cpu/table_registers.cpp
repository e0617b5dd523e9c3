#include "emu/cpu/table_registers.hpp"

#include "emu/cpu/segment_descriptor.hpp"

namespace forkscope::cpu {

namespace {

constexpr uint16_t kRplMask = 3, kTableIndicator = 4;
constexpr unsigned kTypeLdt = 2, kTypeTss16 = 1, kTypeTss = 9;
constexpr uint32_t kBusy = 1u << 9;  // in the descriptor's second word

unsigned type_of(uint64_t descriptor) { return static_cast<unsigned>(bits(descriptor, 44, 40)); }

Exception refusal(uint16_t selector) { return general_protection(selector & ~uint32_t{kRplMask}); }

// What can lie above the first 8 bytes of a system descriptor in IA-32e mode: the base, and where another
// type would be, zero.
bool well_formed(uint64_t high) { return bits(high, 44, 40) == 0; }

SegmentCache cache_of(uint16_t selector, uint64_t low, uint64_t high) {
    SegmentCache cache = SegmentDescriptor(low).cache(selector);
    cache.base |= (high & 0xffff'ffff) << 32;
    return cache;
}

}  // namespace

std::optional<Exception> TableRegisters::load_pointer(const DecodedInstruction& instruction,
                                                      SegmentCache& to) {
    const LiveState& s = core_.state();
    const auto limit = memory_.read(instruction.linear, 2, mmu::Privilege::Supervisor);
    if (!limit) return limit.error();
    const auto base = memory_.read(instruction.linear + 2, s.code64() ? 8 : 4, mmu::Privilege::Supervisor);
    if (!base) return base.error();
    if (s.code64() && !is_canonical(VirtAddr(*base))) return general_protection(0);
    const bool short_base = !s.code64() && (s.code_bits() == 16) != instruction.operand_size_prefix;
    to.base = short_base ? *base & 0xff'ffff : *base;
    to.limit = static_cast<uint32_t>(*limit);
    return std::nullopt;
}

Guarded<uint16_t> TableRegisters::selector_of(const DecodedInstruction& instruction) {
    if (!instruction.has_memory) return static_cast<uint16_t>(core_.state().gpr(instruction.rm()));
    return static_cast<uint16_t>(GUARD(memory_.read(instruction.linear, 2, mmu::Privilege::Supervisor)));
}

Guarded<TableRegisters::SystemDescriptor> TableRegisters::find(uint16_t selector) {
    const LiveState& s = core_.state();
    const uint64_t offset = selector & ~uint64_t{7};
    const unsigned size = s.long_mode() ? 16 : 8;
    if ((selector & kTableIndicator) != 0 || offset + size - 1 > s.gdt().limit)
        return tl::make_unexpected(refusal(selector));
    const uint64_t at = s.gdt().base + offset;
    SystemDescriptor found{at, GUARD(memory_.read(at, 8, mmu::Privilege::ImplicitSupervisor)), 0};
    if (size == 16) found.high = GUARD(memory_.read(at + 8, 8, mmu::Privilege::ImplicitSupervisor));
    return found;
}

std::optional<Exception> TableRegisters::load_ldt(const DecodedInstruction& instruction) {
    LiveState& s = core_.state();
    const auto selector = selector_of(instruction);
    if (!selector) return selector.error();
    if ((*selector & ~kRplMask) == 0) {
        s.ldt() = {*selector, 0, 0, 0, 0};
        return std::nullopt;
    }
    const auto found = find(*selector);
    if (!found) return found.error();
    if (type_of(found->low) != kTypeLdt || !well_formed(found->high)) return refusal(*selector);
    const Exception absent{.vector = kSegmentNotPresent, .error_code = *selector & ~uint32_t{kRplMask}};
    if (!SegmentDescriptor(found->low).present()) return absent;
    s.ldt() = cache_of(*selector, found->low, found->high);
    return std::nullopt;
}

std::optional<Exception> TableRegisters::load_task(const DecodedInstruction& instruction) {
    LiveState& s = core_.state();
    const auto selector = selector_of(instruction);
    if (!selector) return selector.error();
    if ((*selector & ~kRplMask) == 0) return general_protection(0);
    const auto found = find(*selector);
    if (!found) return found.error();
    const unsigned type = type_of(found->low);
    if ((type != kTypeTss && (type != kTypeTss16 || s.long_mode())) || !well_formed(found->high))
        return refusal(*selector);
    const Exception absent{.vector = kSegmentNotPresent, .error_code = *selector & ~uint32_t{kRplMask}};
    if (!SegmentDescriptor(found->low).present()) return absent;
    const uint32_t busy = SegmentDescriptor(found->low).flags() | kBusy;
    const auto byte = static_cast<uint8_t>(busy >> 8);
    if (const auto marked = memory_.write(found->at + 5, {&byte, 1}, mmu::Privilege::ImplicitSupervisor);
        !marked)
        return marked.error();
    // The engine gives up on a far call that finds the busy bit in the cache.
    s.tr() = cache_of(*selector, found->low, found->high);
    return std::nullopt;
}

}  // namespace forkscope::cpu
