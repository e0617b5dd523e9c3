#include "emu/cpu/msr_access.hpp"

#include <algorithm>

namespace forkscope::cpu {

namespace {

constexpr uint32_t kTsc = 0x10, kApicBase = 0x1b, kMicrocode = 0x8b;
constexpr uint32_t kSysenterEsp = 0x175, kSysenterEip = 0x176;
constexpr uint32_t kLstar = 0xc0000082, kCstar = 0xc0000083, kFsBase = 0xc0000100, kGsBase = 0xc0000101;

}  // namespace

std::optional<Exception> MsrAccess::read() {
    LiveState& s = core_.state();
    const auto msr = static_cast<uint32_t>(s.gpr(kRcx));
    uint64_t value = 0;
    switch (msr) {
        case kTsc:
            value = core_.tsc();
            break;
        case kApicBase:
            value = interrupts_.apic_base();
            break;
        case kMicrocode:
            break;
        default:
            note_unknown(msr, bus::Direction::Read);
            break;
    }
    s.gpr(kRax) = value & 0xffff'ffff;
    s.gpr(kRdx) = value >> 32;
    return std::nullopt;
}

std::optional<Exception> MsrAccess::write() {
    LiveState& s = core_.state();
    const auto msr = static_cast<uint32_t>(s.gpr(kRcx));
    const uint64_t value = (s.gpr(kRax) & 0xffff'ffff) | s.gpr(kRdx) << 32;
    const auto set_address = [value](uint64_t& to) -> std::optional<Exception> {
        if (!is_canonical(VirtAddr(value))) return general_protection(0);
        to = value;
        return std::nullopt;
    };
    switch (msr) {
        case kTsc:
            core_.set_tsc(value);
            return std::nullopt;
        case kApicBase:
            if (!interrupts_.set_apic_base(value)) return general_protection(0);
            return std::nullopt;
        case kMicrocode:
            return std::nullopt;
        case kSysenterEsp:
            return set_address(s.sysenter_esp());
        case kSysenterEip:
            return set_address(s.sysenter_eip());
        case kLstar:
            return set_address(s.lstar());
        case kCstar:
            return set_address(s.cstar());
        case kFsBase:
            return set_address(s.segment(kFs).base);
        case kGsBase:
            return set_address(s.segment(kGs).base);
        default:
            note_unknown(msr, bus::Direction::Write);
            return std::nullopt;
    }
}

void MsrAccess::note_unknown(uint32_t msr, bus::Direction direction) {
    const auto end = unknown_.begin() + static_cast<std::ptrdiff_t>(unknown_count_);
    if (unknown_count_ == kMostUnknown || std::find(unknown_.begin(), end, msr) != end) return;
    unknown_[unknown_count_++] = msr;
    if (unknown_handler_) unknown_handler_(msr, direction);
}

}  // namespace forkscope::cpu
