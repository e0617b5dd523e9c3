// An exception or interrupt on its way to the guest (Intel SDM vol. 3, chapter 6 "Interrupt and Exception
// Handling").
#pragma once

#include <cstdint>
#include <optional>
#include <tl/expected.hpp>

#include "emu/base/address.hpp"

namespace forkscope::cpu {

enum Vector : uint8_t {
    kDivideError = 0,
    kDebug = 1,
    kNmi = 2,
    kBreakpoint = 3,
    kOverflow = 4,
    kBoundRange = 5,
    kInvalidOpcode = 6,
    kDeviceNotAvailable = 7,
    kDoubleFault = 8,
    kInvalidTss = 10,
    kSegmentNotPresent = 11,
    kStackFault = 12,
    kGeneralProtection = 13,
    kPageFault = 14,
    kX87Error = 16,
    kAlignmentCheck = 17,
    kMachineCheck = 18,
    kSimdError = 19,
};

enum class Origination : uint8_t {
    Fault,     // an exception that the instruction at RIP caused, which can be restarted
    Trap,      // an exception after an instruction
    Software,  // INT n, INT3, INTO
    External,  // a device
};

struct Exception {
    uint8_t vector = 0;
    Origination origination = Origination::Fault;
    std::optional<uint32_t> error_code{};
    // Of a page fault: the address, and the entry that refused.
    VirtAddr address{};
    PhysAddr entry{};
    uint64_t entry_value = 0;
    uint8_t level = 0;
};

[[nodiscard]] inline Exception general_protection(uint32_t error_code) {
    return {.vector = kGeneralProtection, .error_code = error_code};
}
[[nodiscard]] inline Exception invalid_opcode() { return {.vector = kInvalidOpcode}; }

// Whether the CPU pushes an error code for it.
[[nodiscard]] constexpr bool has_error_code(unsigned vector) {
    return vector == kDoubleFault || (vector >= kInvalidTss && vector <= kPageFault) ||
           vector == kAlignmentCheck || vector == 21;
}

// SDM vol. 3, table 6-4 "Interrupt and Exception Classes".
[[nodiscard]] constexpr bool is_contributory(unsigned vector) {
    return vector == kDivideError || (vector >= kInvalidTss && vector <= kGeneralProtection);
}

template <typename T>
using Guarded = tl::expected<T, Exception>;

}  // namespace forkscope::cpu

// The value, or leave the function with the exception.
#define GUARD(expression)                                              \
    ({                                                                 \
        auto&& guarded_ = (expression);                                \
        if (!guarded_) return ::tl::make_unexpected(guarded_.error()); \
        std::move(*guarded_);                                          \
    })
