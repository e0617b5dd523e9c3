// What several files tell of a task.
#include "guest/fs/proc/pid_files.hpp"
#include "guest/kernel/nsproxy.hpp"
#include "guest/kernel/sched_queue.hpp"

namespace guest {

task_ids task_ids_of(const task_struct& task, const pid_namespace& ns) {
    const spinlock_guard guard(tasklist_lock);
    task_ids ids;
    ids.pid = pid_nr_ns(task.thread_pid.get(), ns);
    // One that is reaped while somebody looks has neither family nor group any more.
    if (!task.pids[PIDTYPE_PID].of) return ids;
    ids.tgid = pid_nr_ns(task.group_leader->thread_pid.get(), ns);
    ids.ppid = pid_nr_ns(task.real_parent->group_leader->thread_pid.get(), ns);
    ids.pgrp = pid_nr_ns(task_pgrp(&task), ns);
    ids.session = pid_nr_ns(task_session(&task), ns);
    if (task.ptrace != 0) ids.tracer = pid_nr_ns(task.parent->thread_pid.get(), ns);
    return ids;
}

task_signals task_signals_of(const task_struct& task) {
    const spinlock_guard tasklist_guard(tasklist_lock);
    const RefPtr<sighand_struct> sighand = task.sighand;
    const spinlock_guard guard(sighand->siglock);
    task_signals out;
    out.pending = task.pending.signal;
    out.shared = task.signal->shared_pending.signal;
    out.blocked = task.blocked;
    for (int sig = 1; sig <= abi::kNsig; ++sig) {
        const uint64_t handler = sighand->action[sig - 1].handler;
        const sigset_t bit = sigset_t{1} << (sig - 1);
        if (handler == abi::kSigIgn) {
            out.ignored |= bit;
        } else if (handler != abi::kSigDfl) {
            out.caught |= bit;
        }
    }
    out.queued = task.real_cred->user->sigpending.load();
    out.threads = task.signal->nr_threads;
    return out;
}

namespace {

struct StateName {
    char letter;
    const char* name;
};

StateName state_of(const task_struct& task) {
    if (task.exit_state == TaskState::Zombie) return {'Z', "zombie"};
    if (task.exit_state == TaskState::Dead) return {'X', "dead"};
    const auto bits = static_cast<uint32_t>(task.state.load());
    const auto has = [bits](TaskState state) { return (bits & static_cast<uint32_t>(state)) != 0; };
    if (has(TaskState::Interruptible)) return {'S', "sleeping"};
    if (has(TaskState::Uninterruptible)) return {'D', "disk sleep"};
    if (has(TaskState::Stopped)) return {'T', "stopped"};
    if (has(TaskState::Traced)) return {'t', "tracing stop"};
    return {'R', "running"};
}

}  // namespace

char task_state_letter(const task_struct& task) { return state_of(task).letter; }
const char* task_state_name(const task_struct& task) { return state_of(task).name; }

int task_prio(const task_struct& task) {
    const auto rt = static_cast<int>(effective_rt_priority(task.se));
    return rt > 0 ? -1 - rt : 20 + task.se.nice;
}
unsigned task_rt_priority(const task_struct& task) { return task.se.rt_priority; }

uint64_t text_pages(const mm_struct& mm) {
    return (mm.end_code.align_up() - mm.start_code.align_down()) >> kPageShift;
}

MmRef mmget_not_zero(mm_struct* mm) {
    if (mm == nullptr || !mm->mm_users.inc_not_zero()) return {};
    return MmRef(mm);
}

}  // namespace guest
