// Registers and call chains on the console.
#pragma once

#include <stdint.h>

namespace guest {

struct pt_regs;

void show_regs(const pt_regs& regs);
// RIP, then the callers.
void show_backtrace(const pt_regs& regs);

}  // namespace guest
