// Scheduling policies.
#include "guest/kernel/sched_policy.hpp"

#include "guest/kernel/ktime.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

constexpr unsigned kResetOnFork = 0x40000000;  // beside the policy
constexpr uint64_t kFlagResetOnFork = 1, kFlagKeepPolicy = 8, kFlagKeepParams = 0x10;
constexpr unsigned kDeadline = 6, kExt = 7;
// SCHED_FLAG_RECLAIM and DL_OVERRUN say something of deadline tasks alone; nothing is clamped here.
constexpr uint64_t kFlagsOfDeadline = 6, kFlagsOfClamps = 0x60;

// 0 is the caller. tasklist_lock is held.
Result<task_struct*> find_task(int nr) {
    task_struct* task = nr == 0 ? current() : find_task_by_vpid(nr);
    if (task == nullptr) return Errno::Srch;
    return task;
}

Result<long> set_scheduler(int nr, const sched_request& request) {
    const spinlock_guard guard(tasklist_lock);
    TRY(sched_setscheduler(*TRY(find_task(nr)), request));
    return 0;
}

struct Priorities {
    int least, most;
};
Result<Priorities> priorities_of(int policy) {
    const auto which = static_cast<unsigned>(policy);
    if (rt_policy(which)) return Priorities{1, static_cast<int>(kMaxRtPriority)};
    if (which == SCHED_NORMAL || which == SCHED_BATCH || which == SCHED_IDLE || which == kDeadline ||
        which == kExt)
        return Priorities{0, 0};
    return Errno::Inval;
}

}  // namespace

Result<long> sys_sched_setparam(int nr, UserPtr<const int32_t> param) {
    if (!param || nr < 0) return Errno::Inval;
    sched_request request;
    request.keep_policy = true;
    request.rt_priority = static_cast<unsigned>(TRY(get_user(param)));
    return set_scheduler(nr, request);
}

Result<long> sys_sched_setscheduler(int nr, int policy, UserPtr<const int32_t> param) {
    if (policy < 0 || !param || nr < 0) return Errno::Inval;
    const auto given = static_cast<unsigned>(policy);
    sched_request request;
    request.reset_on_fork = (given & kResetOnFork) != 0;
    request.policy = given & ~kResetOnFork;
    request.rt_priority = static_cast<unsigned>(TRY(get_user(param)));
    return set_scheduler(nr, request);
}

Result<long> sys_sched_getscheduler(int nr) {
    if (nr < 0) return Errno::Inval;
    const spinlock_guard guard(tasklist_lock);
    const sched_entity& se = TRY(find_task(nr))->se;
    return se.policy | (se.reset_on_fork ? kResetOnFork : 0);
}

Result<long> sys_sched_getparam(int nr, UserPtr<int32_t> param) {
    if (!param || nr < 0) return Errno::Inval;
    int32_t priority = 0;
    {
        const spinlock_guard guard(tasklist_lock);
        priority = static_cast<int32_t>(TRY(find_task(nr))->se.rt_priority);
    }
    TRY(put_user(param, priority));
    return 0;
}

Result<long> sys_sched_get_priority_max(int policy) { return TRY(priorities_of(policy)).most; }
Result<long> sys_sched_get_priority_min(int policy) { return TRY(priorities_of(policy)).least; }

Result<long> sys_sched_rr_get_interval(int nr, UserPtr<abi::Timespec> out) {
    if (nr < 0) return Errno::Inval;
    uint64_t ns = 0;
    {
        const spinlock_guard guard(tasklist_lock);
        const sched_entity& se = TRY(find_task(nr))->se;
        // SCHED_FIFO has no end of its turn.
        if (se.policy != SCHED_FIFO) ns = full_slice(se) * kNsPerTick;
    }
    TRY(put_user(out, to_timespec(ns)));
    return 0;
}

namespace {

// As sched_copy_attr: a caller may know less, or more as long as that is all zero.
Result<abi::SchedAttr> copy_attr(UserPtr<abi::SchedAttr> from) {
    uint32_t size = TRY(get_user(from.cast<uint32_t>()));
    if (size == 0) size = abi::kSchedAttrSizeVer0;
    bool fits = size >= abi::kSchedAttrSizeVer0 && size <= kPageSize;
    for (uint64_t at = sizeof(abi::SchedAttr); fits && at < size; ++at) {
        fits = TRY(get_user(UserPtr<const uint8_t>(from.raw() + at))) == 0;
    }
    if (!fits) {
        TRY(put_user(from.cast<uint32_t>(), uint32_t{sizeof(abi::SchedAttr)}));
        return Errno::TooBig;
    }
    abi::SchedAttr attr{};
    TRY(copy_from_user(&attr, from, size < sizeof(attr) ? size : sizeof(attr)));
    if ((attr.flags & kFlagsOfClamps) != 0 && size < sizeof(attr)) return Errno::Inval;
    return attr;
}

}  // namespace

Result<long> sys_sched_setattr(int nr, UserPtr<abi::SchedAttr> from, uint32_t flags) {
    if (!from || nr < 0 || flags != 0) return Errno::Inval;
    const abi::SchedAttr attr = TRY(copy_attr(from));
    constexpr uint64_t kKnown =
        kFlagResetOnFork | kFlagKeepPolicy | kFlagKeepParams | kFlagsOfDeadline | kFlagsOfClamps;
    if ((attr.flags & ~kKnown) != 0) return Errno::Inval;
    if ((attr.flags & kFlagsOfClamps) != 0) return Errno::OpNotSupp;
    if (static_cast<int32_t>(attr.policy) < 0) return Errno::Inval;
    sched_request request;
    request.policy = attr.policy;
    request.reset_on_fork = (attr.flags & kFlagResetOnFork) != 0;
    request.rt_priority = attr.priority;
    request.set_nice = !rt_policy(attr.policy);
    request.nice = attr.nice;
    const spinlock_guard guard(tasklist_lock);
    task_struct& task = *TRY(find_task(nr));
    if ((attr.flags & kFlagKeepPolicy) != 0) request.policy = task.se.policy;
    if ((attr.flags & kFlagKeepParams) != 0) {
        request.rt_priority = task.se.rt_priority;
        request.set_nice = false;
    }
    TRY(sched_setscheduler(task, request));
    return 0;
}

Result<long> sys_sched_getattr(int nr, UserPtr<abi::SchedAttr> out, uint32_t bytes, uint32_t flags) {
    if (!out || nr < 0 || bytes > kPageSize || bytes < abi::kSchedAttrSizeVer0 || flags != 0)
        return Errno::Inval;
    abi::SchedAttr attr{};
    {
        const spinlock_guard guard(tasklist_lock);
        const sched_entity& se = TRY(find_task(nr))->se;
        attr.size = bytes < sizeof(attr) ? bytes : uint32_t{sizeof(attr)};
        attr.policy = se.policy;
        if (se.reset_on_fork) attr.flags |= kFlagResetOnFork;
        attr.priority = se.rt_priority;
        if (!rt_policy(se.policy)) attr.nice = se.nice;
    }
    TRY(copy_to_user(out.address(), &attr, attr.size));
    return 0;
}

}  // namespace guest
