// I/O priorities. There is no disk that they could matter to: they are kept, inherited and shared (row C15).
#include "guest/kernel/sched_policy.hpp"
#include "guest/syscalls/syscalls.hpp"
#include "guest/syscalls/which_tasks.hpp"

namespace guest {

namespace {

constexpr int kFirstWho = 1;  // IOPRIO_WHO_PROCESS, where PRIO_PROCESS is 0
constexpr unsigned kClassShift = 13;
constexpr unsigned kNone = 0, kRealtime = 1, kBestEffort = 2, kIdle = 3;  // classes
constexpr unsigned kLevels = 8, kNormalLevel = 4, kClasses = 8;

// 3 bits class, 10 bits hint to the device, 3 bits level.
constexpr unsigned class_of(unsigned ioprio) { return ioprio >> kClassShift & (kClasses - 1); }
constexpr unsigned level_of(unsigned ioprio) { return ioprio & (kLevels - 1); }

Result<> check_value(unsigned ioprio) {
    switch (class_of(ioprio)) {
        case kRealtime:
            if (!capable(kCapSysAdmin) && !capable(kCapSysNice)) return Errno::Perm;
            return {};
        case kBestEffort:
        case kIdle:
            return {};
        case kNone:
            if (level_of(ioprio) != 0) return Errno::Inval;
            return {};
        default:
            return Errno::Inval;
    }
}

Result<> set_one(task_struct& task, unsigned ioprio) {
    const cred& mine = current_cred();
    const bool own = task.cred->uid == mine.euid || task.cred->uid == mine.uid;
    if (!own && !capable(kCapSysNice)) return Errno::Perm;
    if (!task.io_context) task.io_context = TRY(make_ref<io_context>());
    task.io_context->ioprio = static_cast<uint16_t>(ioprio);
    return {};
}

// What nobody set counts as best effort in the middle.
unsigned effective(unsigned ioprio) {
    return class_of(ioprio) == kNone ? kBestEffort << kClassShift | kNormalLevel : ioprio;
}

}  // namespace

Result<long> sys_ioprio_set(int which, int who, int ioprio) {
    const auto value = static_cast<unsigned>(ioprio);
    TRY(check_value(value));
    const Who whom = TRY(which_of(which - kFirstWho));
    bool any = false;
    Errno failed{};
    const spinlock_guard guard(tasklist_lock);
    for_each_named_task(whom, who, [&](task_struct& task) {
        any = true;
        if (failed != Errno{} || (task.flags & PF_EXITING) != 0) return;
        const Result<> set = set_one(task, value);
        if (!set) failed = set.error();
    });
    if (!any) return Errno::Srch;
    if (failed != Errno{}) return failed;
    return 0;
}

// The best of those that are named.
Result<long> sys_ioprio_get(int which, int who) {
    const Who whom = TRY(which_of(which - kFirstWho));
    bool any = false;
    unsigned best = 0;
    const spinlock_guard guard(tasklist_lock);
    for_each_named_task(whom, who, [&](const task_struct& task) {
        // One alone is told of as it was set.
        const unsigned set = task.io_context ? task.io_context->ioprio : 0;
        const unsigned own = whom == Who::Process ? set : effective(set);
        if (!any || own < best) best = own;
        any = true;
    });
    if (!any) return Errno::Srch;
    return best;
}

}  // namespace guest
