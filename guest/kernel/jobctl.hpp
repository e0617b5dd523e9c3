// Job control of one task: which stop or trap it still owes. The bits of task_struct::jobctl are Linux's.
//
// A group stop is begun by the thread that takes a stop signal; each thread then owes one (STOP_PENDING). A
// traced task serves it as a trap, which its tracer sees. All of this is guarded by siglock.
#pragma once

#include <stdint.h>

namespace guest {

struct task_struct;

inline constexpr uint32_t JOBCTL_STOP_SIGMASK = 0xffff;     // signal of the last group stop
inline constexpr uint32_t JOBCTL_STOP_DEQUEUED = 1u << 16;  // a stop signal was taken, and no SIGCONT since
inline constexpr uint32_t JOBCTL_STOP_PENDING = 1u << 17;   // it has to stop for its group
inline constexpr uint32_t JOBCTL_STOP_CONSUME = 1u << 18;   // counted in group_stop_count
inline constexpr uint32_t JOBCTL_TRAP_STOP = 1u << 19;      // it has to stop for its tracer
inline constexpr uint32_t JOBCTL_TRAP_NOTIFY = 1u << 20;    // ... because the group's state changed
inline constexpr uint32_t JOBCTL_TRAPPING = 1u << 21;       // the tracer waits for STOPPED to become TRACED
inline constexpr uint32_t JOBCTL_LISTENING = 1u << 22;      // PTRACE_LISTEN: stopped, but not for wait
inline constexpr uint32_t JOBCTL_TRAP_MASK = JOBCTL_TRAP_STOP | JOBCTL_TRAP_NOTIFY;
inline constexpr uint32_t JOBCTL_PENDING_MASK = JOBCTL_STOP_PENDING | JOBCTL_TRAP_MASK;

// False, and nothing is set, if the task is about to die. A new signal in the mask replaces the old one.
bool task_set_jobctl_pending(task_struct& task, uint32_t mask);
void task_clear_jobctl_pending(task_struct& task, uint32_t mask);
void task_clear_jobctl_trapping(task_struct& task);
// Sleeps until task, which was told to, is TRACED (or will never be).
void wait_for_trapping(const task_struct& task);
// The task stops (or exits) for the group stop that it owes. True if that completes the stop of the group and
// the parent is to be told.
[[nodiscard]] bool task_participate_group_stop(task_struct& task);
// A new thread of current's process takes part in the group's stop. siglock is held.
void task_join_group_stop(task_struct& thread);

}  // namespace guest
