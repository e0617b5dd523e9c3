// The machine's side of signals.
#pragma once

#include "guest/arch/ptrace.hpp"
#include "guest/lib/result.hpp"

namespace guest {

inline constexpr uint64_t kRestartSyscallNr = 219;

// Back from a handler: registers, mask and FPU state from the frame. The result is the old RAX.
Result<long> do_rt_sigreturn(pt_regs& regs);

// The most bytes of stack that calling a handler takes (AT_MINSIGSTKSZ).
extern const uint64_t kSignalFrameMost;

}  // namespace guest
