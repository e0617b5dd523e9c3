// What a child's scheduling begins with, and what it leaves to its parent.
#include "guest/kernel/sched_core.hpp"
#include "guest/kernel/sched_queue.hpp"

namespace guest {

void sched_fork(task_struct& child) {
    task_struct& parent = *current();
    const IrqGuard guard;
    child.state.store(TaskState::Running);
    child.se.nice = parent.se.nice;
    child.se.policy = parent.se.policy;
    child.se.rt_priority = parent.se.rt_priority;
    if (parent.se.reset_on_fork) {
        if (rt_policy(child.se.policy)) child.se.policy = SCHED_NORMAL;
        child.se.rt_priority = 0;
        if (child.se.nice < 0) child.se.nice = 0;
    }
    child.se.timer_slack_ns = parent.se.timer_slack_ns;
    // Real-time tasks share nothing.
    if (rt_policy(parent.se.policy)) return;
    child.se.time_slice = (parent.se.time_slice + 1) / 2;
    child.se.first_time_slice = true;
    parent.se.time_slice /= 2;
    if (parent.se.time_slice == 0 && &parent != &init_task) this_cpu().need_resched = true;
}

void sched_exit(task_struct& child) {
    const IrqGuard guard;
    task_struct& parent = *child.real_parent;
    if (!child.se.first_time_slice) return;
    const unsigned limit = full_slice(parent.se);
    const unsigned sum = parent.se.time_slice + child.se.time_slice;
    parent.se.time_slice = sum < limit ? sum : limit;
}

}  // namespace guest
