// Pid namespaces: made by CLONE_NEWPID, ended by the end of their init.
#include "guest/abi/clone.hpp"
#include "guest/kernel/exit.hpp"
#include "guest/kernel/nsproxy.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

DEFINE_KMEM_CACHE(pid_namespace)

constinit pid_namespace init_pid_ns;

pid_namespace& task_active_pid_ns(const task_struct* task) {
    const pid* of = task->thread_pid.get();
    return of != nullptr ? *of->numbers[of->level].ns : init_pid_ns;
}

Result<RefPtr<pid_namespace>> copy_pid_ns(uint64_t flags, pid_namespace& old) {
    if ((flags & abi::kCloneNewPid) == 0) return RefPtr<pid_namespace>(&old);
    // Its members must see the caller's pid.
    if (&task_active_pid_ns(current()) != &old) return Errno::Inval;
    if (old.level + 1 >= kMaxPidLevels) return Errno::NoSpc;
    RefPtr<pid_namespace> fresh = TRY(make_ref<pid_namespace>());
    fresh->level = old.level + 1;
    fresh->parent = RefPtr<pid_namespace>(&old);
    return fresh;
}

namespace {

// Calls visit(leader) for each process of ns and of the namespaces below it, but for current's own.
template <typename Visit>
void for_each_other_process(const pid_namespace& ns, Visit&& visit) {
    const spinlock_guard guard(tasklist_lock);
    for (task_struct& leader : all_leaders) {
        if (!same_thread_group(&leader, current()) && pid_nr_ns(leader.thread_pid.get(), ns) != 0)
            visit(leader);
    }
}

void reap_zombies() {
    for (;;) {
        wait_opts wo;
        wo.options = abi::kWNoHang | abi::kWExited | abi::kWAll;
        Result<pid_nr_t> reaped = do_wait(wo);
        if (!reaped.ok() || reaped.value() == 0) return;
    }
}

}  // namespace

void zap_pid_ns_processes(pid_namespace& ns) {
    task_struct& init = *current();
    {
        // Whoever ends from now on is nobody's to wait for.
        const spinlock_guard guard(init.sighand->siglock);
        init.sighand->action[abi::kSigChld - 1].handler = abi::kSigIgn;
    }
    for_each_other_process(ns, [](task_struct& task) { kill_process(&task); });
    wait_queue_head& ends = init.signal->wait_chldexit;
    wait_queue_entry entry;
    for (;;) {
        reap_zombies();
        prepare_to_wait(ends, entry, TaskState::Uninterruptible);
        bool alone = true;
        for_each_other_process(ns, [&alone](task_struct&) { alone = false; });
        if (alone) break;
        schedule("zap_pid_ns_processes");
    }
    finish_wait(ends, entry);
    // Nobody is born into it any more.
    ns.child_reaper = nullptr;
}

}  // namespace guest
