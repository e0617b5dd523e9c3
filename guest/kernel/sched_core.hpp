// The scheduler's own interface, for fork, exit, the tick and the architecture.
#pragma once

#include "guest/kernel/sched.hpp"

namespace guest {

void sched_init();
// Charges current, and its process, for the time since it was last charged. Interrupts are off.
void update_curr();
// The tick: charges current, ends its turn when its time slice is used up.
void scheduler_tick(bool user);
// A new task shares what is left of its maker's time slice, so that forking gains nobody time.
void sched_fork(task_struct& child);
// What a child leaves of its first time slice goes back to its parent.
void sched_exit(task_struct& child);
void wake_up_new_task(task_struct& child);
void set_user_nice(task_struct& task, int nice);
// The three were checked. Takes effect at once.
void set_task_policy(task_struct& task, unsigned policy, unsigned rt_priority, int nice);
// Lent by those that wait for a lock of task's, 0: none.
void set_pi_priority(task_struct& task, unsigned priority);
// Lets others of the same rank go first.
void sched_yield();

// The first code of a new task (from entry.S): ends the switch that started it.
extern "C" void schedule_tail();

[[nodiscard]] uint64_t nr_context_switches();
[[nodiscard]] unsigned nr_running();
// Tasks that sleep and no signal wakes.
[[nodiscard]] unsigned nr_uninterruptible();

// What the CPU did at each tick since boot.
struct kernel_cpustat {
    uint64_t user = 0, nice = 0, system = 0, idle = 0;
};
[[nodiscard]] const kernel_cpustat& cpustat();

// Averages of the tasks that run or are uninterruptible over 1, 5 and 15 minutes.
inline constexpr unsigned kLoadShift = 11;  // in units of 1 / 2^kLoadShift
struct load_average {
    uint64_t minutes[3] = {};
};
[[nodiscard]] load_average avenrun();
// From the tick.
void calc_load();

// current becomes the idle task: runs when nobody else does.
[[noreturn]] void cpu_idle();
// The last schedule() of a task that has ended.
[[noreturn]] void schedule_dead();

// Architecture: FPU, segment bases, kernel stack, then the switch itself.
void switch_to(task_struct& prev, task_struct& next);

}  // namespace guest
