#include "emu/cpu/flush_intercepts.hpp"

#include <cstring>

#include "emu/cpu/debug_registers.hpp"
#include "emu/cpu/engine_internals.hpp"
#include "emu/cpu/ram_views.hpp"
#include "emu/cpu/svm_intercepts.hpp"

namespace forkscope::cpu {

namespace {

constexpr uint64_t kCr0Nw = bit(29), kCr0Cd = bit(30);
constexpr uint64_t kLmswBits = 0xf;  // PE, MP, EM, TS
constexpr uint32_t kMsrEfer = 0xc0000080;
constexpr uint64_t kEferFfxsr = bit(14);

}  // namespace

std::optional<Exception> FlushIntercepts::carry_out(int intercept) {
    LiveState& s = core_.state();
    const log::Origin origin = core_.origin();
    uint8_t code[15];
    const size_t available = core_.peek_code(core_.linear_rip(), code);
    const auto instruction = decode_two_byte({code, available}, s);
    if (!instruction) return invalid_opcode();

    const auto source = [&] {
        const uint64_t value = s.gpr(instruction->rm());
        return s.code64() ? value : value & 0xffff'ffff;
    };
    // The engine looks at flags that a rewritten state must not inherit: RIP moves last.
    std::optional<Exception> refused;
    core_.clock().leave_at(core_.linear_rip());
    switch (intercept) {
        case kInterceptInvlpg:
            refused = invlpg(*instruction, origin);
            break;
        case kInterceptCr0:
            refused = write_cr0(*instruction, origin);
            break;
        case kInterceptCr3:
            refused = write_cr3(source(), origin);
            break;
        case kInterceptCr4:
            refused = write_cr4(source(), origin);
            break;
        case kInterceptReadCr8:
            s.gpr(instruction->rm()) = interrupts_.task_priority_class();
            break;
        case kInterceptWriteCr8:
            refused = write_cr8(source());
            break;
        case kInterceptLgdt:
            refused = tables_.load_pointer(*instruction, s.gdt());
            break;
        case kInterceptLidt:
            refused = tables_.load_pointer(*instruction, s.idt());
            break;
        case kInterceptLldt:
            refused = tables_.load_ldt(*instruction);
            break;
        case kInterceptLtr:
            refused = tables_.load_task(*instruction);
            break;
        case kInterceptRdpmc:
            // There are no counters.
            refused = general_protection(0);
            break;
        case kInterceptMsr:
            if (instruction->opcode == 0x32)
                refused = msrs_.read();
            else
                refused = static_cast<uint32_t>(s.gpr(kRcx)) == kMsrEfer ? write_efer(origin) : msrs_.write();
            break;
        default:
            if (intercept >= kInterceptReadDr && intercept < kInterceptReadDr + 8)
                refused = read_debug_register(s, *instruction);
            else if (intercept >= kInterceptWriteDr && intercept < kInterceptWriteDr + 8)
                refused = write_debug_register(s, *instruction);
            else
                refused = invalid_opcode();
            break;
    }
    if (refused) return refused;
    s.rip() += instruction->length;
    if (!s.code64()) s.rip() &= 0xffff'ffff;
    s.hflags() &= ~kHfInhibitIrq;
    core_.clock().retire_one();
    return std::nullopt;
}

std::optional<Exception> FlushIntercepts::invlpg(const DecodedInstruction& instruction,
                                                 const log::Origin& origin) {
    const VirtAddr page = VirtAddr(instruction.linear).page_base();
    // A non-canonical operand makes it a no-op (SDM vol. 2, "INVLPG").
    if (core_.state().code64() && !is_canonical(page)) return std::nullopt;
    core_.engine().flush_page(page.raw());
    core_.clock().translations_changed();
    core_.mmu().on_flush(log::FlushKind::Invlpg, page, 0, 0, core_.paging_registers(), origin);
    return std::nullopt;
}

std::optional<Exception> FlushIntercepts::write_cr0(const DecodedInstruction& instruction,
                                                    const log::Origin& origin) {
    LiveState& s = core_.state();
    const uint64_t old_value = s.cr(0);
    uint64_t value = old_value;
    if (instruction.opcode == 0x06) {
        value &= ~kCr0Ts;
    } else if (instruction.opcode == 0x01) {
        uint64_t word = s.gpr(instruction.rm());
        if (instruction.has_memory) {
            const auto read = memory_.read(instruction.linear, 2, mmu::Privilege::Supervisor);
            if (!read) return read.error();
            word = *read;
        }
        // LMSW cannot leave protected mode.
        value = (old_value & ~(kLmswBits & ~kCr0Pe)) | (word & kLmswBits);
    } else {
        value = s.gpr(instruction.rm());
        if (!s.code64()) value &= 0xffff'ffff;
    }
    // SDM vol. 2, "MOV-Move to/from Control Registers", 64-bit mode exceptions.
    const bool paging = (value & kCr0Pg) != 0, was_paging = (old_value & kCr0Pg) != 0;
    if (value >> 32 != 0) return general_protection(0);
    if (paging && (value & kCr0Pe) == 0) return general_protection(0);
    if ((value & kCr0Nw) != 0 && (value & kCr0Cd) == 0) return general_protection(0);
    if (paging && !was_paging && (s.efer() & kEferLme) != 0) {
        const bool code_is_long = (s.segment(kCs).flags & (1u << 21)) != 0;
        if ((s.cr(4) & kCr4Pae) == 0 || code_is_long) return general_protection(0);
    }
    if (!paging && was_paging && s.code64()) return general_protection(0);
    if (paging && !was_paging && (s.efer() & kEferLme) == 0 && (s.cr(4) & kCr4Pae) != 0 &&
        has_bad_pae_pointer(s.cr(3)))
        return general_protection(0);

    cpu_x86_update_cr0_x86_64(s.env(), static_cast<uint32_t>(value));
    constexpr uint64_t kFlushing = kCr0Pg | kCr0Pe | mmu::kCr0WriteProtect;
    if (((old_value ^ value) & kFlushing) == 0) return std::nullopt;
    core_.flush_engine();
    core_.mmu().on_flush(log::FlushKind::Cr0Write, VirtAddr(), old_value, s.cr(0), core_.paging_registers(),
                         origin);
    return std::nullopt;
}

// SDM vol. 3, 4.4.1 "PDPTE Registers": the four entries are checked when they are loaded.
bool FlushIntercepts::has_bad_pae_pointer(uint64_t cr3) const {
    constexpr uint64_t kReserved = 0x1e6 | ~((uint64_t{1} << kPhysicalBits) - 1);
    const uint8_t* p = core_.ram().at(PhysAddr(cr3 & 0xffff'ffe0), 4 * sizeof(uint64_t));
    if (p == nullptr) return false;
    for (unsigned i = 0; i < 4; ++i) {
        uint64_t entry = 0;
        std::memcpy(&entry, p + i * sizeof entry, sizeof entry);
        if ((entry & 1) != 0 && (entry & kReserved) != 0) return true;
    }
    return false;
}

std::optional<Exception> FlushIntercepts::write_cr3(uint64_t value, const log::Origin& origin) {
    LiveState& s = core_.state();
    if (s.long_mode() && value >> kPhysicalBits != 0) return general_protection(0);
    const bool pae = (s.cr(0) & kCr0Pg) != 0 && (s.cr(4) & kCr4Pae) != 0 && !s.long_mode();
    if (pae && has_bad_pae_pointer(value)) return general_protection(0);
    const uint64_t old_value = s.cr(3);
    cpu_x86_update_cr3_x86_64(s.env(), value);
    // The engine flushes by itself, but only with paging on.
    if ((s.cr(0) & kCr0Pg) != 0)
        core_.engine_flushed_itself();
    else
        core_.flush_engine();
    core_.mmu().on_flush(log::FlushKind::Cr3Load, VirtAddr(), old_value, value, core_.paging_registers(),
                         origin);
    return std::nullopt;
}

std::optional<Exception> FlushIntercepts::write_cr8(uint64_t value) {
    if (value > 15) return general_protection(0);
    interrupts_.set_task_priority_class(static_cast<uint8_t>(value));
    return std::nullopt;
}

// What CPUID offers (SDM vol. 3, 2.5 "Control Registers").
uint64_t FlushIntercepts::supported_cr4() const {
    const LiveState& s = core_.state();
    const auto has = [&](unsigned word, unsigned n) { return (s.feature(word) & bit(n)) != 0; };
    uint64_t bits_allowed =
        bit(0) | bit(1) | bit(2) | bit(3) | bit(4) | bit(5) | bit(6) | bit(7) | bit(8) | bit(9) | bit(10);
    if (has(2, 0)) bits_allowed |= bit(16);   // FSGSBASE
    if (has(1, 26)) bits_allowed |= bit(18);  // OSXSAVE
    if (has(2, 7)) bits_allowed |= mmu::kCr4Smep;
    if (has(2, 20)) bits_allowed |= mmu::kCr4Smap;
    if (has(3, 3)) bits_allowed |= mmu::kCr4ProtectionKeys;
    return bits_allowed;
}

std::optional<Exception> FlushIntercepts::write_cr4(uint64_t value, const log::Origin& origin) {
    LiveState& s = core_.state();
    if ((value & ~supported_cr4()) != 0) return general_protection(0);
    if (s.long_mode() && (value & kCr4Pae) == 0) return general_protection(0);
    const uint64_t old_value = s.cr(4);
    cpu_x86_update_cr4_x86_64(s.env(), static_cast<uint32_t>(value));
    constexpr uint64_t kFlushing = mmu::kCr4PageSizeExtensions | kCr4Pae | kCr4Pge | mmu::kCr4Smep |
                                   mmu::kCr4Smap | mmu::kCr4ProtectionKeys;
    if (((old_value ^ value) & kFlushing) == 0) return std::nullopt;
    core_.flush_engine();
    core_.mmu().on_flush(log::FlushKind::Cr4Write, VirtAddr(), old_value, value, core_.paging_registers(),
                         origin);
    return std::nullopt;
}

std::optional<Exception> FlushIntercepts::write_efer(const log::Origin& origin) {
    LiveState& s = core_.state();
    const uint64_t value = (s.gpr(kRax) & 0xffff'ffff) | (s.gpr(kRdx) << 32);
    uint64_t writable = 0;
    if ((s.feature(6) & bit(11)) != 0) writable |= kEferSce;
    if ((s.feature(6) & bit(20)) != 0) writable |= kEferNxe;
    if ((s.feature(6) & bit(25)) != 0) writable |= kEferFfxsr;
    if ((s.feature(6) & bit(29)) != 0) writable |= kEferLme;
    if ((value & ~(writable | kEferLma)) != 0) return general_protection(0);
    const uint64_t old_value = s.efer();
    if (((old_value ^ value) & kEferLme) != 0 && (s.cr(0) & kCr0Pg) != 0) return general_protection(0);
    // LMA is the processor's own (SDM vol. 3, 2.2.1 "Extended Feature Enable Register").
    s.efer() = (old_value & ~writable) | (value & writable);
    if (old_value == s.efer()) return std::nullopt;
    core_.flush_engine();
    core_.mmu().on_flush(log::FlushKind::EferWrite, VirtAddr(), old_value, s.efer(), core_.paging_registers(),
                         origin);
    return std::nullopt;
}

}  // namespace forkscope::cpu
