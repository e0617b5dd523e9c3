// The alternate signal stack (man 2 sigaltstack).
#pragma once

#include "guest/abi/signal.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// Whether sp lies on it. One that disarms itself is never "in use": a handler may use it again.
[[nodiscard]] inline bool on_sig_stack(const abi::SigAltStack& stack, uint64_t sp) {
    return (stack.flags & abi::kSsAutoDisarm) == 0 && sp > stack.sp && sp - stack.sp <= stack.size;
}
// SS_DISABLE, SS_ONSTACK or 0 (there is one, which is not in use).
[[nodiscard]] inline int32_t sas_ss_flags(const abi::SigAltStack& stack, uint64_t sp) {
    if (stack.size == 0) return abi::kSsDisable;
    return on_sig_stack(stack, sp) ? abi::kSsOnStack : 0;
}
inline constexpr abi::SigAltStack kNoAltStack{0, abi::kSsDisable, 0, 0};

// Makes it current's. Perm while sp is on the old one; Inval, NoMem (too small).
Result<> set_altstack(const abi::SigAltStack& wanted, uint64_t sp);

}  // namespace guest
