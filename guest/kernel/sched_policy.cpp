// Policies, priorities and nice values.
#include "guest/kernel/sched_policy.hpp"

#include "guest/kernel/sched_core.hpp"

namespace guest {

namespace {

constexpr int kMinNice = -20, kMaxNice = 19;

uint64_t limit_of(const task_struct& task, abi::Rlimit which) {
    return task.signal->rlim[static_cast<unsigned>(which)].current;
}

bool valid_policy(unsigned policy) {
    return rt_policy(policy) || policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE;
}

// What needs no CAP_SYS_NICE. man 7 sched, "Privileges and resource limits".
Result<> check_unprivileged(const task_struct& task, const sched_request& wanted) {
    const sched_entity& se = task.se;
    if (rt_policy(wanted.policy)) {
        const uint64_t limit = limit_of(task, abi::Rlimit::RtPrio);
        if (wanted.policy != se.policy && limit == 0) return Errno::Perm;
        if (wanted.rt_priority > se.rt_priority && wanted.rt_priority > limit) return Errno::Perm;
    } else if (wanted.set_nice && wanted.nice < se.nice && !can_nice(wanted.nice, task)) {
        return Errno::Perm;
    }
    // Out of SCHED_IDLE only if the nice value could be reached too.
    if (se.policy == SCHED_IDLE && wanted.policy != SCHED_IDLE && !can_nice(se.nice, task))
        return Errno::Perm;
    const cred& mine = current_cred();
    if (mine.euid != task.cred->euid && mine.euid != task.cred->uid) return Errno::Perm;
    if (se.reset_on_fork && !wanted.reset_on_fork) return Errno::Perm;
    return {};
}

}  // namespace

bool can_nice(int nice, const task_struct& task) {
    const auto wanted = static_cast<uint64_t>(20 - nice);  // 1..40
    return wanted <= limit_of(task, abi::Rlimit::Nice) || capable(kCapSysNice);
}

bool check_same_owner(const task_struct& task) {
    const cred& mine = current_cred();
    return mine.euid == task.cred->euid || mine.euid == task.cred->uid || capable(kCapSysNice);
}

Result<> sched_setscheduler(task_struct& task, sched_request request) {
    if (request.keep_policy) {
        request.policy = task.se.policy;
        request.reset_on_fork = task.se.reset_on_fork;
    }
    if (!valid_policy(request.policy) || request.rt_priority > kMaxRtPriority) return Errno::Inval;
    if (rt_policy(request.policy) != (request.rt_priority != 0)) return Errno::Inval;
    if (request.set_nice) {
        if (request.nice < kMinNice) request.nice = kMinNice;
        if (request.nice > kMaxNice) request.nice = kMaxNice;
    }
    if (!capable(kCapSysNice)) TRY(check_unprivileged(task, request));
    const bool new_nice = request.set_nice && !rt_policy(request.policy);
    set_task_policy(task, request.policy, request.rt_priority, new_nice ? request.nice : task.se.nice);
    task.se.reset_on_fork = request.reset_on_fork;
    futex_priority_changed(task);
    return {};
}

}  // namespace guest
