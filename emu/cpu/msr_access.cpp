#include "emu/cpu/msr_access.hpp"

#include <algorithm>

namespace forkscope::cpu {

namespace {

constexpr uint32_t kTsc = 0x10, kApicBase = 0x1b, kMicrocode = 0x8b;
constexpr uint32_t kSysenterEsp = 0x175, kSysenterEip = 0x176;
constexpr uint32_t kPat = 0x277, kKernelGsBase = 0xc0000102;
constexpr uint32_t kLstar = 0xc0000082, kCstar = 0xc0000083, kFsBase = 0xc0000100, kGsBase = 0xc0000101;

// Registers that the CPUs have which we say to be, and of which nothing is modelled: they read 0 and take any
// write.
struct Unmodelled {
    uint32_t first, last;
    bool amd, intel;
};
constexpr Unmodelled kUnmodelled[] = {
    {0x17, 0x17, false, true},                // PLATFORM_ID
    {0x34, 0x34, false, true},                // SMI_COUNT
    {0x3a, 0x3a, false, true},                // FEATURE_CONTROL
    {0xce, 0xce, false, true},                // PLATFORM_INFO
    {0x1d9, 0x1d9, true, true},               // DEBUGCTL
    {0xc001'0000, 0xc001'ffff, true, false},  // implementation-specific
};

// SDM vol. 3, 12.12.2 "IA32_PAT MSR": eight types of one byte; 2, 3 and 8 to 255 are reserved.
bool is_pat(uint64_t value) {
    for (unsigned i = 0; i < 8; ++i, value >>= 8) {
        const uint64_t type = value & 0xff;
        if (type > 7 || type == 2 || type == 3) return false;
    }
    return true;
}

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
            if (!is_unmodelled(msr)) return general_protection(0);
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
        case kKernelGsBase:
            if (!is_canonical(VirtAddr(value))) return general_protection(0);
            core_.engine().write_msr(msr, value);
            return std::nullopt;
        case kPat:
            if (!is_pat(value)) return general_protection(0);
            core_.engine().write_msr(msr, value);
            return std::nullopt;
        default:
            note_unknown(msr, bus::Direction::Write);
            if (!is_unmodelled(msr)) return general_protection(0);
            return std::nullopt;
    }
}

bool MsrAccess::is_unmodelled(uint32_t msr) const {
    const bool amd = core_.model().is_amd();
    return std::any_of(std::begin(kUnmodelled), std::end(kUnmodelled), [&](const Unmodelled& range) {
        return msr >= range.first && msr <= range.last && (amd ? range.amd : range.intel);
    });
}

void MsrAccess::note_unknown(uint32_t msr, bus::Direction direction) {
    const auto end = unknown_.begin() + static_cast<std::ptrdiff_t>(unknown_count_);
    if (unknown_count_ == kMostUnknown || std::find(unknown_.begin(), end, msr) != end) return;
    unknown_[unknown_count_++] = msr;
    if (unknown_handler_) unknown_handler_(msr, direction);
}

}  // namespace forkscope::cpu
