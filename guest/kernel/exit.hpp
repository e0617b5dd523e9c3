// The end of tasks, and waiting for it.
#pragma once

#include <stdint.h>

#include "guest/abi/process.hpp"
#include "guest/abi/signal.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/kernel/pid.hpp"
#include "guest/lib/result.hpp"

namespace guest {

struct task_struct;

// code: wait status (exit code << 8, or the signal).
[[noreturn]] void do_exit(int code);
// Ends all threads of current's process.
[[noreturn]] void do_group_exit(int code);

// Takes a task that has ended out of every list. Its memory goes with the last reference.
void release_task(task_struct* task);
// Tells the parent that task ended (or, with a stop code, stopped or went on). tasklist_lock is held.
// True if nobody will wait: the task is to be reaped at once.
bool do_notify_parent(task_struct* task, int sig);
// Who is told of a stop or continuation: the tracer of a thread, or the real parent of its process.
enum class Notified { Tracer, Parent };
void do_notify_parent_cldstop(task_struct* task, Notified whom, int why);
// The process group of which task's end may have made an orphan gets SIGHUP and SIGCONT if it has stopped
// members.
void kill_orphaned_pgrp(task_struct* task, task_struct* parent);
[[nodiscard]] bool is_orphaned_pgrp(pid* group);

// What wait4 and waitid look for, and what they found.
struct wait_opts {
    PidType type = PIDTYPE_MAX;  // PIDTYPE_MAX: any child
    pid* who = nullptr;          // referenced by the caller
    uint32_t options = 0;        // W*
    int status = 0;              // wait status of what was found
    int why = 0;                 // CLD_*
    uid_t uid = 0;
    abi::Rusage usage{};
};
// The tid of the child, 0 with WNOHANG and nothing to report. Child, RestartSys.
Result<pid_nr_t> do_wait(wait_opts& wo);

void getrusage_children(const task_struct& task, abi::Rusage& out);
void getrusage_self(const task_struct& task, abi::Rusage& out);
void getrusage_thread(const task_struct& task, abi::Rusage& out);

}  // namespace guest
