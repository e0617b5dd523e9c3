// What the files about signals share among themselves.
#pragma once

#include "guest/kernel/sched.hpp"
#include "guest/kernel/signal.hpp"

namespace guest {

// How far a signal may be ignored. Ancestor: SIGKILL and SIGSTOP reach even the init of a pid namespace, when
// they come from above it. Yes: every signal reaches.
enum class Force { No, Ancestor, Yes };

// What sending has for effect whether the signal is delivered or not. False if it need not be queued. siglock
// is held, as for all below.
bool prepare_signal(int sig, task_struct& task, Force force);

// Whether the task's action drops the signal: by SIG_IGN, or by the default.
[[nodiscard]] bool action_ignores(const task_struct& task, int sig);
// Drops the signals of `mask` from the sets of the process and of each thread.
void remove_from_all(task_struct& task, sigset_t mask);

// An entry that is in no list any more: freed, unless a timer keeps it for its next signal.
void free_sigqueue(sigqueue& entry);

// Others are woken for signals of the process that `task` was to take and now will not.
void retarget_shared_pending(task_struct& task, sigset_t which);

}  // namespace guest
