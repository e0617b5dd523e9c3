// Sending signals.
#include "guest/kernel/signal.hpp"

#include "guest/kernel/exit.hpp"
#include "guest/kernel/jobctl.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/signal_core.hpp"
#include "guest/kernel/signal_sets.hpp"

namespace guest {

DEFINE_KMEM_CACHE(sigqueue)

namespace {

bool wants_signal(int sig, const task_struct& thread) {
    if ((thread.blocked & abi::sig_bit(sig)) != 0 || (thread.flags & PF_EXITING) != 0) return false;
    if (sig == abi::kSigKill) return true;
    return (static_cast<uint32_t>(thread.state.load()) &
            (static_cast<uint32_t>(TaskState::Stopped) | static_cast<uint32_t>(TaskState::Traced))) == 0;
}

task_struct* choose_thread(int sig, task_struct& task, SigTarget target) {
    if (wants_signal(sig, task)) return &task;
    if (target == SigTarget::Thread) return nullptr;
    task_struct* chosen = nullptr;
    for_each_thread(&task, [&](task_struct& thread) {
        if (chosen == nullptr && wants_signal(sig, thread)) chosen = &thread;
    });
    return chosen;
}

// Wakes a thread to take the signal. One that will kill the process kills all threads now: nobody runs on.
void complete_signal(int sig, task_struct& task, SigTarget target) {
    task_struct* thread = choose_thread(sig, task, target);
    if (thread == nullptr) return;
    signal_struct& signal = *task.signal;
    const bool is_default = task.sighand->action[sig - 1].handler == abi::kSigDfl;
    const bool waited_for = (thread->real_blocked & abi::sig_bit(sig)) != 0 && sig != abi::kSigKill;
    const bool fatal = is_default && !waited_for && kills_by_default(sig) &&
                       ((signal.flags & SIGNAL_UNKILLABLE) == 0 || sig == abi::kSigKill) &&
                       (signal.flags & SIGNAL_GROUP_EXIT) == 0 &&
                       (sig == abi::kSigKill || (!dumps_core(sig) && task.ptrace == 0));
    if (fatal) {
        signal.flags = (signal.flags & SIGNAL_UNKILLABLE) | SIGNAL_GROUP_EXIT;
        signal.group_exit_code = sig;
        signal.group_stop_count = 0;
        for_each_thread(&task, [](task_struct& other) {
            task_clear_jobctl_pending(other, JOBCTL_PENDING_MASK);
            other.pending.signal |= abi::sig_bit(abi::kSigKill);
            signal_wake_up(&other, Wake::Fatal);
        });
        return;
    }
    signal_wake_up(thread, sig == abi::kSigKill ? Wake::Fatal : Wake::Normal);
}

// One more entry for `user`; null when there is no memory.
sigqueue* alloc_sigqueue(const RefPtr<user_struct>& user, const siginfo& info) {
    auto* entry = new (nothrow) sigqueue;
    if (entry == nullptr) return nullptr;
    entry->info = info;
    entry->user = user;
    user->sigpending.fetch_add(1);
    return entry;
}

// Whether the limit on queued signals stands in the way. Standard signals that the kernel or kill() sends are
// told of whatever the limit is: there is one of each at most.
bool over_limit(int sig, const siginfo& info, const task_struct& task) {
    if (sig < abi::kSigRtMin && info.code >= 0) return false;
    const auto queued = static_cast<uint64_t>(task.cred->user->sigpending.load());
    return queued >= task.signal->rlim[static_cast<unsigned>(abi::Rlimit::SigPending)].current;
}

sigpending& pending_of(task_struct& task, SigTarget target) {
    return target == SigTarget::Process ? task.signal->shared_pending : task.pending;
}

void set_pending(int sig, task_struct& task, SigTarget target) {
    pending_of(task, target).signal |= abi::sig_bit(sig);
    wake_up_all(task.sighand->signalfd_wqh);
    complete_signal(sig, task, target);
}

// siglock is held.
Result<void> queue_signal(int sig, const siginfo& info, task_struct& task, SigTarget target, Force force) {
    if (!prepare_signal(sig, task, force)) return {};
    sigpending& pending = pending_of(task, target);
    const bool realtime = sig >= abi::kSigRtMin;
    // A standard signal that is pending already is not queued twice.
    if (!realtime && (pending.signal & abi::sig_bit(sig)) != 0) return {};
    const bool queues = sig != abi::kSigKill && !over_limit(sig, info, task);
    if (sigqueue* entry = queues ? alloc_sigqueue(task.cred->user, info) : nullptr) {
        pending.list.push_back(*entry);
    } else if (realtime && info.code != abi::kSiUser && info.code != abi::kSiKernel) {
        // What was to be told would be lost. Others get through with less to tell.
        return Errno::Again;
    }
    set_pending(sig, task, target);
    return {};
}

bool kill_ok_by_cred(const task_struct& task) {
    const cred& mine = current_cred();
    const cred& theirs = *task.cred;
    return mine.euid == theirs.suid || mine.euid == theirs.uid || mine.uid == theirs.suid ||
           mine.uid == theirs.uid || capable(kCapKill);
}

Result<void> check_kill_permission(int sig, const task_struct& task) {
    if (sig < 0 || sig > abi::kNsig) return Errno::Inval;
    if (same_thread_group(current(), &task) || kill_ok_by_cred(task)) return {};
    if (sig == abi::kSigCont && task_session(current()) == task_session(&task)) return {};
    return Errno::Perm;
}

siginfo kernel_info(int sig) {
    siginfo info{};
    info.signo = sig;
    info.code = abi::kSiKernel;
    return info;
}

}  // namespace

sigqueue::~sigqueue() {
    if (user) user->sigpending.fetch_sub(1);
}

Result<sigqueue*> sigqueue_alloc(int sig) {
    siginfo info{};
    info.signo = sig;
    info.code = abi::kSiTimer;
    task_struct& task = *current();
    sigqueue* entry = over_limit(sig, info, task) ? nullptr : alloc_sigqueue(task.cred->user, info);
    if (entry == nullptr) return Errno::Again;
    return entry;
}

void free_sigqueue(sigqueue& entry) {
    if (entry.timer == nullptr) delete &entry;
}

void flush_sigqueue(sigpending& pending) {
    pending.signal = 0;
    while (sigqueue* entry = pending.list.pop_front()) free_sigqueue(*entry);
}

siginfo info_from_current(int sig, int32_t code) {
    siginfo info{};
    info.signo = sig;
    info.code = code;
    info.kill.pid = task_tgid_vnr(current());
    info.kill.uid = current_cred().uid;
    return info;
}

namespace {

// What a sender in another pid namespace tells: its pid there, or 0 if it cannot be seen.
siginfo translate(const siginfo& info, const task_struct& task) {
    siginfo told = info;
    const pid_namespace& theirs = task_active_pid_ns(&task);
    if (&theirs == &task_active_pid_ns(current())) return told;
    const bool ours = info.code == abi::kSiUser || info.code == abi::kSiTkill;
    told.kill.pid = ours ? pid_nr_ns(current()->group_leader->thread_pid.get(), theirs) : 0;
    return told;
}

Force force_of(const task_struct& task, SigSource source) {
    if (source == SigSource::Kernel) return Force::Ancestor;
    const bool unseen = pid_nr_ns(current()->thread_pid.get(), task_active_pid_ns(&task)) == 0;
    return unseen ? Force::Ancestor : Force::No;
}

}  // namespace

Result<void> send_sig_info(int sig, const siginfo& info, task_struct* task, SigTarget target,
                           SigSource source) {
    if (source == SigSource::User) TRY(check_kill_permission(sig, *task));
    if (sig == 0) return {};
    const Force force = force_of(*task, source);
    const siginfo told = source == SigSource::User ? translate(info, *task) : info;
    const spinlock_guard guard(task->sighand->siglock);
    return queue_signal(sig, told, *task, target, force);
}

bool send_sigqueue(sigqueue& entry, task_struct* task, SigTarget target) {
    const int sig = entry.info.signo;
    if (entry.list.is_linked() || !prepare_signal(sig, *task, Force::No)) return false;
    pending_of(*task, target).list.push_back(entry);
    set_pending(sig, *task, target);
    return true;
}

void send_sig_locked(int sig, const siginfo& info, task_struct* task, SigTarget target) {
    (void)queue_signal(sig, info, *task, target, Force::No).ok();
}

void send_sig(int sig, task_struct* task) {
    (void)send_sig_info(sig, kernel_info(sig), task, SigTarget::Thread, SigSource::Kernel).ok();
}
void send_group_sig(int sig, task_struct* task) {
    (void)send_sig_info(sig, kernel_info(sig), task, SigTarget::Process, SigSource::Kernel).ok();
}

void kill_process(task_struct* task) {
    const spinlock_guard guard(task->sighand->siglock);
    (void)queue_signal(abi::kSigKill, kernel_info(abi::kSigKill), *task, SigTarget::Process, Force::Yes).ok();
}

Result<void> kill_pgrp_info(pid* group, int sig, const siginfo& info, SigSource source) {
    bool any = false;
    bool reached = false;
    Errno last = Errno::Srch;
    const spinlock_guard guard(tasklist_lock);
    do_each_pid_task(group, PIDTYPE_PGID, [&](task_struct& task) {
        any = true;
        const Result<void> sent = send_sig_info(sig, info, &task, SigTarget::Process, source);
        reached = reached || sent.ok();
        if (!sent) last = sent.error();
    });
    if (!any || !reached) return last;
    return {};
}

void kill_pgrp(pid* group, int sig) {
    (void)kill_pgrp_info(group, sig, kernel_info(sig), SigSource::Kernel).ok();
}

void force_sig_info(int sig, const siginfo& info, task_struct* task) {
    const spinlock_guard guard(task->sighand->siglock);
    abi::SigAction& action = task->sighand->action[sig - 1];
    const bool blocked = (task->blocked & abi::sig_bit(sig)) != 0;
    if (blocked || action.handler == abi::kSigIgn) {
        action.handler = abi::kSigDfl;
        task->blocked &= ~abi::sig_bit(sig);
        recalc_sigpending_tsk(task);
    }
    // Even init dies of its own faults.
    if (action.handler == abi::kSigDfl) task->signal->flags &= ~SIGNAL_UNKILLABLE;
    (void)queue_signal(sig, info, *task, SigTarget::Thread, Force::Yes).ok();
}

void force_sig(int sig, task_struct* task) { force_sig_info(sig, kernel_info(sig), task); }

void signal_wake_up(task_struct* task, Wake how) {
    task->stack.info()->flags |= TIF_SIGPENDING;
    auto states = static_cast<uint32_t>(TaskState::Interruptible);
    if (how == Wake::Fatal) {
        states |=
            static_cast<uint32_t>(TaskState::Stopped) | static_cast<uint32_t>(TaskState::Traced) |
            (static_cast<uint32_t>(TaskState::Killable) & ~static_cast<uint32_t>(TaskState::Uninterruptible));
    }
    try_to_wake_up(task, states);
}

void zap_other_threads(task_struct* task) {
    task->signal->group_stop_count = 0;
    for_each_thread(task, [&](task_struct& thread) {
        task_clear_jobctl_pending(thread, JOBCTL_PENDING_MASK);
        if (&thread == task || thread.exit_state != TaskState::Running) return;
        thread.pending.signal |= abi::sig_bit(abi::kSigKill);
        signal_wake_up(&thread, Wake::Fatal);
    });
}

}  // namespace guest
