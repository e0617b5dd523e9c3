// The debug registers: breakpoints and watchpoints that a tracer has the CPU look for (Intel SDM vol.
// 3B, 18.2 "Debug Registers").
#pragma once

#include "guest/arch/thread.hpp"
#include "guest/lib/result.hpp"

namespace guest {

inline constexpr unsigned kDebugStatus = 6, kDebugControl = 7;

// Register `number`, as the tracer left it, of a task that does not run.
[[nodiscard]] uint64_t get_debugreg(const task_struct& task, unsigned number);
// Inval: an address of the kernel's, or a breakpoint of a kind, length or alignment that there is not. Io: no
// such register.
Result<> set_debugreg(task_struct& task, unsigned number, uint64_t value);

// The switch between tasks of which one may have some.
void switch_debugregs(const thread_struct& prev, const thread_struct& next);
// current has none any more: it executes another program.
void flush_debugregs();

// A debug exception: SIGTRAP for current, or nothing if the kernel itself came across what a program watches.
// False if that was not it.
[[nodiscard]] bool do_debug(pt_regs& regs);

}  // namespace guest
