// Instructions that may fault on user memory, and where to go on when their fault cannot be served.
#pragma once

#include "guest/arch/ptrace.hpp"

namespace guest {

// Moves regs to the fix-up of its instruction; false if it has none.
bool fixup_exception(pt_regs& regs);
[[nodiscard]] bool has_fixup(uint64_t rip);

}  // namespace guest
