// execve in a process of several threads leaves one.
#include "guest/kernel/de_thread.hpp"

#include "guest/arch/event_port.hpp"
#include "guest/kernel/exit.hpp"
#include "guest/kernel/posix_timers.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

// Sleeps until no more than `left` other threads are there (threads count until they are released).
Result<> wait_for_others(task_struct& task, int left) {
    signal_struct& signal = *task.signal;
    for (;;) {
        set_current_state(TaskState::Killable);
        if (signal.nr_threads - 1 <= left) break;
        if (fatal_signal_pending(&task)) {
            set_current_state(TaskState::Running);
            return Errno::Again;
        }
        schedule();
    }
    set_current_state(TaskState::Running);
    return {};
}

// The old leader, which has ended, and task change places: task gets pid, family and start time.
void become_leader(task_struct& task, task_struct& leader) {
    const spinlock_guard guard(tasklist_lock);
    task.start_time = leader.start_time;
    task.exit_signal = abi::kSigChld;
    leader.exit_signal = -1;
    RefPtr<pid> old_pid = task.thread_pid;
    RefPtr<pid> leader_pid = leader.thread_pid;
    change_pid(&task, PIDTYPE_PID, leader_pid);
    change_pid(&leader, PIDTYPE_PID, old_pid);
    task.thread_pid = leader_pid;
    leader.thread_pid = old_pid;
    std::swap(task.pid, leader.pid);
    for (const PidType type : {PIDTYPE_PGID, PIDTYPE_SID}) {
        RefPtr<pid> group = leader.pids[type].of;
        detach_pid(&leader, type);
        attach_pid(&task, type, std::move(group));
    }
    list_add_tail(task.tasks, leader.tasks);
    leader.tasks.unlink();
    list_add_tail(task.sibling, leader.sibling);
    leader.sibling.unlink();
    // Threads have one real parent; whoever traces task goes on to do so.
    task.real_parent = leader.real_parent;
    if (task.ptrace == 0) task.parent = task.real_parent;
    // The leader is released without a word: its tracer is not to wait for it.
    if (leader.ptrace != 0) wake_up_all(leader.parent->signal->wait_chldexit);
    task.group_leader = &task;
    leader.group_leader = &task;
    leader.exit_state = TaskState::Dead;
    pid_namespace& ns = task_active_pid_ns(&task);
    if (ns.child_reaper == &leader) ns.child_reaper = &task;
}

Result<> unshare_sighand(task_struct& task) {
    if (task.sighand->ref_count() == 1) return {};
    RefPtr<sighand_struct> fresh = TRY(make_ref<sighand_struct>());
    const RefPtr<sighand_struct> old = task.sighand;  // outlives its lock's guard
    const spinlock_guard tasklist_guard(tasklist_lock);
    const spinlock_guard guard(old->siglock);
    for (int i = 0; i < abi::kNsig; ++i) fresh->action[i] = old->action[i];
    task.sighand = std::move(fresh);
    return {};
}

// POSIX timers do not outlive the program, nor do the signals that they have sent.
Result<> leave_old_program(task_struct& task) {
    exit_itimers(task);
    flush_itimer_signals(task);
    return unshare_sighand(task);
}

}  // namespace

Result<> de_thread(task_struct& task) {
    if (thread_group_empty(&task)) return leave_old_program(task);
    signal_struct& signal = *task.signal;
    {
        const spinlock_guard tasklist_guard(tasklist_lock);
        const spinlock_guard guard(task.sighand->siglock);
        if (signal_group_exit(signal)) return Errno::Again;
        signal.group_exit_task = &task;
        zap_other_threads(&task);
        signal.notify_count = thread_group_leader(&task) ? 0 : 1;
    }
    Result<> outcome = wait_for_others(task, signal.notify_count);
    task_struct* leader = task.group_leader;
    if (outcome && leader != &task) {
        // The leader stays as a zombie until somebody reaps it: this thread does, in its place.
        for (;;) {
            set_current_state(TaskState::Killable);
            if (leader->exit_state == TaskState::Zombie) break;
            if (fatal_signal_pending(&task)) {
                outcome = Errno::Again;
                break;
            }
            schedule();
        }
        set_current_state(TaskState::Running);
        if (outcome) {
            become_leader(task, *leader);
            announce(abi::Announcement::TaskSwitch, static_cast<uint64_t>(task.pid),
                     static_cast<uint64_t>(leader->pid));
            release_task(leader);
        }
    }
    signal.group_exit_task = nullptr;
    signal.notify_count = 0;
    if (!outcome) return outcome;
    return leave_old_program(task);
}

}  // namespace guest
