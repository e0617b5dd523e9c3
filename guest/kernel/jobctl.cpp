// Job control of one task.
#include "guest/kernel/jobctl.hpp"

#include "guest/kernel/sched.hpp"

namespace guest {

namespace {
// Tracers in ATTACH whose tracee is on its way from STOPPED to TRACED.
constinit wait_queue_head trapping_wait;
}  // namespace

bool task_set_jobctl_pending(task_struct& task, uint32_t mask) {
    if (fatal_signal_pending(&task) || (task.flags & PF_EXITING) != 0) return false;
    if ((mask & JOBCTL_STOP_SIGMASK) != 0) task.jobctl &= ~JOBCTL_STOP_SIGMASK;
    task.jobctl |= mask;
    return true;
}

void task_clear_jobctl_trapping(task_struct& task) {
    if ((task.jobctl & JOBCTL_TRAPPING) == 0) return;
    task.jobctl &= ~JOBCTL_TRAPPING;
    wake_up_all(trapping_wait);
}

void task_clear_jobctl_pending(task_struct& task, uint32_t mask) {
    if ((mask & JOBCTL_STOP_PENDING) != 0) mask |= JOBCTL_STOP_CONSUME | JOBCTL_STOP_DEQUEUED;
    task.jobctl &= ~mask;
    if ((task.jobctl & JOBCTL_PENDING_MASK) == 0) task_clear_jobctl_trapping(task);
}

void wait_for_trapping(const task_struct& task) {
    (void)wait_event_killable(trapping_wait, (task.jobctl & JOBCTL_TRAPPING) == 0).ok();
}

bool task_participate_group_stop(task_struct& task) {
    signal_struct& signal = *task.signal;
    const bool consume = (task.jobctl & JOBCTL_STOP_CONSUME) != 0;
    task_clear_jobctl_pending(task, JOBCTL_STOP_PENDING);
    if (!consume) return false;
    if (signal.group_stop_count > 0) --signal.group_stop_count;
    // Only a fresh stop is told: one that is joined late has been told already.
    if (signal.group_stop_count != 0 || (signal.flags & SIGNAL_STOP_STOPPED) != 0) return false;
    signal.flags = (signal.flags & ~SIGNAL_STOP_MASK) | SIGNAL_STOP_STOPPED;
    return true;
}

void task_join_group_stop(task_struct& thread) {
    const task_struct& caller = *current();
    signal_struct& signal = *caller.signal;
    uint32_t mask = caller.jobctl & JOBCTL_STOP_SIGMASK;
    if ((caller.jobctl & JOBCTL_STOP_PENDING) != 0) {
        ++signal.group_stop_count;
        mask |= JOBCTL_STOP_CONSUME;
    } else if ((signal.flags & SIGNAL_STOP_STOPPED) == 0) {
        return;
    }
    task_set_jobctl_pending(thread, mask | JOBCTL_STOP_PENDING);
    thread.stack.info()->flags |= TIF_SIGPENDING;
}

}  // namespace guest
