// The registers that every entry into the kernel leaves on the stack, in Linux's order.
#pragma once

#include <stdint.h>

#include "guest/arch/segment.hpp"

namespace guest {

struct pt_regs {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t orig_rax;  // system-call number; error code or -1 - vector of others
    uint64_t rip, cs, eflags, rsp, ss;
};
static_assert(sizeof(pt_regs) == 21 * 8);

[[nodiscard]] inline bool user_mode(const pt_regs& regs) { return (regs.cs & 3) == 3; }

// The user-mode registers of a task.
[[nodiscard]] pt_regs* task_pt_regs(struct task_struct* task);

}  // namespace guest
