// Registers and call chains on the console.
#pragma once

#include <stdint.h>

namespace guest {

struct pt_regs;
struct task_struct;

void show_regs(const pt_regs& regs);
// RIP, then the callers.
void show_backtrace(const pt_regs& regs);
// Calls visit(return address, context) for each frame of a task that does not run, innermost first.
void for_each_frame(const task_struct& task, void (*visit)(uint64_t address, void* context), void* context);

}  // namespace guest
