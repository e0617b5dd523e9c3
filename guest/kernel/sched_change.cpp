// Changing how urgent a task is while it may be in the queue.
#include "guest/kernel/sched_core.hpp"
#include "guest/kernel/sched_rq.hpp"

namespace guest {

void set_user_nice(task_struct& task, int nice) {
    const spinlock_guard guard(boot_rq.lock);
    task.se.nice = nice;
    const unsigned limit = full_slice(task.se);
    if (task.se.time_slice > limit) task.se.time_slice = limit;
}

void set_task_policy(task_struct& task, unsigned policy, unsigned rt_priority, int nice) {
    const spinlock_guard guard(boot_rq.lock);
    const bool queued = task.se.on_rq;
    if (queued) boot_rq.queue.remove(task.se);
    task.se.policy = policy;
    task.se.rt_priority = rt_priority;
    task.se.nice = nice;
    task.se.time_slice = full_slice(task.se);
    if (queued) boot_rq.queue.add(task.se, task_queue::At::Tail);
    if (queued) check_preempt(task);
    // It may have come down below others.
    if (&task == current()) this_cpu().need_resched = true;
}

void set_pi_priority(task_struct& task, unsigned priority) {
    const spinlock_guard guard(boot_rq.lock);
    const bool queued = task.se.on_rq;
    if (queued) boot_rq.queue.remove(task.se);
    // Its turn is not over because it had something that others wanted.
    const bool lowered = priority < task.se.pi_priority;
    task.se.pi_priority = priority;
    if (queued) boot_rq.queue.add(task.se, lowered ? task_queue::At::Head : task_queue::At::Tail);
    if (queued) check_preempt(task);
    if (&task == current()) this_cpu().need_resched = true;
}

}  // namespace guest
