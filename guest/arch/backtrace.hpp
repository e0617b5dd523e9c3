// Registers and call chains on the console.
#pragma once

#include <stdint.h>

namespace guest {

struct pt_regs;

void show_regs(const pt_regs& regs);
// From an exception in the kernel: its RIP, then the callers.
void show_backtrace(const pt_regs& regs);
// The callers of the function whose frame pointer this is.
void show_backtrace(uint64_t frame_pointer);

}  // namespace guest
