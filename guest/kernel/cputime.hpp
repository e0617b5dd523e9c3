// CPU time: what tasks and processes have used, and timers that count it.
#pragma once

#include <stdint.h>

#include "guest/lib/list.hpp"
#include "guest/lib/result.hpp"

namespace guest {

struct task_struct;

// Nanoseconds. utime and stime are counted by the tick, sum_exec_runtime at every switch.
struct task_cputime {
    uint64_t utime = 0, stime = 0, sum_exec_runtime = 0;
};

// Which of them a CPU clock shows; the values are those in a clock id (CPUCLOCK_*).
enum class CpuClock : uint8_t { Prof = 0, Virt = 1, Sched = 2 };
[[nodiscard]] uint64_t cpu_clock_sample(const task_cputime& time, CpuClock which);

// Of one thread, and of all threads of its process together, up to this moment.
[[nodiscard]] task_cputime thread_cputime(const task_struct& task);
[[nodiscard]] task_cputime thread_group_cputime(const task_struct& task);

// A function called once, from the tick's interrupt, when a CPU clock has come to `expires`.
struct cpu_timer {
    uint64_t expires = 0;  // ns of its clock
    CpuClock which = CpuClock::Sched;
    void (*function)(cpu_timer& timer) = nullptr;  // interrupts off, no lock held; may add it again
    void* data = nullptr;
    list_head entry;
};

// On the clock of the thread, or of its process. Not pending before.
enum class CpuTimerOf { Thread, Process };
void add_cpu_timer(cpu_timer& timer, task_struct& task, CpuTimerOf of);
// True if it was pending. It does not run afterwards.
bool del_cpu_timer(cpu_timer& timer);
[[nodiscard]] inline bool cpu_timer_pending(const cpu_timer& timer) { return timer.entry.is_linked(); }

// From the tick: current's timers and those of its process, and RLIMIT_CPU.
void run_posix_cpu_timers(task_struct& task);
// The clock stops for good: its timers will not go off. `group_dead`: the process's clock as well.
enum class GroupDead { No, Yes };
void posix_cpu_timers_exit(task_struct& task, GroupDead group_dead);

}  // namespace guest
