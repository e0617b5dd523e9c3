// Running a program one instruction at a time, by the trap flag.
#pragma once

#include "guest/arch/ptrace.hpp"

namespace guest {

struct task_struct;

// After the next instruction of user mode, task gets SIGTRAP. It does not run now.
void user_enable_single_step(task_struct& task);
void user_disable_single_step(task_struct& task);
// SIGTRAP for current, whose step ended without a trap of the CPU's.
void user_single_step_report(pt_regs& regs);

}  // namespace guest
