// What each CPU has of its own, reached through GS. The first members stand at offsets that entry.S knows.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace guest {

struct task_struct;
struct mm_struct;
struct rq;

struct PerCpu {
    PerCpu* self;            // 0: so that a pointer can be had with one load
    task_struct* current;    // 8
    uint64_t kernel_stack;   // 16: top of current's kernel stack, loaded by SYSCALL
    uint64_t user_rsp;       // 24: scratch of the SYSCALL entry
    uint32_t cpu;            // number
    uint32_t preempt_count;  // spinlocks held, plus kHardIrqOffset inside an interrupt
    bool need_resched;       // schedule() before the next return to user mode
    mm_struct* active_mm;    // whose page tables CR3 holds
    rq* runqueue;
};
static_assert(offsetof(PerCpu, kernel_stack) == 16 && offsetof(PerCpu, user_rsp) == 24);

inline constexpr uint32_t kHardIrqOffset = 1u << 16;

inline PerCpu& this_cpu() {
    PerCpu* cpu;
    asm volatile("movq %%gs:0, %0" : "=r"(cpu));
    return *cpu;
}

// The running task. Not volatile: it cannot change under the code that asks.
inline task_struct* current() {
    task_struct* task;
    asm("movq %%gs:8, %0" : "=r"(task));
    return task;
}

// A task must not sleep while this is not 0.
[[nodiscard]] inline uint32_t preempt_count() { return this_cpu().preempt_count; }
[[nodiscard]] inline bool in_interrupt() { return preempt_count() >= kHardIrqOffset; }

}  // namespace guest
