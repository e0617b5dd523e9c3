// Nice values.
#include "guest/kernel/sched_core.hpp"
#include "guest/kernel/sched_policy.hpp"
#include "guest/syscalls/syscalls.hpp"
#include "guest/syscalls/which_tasks.hpp"

namespace guest {

namespace {

constexpr int kMinNice = -20, kMaxNice = 19;

Errno set_one(task_struct& task, int nice, Errno before) {
    if (!check_same_owner(task)) return Errno::Perm;
    if (nice < task.se.nice && !can_nice(nice, task)) return Errno::Access;
    set_user_nice(task, nice);
    return before == Errno::Srch ? Errno{} : before;
}

}  // namespace

// 20 minus the nice value, so that the result is never negative.
Result<long> sys_getpriority(int which, int who) {
    const Who whom = TRY(which_of(which));
    long best = 0;
    const spinlock_guard guard(tasklist_lock);
    for_each_named_task(whom, who, [&](const task_struct& task) {
        const long value = 20 - task.se.nice;
        if (value > best) best = value;
    });
    if (best == 0) return Errno::Srch;
    return best;
}

Result<long> sys_setpriority(int which, int who, int nice) {
    const Who whom = TRY(which_of(which));
    if (nice < kMinNice) nice = kMinNice;
    if (nice > kMaxNice) nice = kMaxNice;
    Errno error = Errno::Srch;
    const spinlock_guard guard(tasklist_lock);
    for_each_named_task(whom, who, [&](task_struct& task) { error = set_one(task, nice, error); });
    if (error != Errno{}) return error;
    return 0;
}

}  // namespace guest
