// Process groups and sessions: orphans, and losing the controlling terminal.
#include "guest/kernel/exit.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

// A group is orphaned when no member but `leaving` has a parent in the same session and another group.
bool will_become_orphaned(pid* group, const task_struct* leaving) {
    bool orphaned = true;
    do_each_pid_task(group, PIDTYPE_PGID, [&](const task_struct& task) {
        const bool gone = task.exit_state != TaskState::Running && thread_group_empty(&task);
        if (&task == leaving || gone || task.real_parent->tgid == 1) return;
        if (task_pgrp(task.real_parent) != group && task_session(task.real_parent) == task_session(&task)) {
            orphaned = false;
        }
    });
    return orphaned;
}

bool has_stopped_jobs(pid* group) {
    bool stopped = false;
    do_each_pid_task(group, PIDTYPE_PGID, [&](const task_struct& task) {
        stopped = stopped || (task.signal->flags & SIGNAL_STOP_STOPPED) != 0;
    });
    return stopped;
}

void signal_members(pid* group, int sig) {
    do_each_pid_task(group, PIDTYPE_PGID, [sig](task_struct& task) { send_group_sig(sig, &task); });
}

}  // namespace

bool is_orphaned_pgrp(pid* group) { return will_become_orphaned(group, nullptr); }

bool is_current_pgrp_orphaned() {
    const spinlock_guard guard(tasklist_lock);
    return will_become_orphaned(task_pgrp(current()), nullptr);
}

void kill_orphaned_pgrp(task_struct* task, task_struct* parent) {
    // With a parent: task stays, but loses that parent. Without: task itself is on its way out.
    const task_struct* leaving = parent == nullptr ? task : nullptr;
    const task_struct* link = parent == nullptr ? task->real_parent : parent;
    pid* group = task_pgrp(task);
    if (group == nullptr || task_pgrp(link) == group || task_session(link) != task_session(task)) return;
    if (!will_become_orphaned(group, leaving) || !has_stopped_jobs(group)) return;
    signal_members(group, abi::kSigHup);
    signal_members(group, abi::kSigCont);
}

}  // namespace guest
