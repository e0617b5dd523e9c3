// The run queue of the one CPU, for the files that are the scheduler.
#pragma once

#include "guest/kernel/sched.hpp"
#include "guest/kernel/sched_queue.hpp"

namespace guest {

struct rq {
    spinlock_t lock;
    task_queue queue;
    uint64_t rt_ticks = 0;         // of this period
    uint64_t rt_period_start = 0;  // ticks
    bool rt_throttled = false;
    unsigned uninterruptible = 0;
    uint64_t switches = 0;
    kernel_cpustat cpustat;
    task_struct* idle = nullptr;
    // Set by the switch for the task that comes after: a dead one to be dropped, a borrowed mm to be given
    // back.
    task_struct* dead = nullptr;
    mm_struct* borrowed_mm = nullptr;
};
extern rq boot_rq;

// A task that is in the queue now may be more urgent than the running one. The queue's lock is held.
void check_preempt(const task_struct& woken);

}  // namespace guest
