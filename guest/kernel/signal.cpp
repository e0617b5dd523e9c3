// Sending signals.
#include "guest/kernel/signal.hpp"

#include "guest/kernel/jobctl.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/kernel/signal_sets.hpp"

namespace guest {

DEFINE_KMEM_CACHE(sigqueue)

namespace {

bool action_ignores(const task_struct& task, int sig) {
    const uint64_t handler = task.sighand->action[sig - 1].handler;
    return handler == abi::kSigIgn || (handler == abi::kSigDfl && ignored_by_default(sig));
}

// Dropped at once. A blocked one is kept: its action may change before it is unblocked.
bool sig_ignored(const task_struct& task, int sig) {
    if ((task.blocked & abi::sig_bit(sig)) != 0) return false;
    // A tracer wants to know even of those. SIGKILL cannot be reported.
    if (task.ptrace != 0 && sig != abi::kSigKill) return false;
    const bool is_default = task.sighand->action[sig - 1].handler == abi::kSigDfl;
    if ((task.signal->flags & SIGNAL_UNKILLABLE) != 0 && is_default) return true;
    return action_ignores(task, sig);
}

void remove_pending(sigpending& pending, sigset_t mask) {
    if ((pending.signal & mask) == 0) return;
    pending.signal &= ~mask;
    for (sigqueue& entry : pending.list) {
        if ((abi::sig_bit(entry.info.signo) & mask) == 0) continue;
        entry.list.unlink();
        delete &entry;
    }
}

void remove_from_all(task_struct& task, sigset_t mask) {
    remove_pending(task.signal->shared_pending, mask);
    for_each_thread(&task, [mask](task_struct& thread) { remove_pending(thread.pending, mask); });
}

void continue_threads(task_struct& task) {
    signal_struct& signal = *task.signal;
    for_each_thread(&task, [](task_struct& thread) {
        task_clear_jobctl_pending(thread, JOBCTL_STOP_PENDING);
        if ((thread.ptrace & PT_SEIZED) != 0) {
            ptrace_trap_notify(thread);
        } else {
            try_to_wake_up(&thread, static_cast<uint32_t>(TaskState::Stopped));
        }
    });
    // The parent is told by the continued process itself, in get_signal.
    uint32_t why = 0;
    if ((signal.flags & SIGNAL_STOP_STOPPED) != 0) {
        why = SIGNAL_CLD_CONTINUED;
    } else if (signal.group_stop_count > 0) {
        why = SIGNAL_CLD_STOPPED;
    }
    if (why == 0) return;
    signal.flags = (signal.flags & ~SIGNAL_STOP_MASK) | why | SIGNAL_STOP_CONTINUED;
    signal.group_stop_count = 0;
    signal.group_exit_code = 0;
}

// Yes: also a signal that would be ignored.
enum class Force { No, Yes };

// What sending has for effect whether the signal is delivered or not. False if it need not be queued.
bool prepare_signal(int sig, task_struct& task, Force force) {
    if ((task.signal->flags & SIGNAL_GROUP_EXIT) != 0) return sig == abi::kSigKill;
    if ((abi::sig_bit(sig) & kStopSignals) != 0) {
        remove_from_all(task, abi::sig_bit(abi::kSigCont));
    } else if (sig == abi::kSigCont) {
        remove_from_all(task, kStopSignals);
        continue_threads(task);
    }
    return force == Force::Yes || !sig_ignored(task, sig);
}

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
    const bool fatal = is_default && kills_by_default(sig) &&
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

// siglock is held.
Result<void> queue_signal(int sig, const siginfo& info, task_struct& task, SigTarget target, Force force) {
    if (!prepare_signal(sig, task, force)) return {};
    sigpending& pending = target == SigTarget::Process ? task.signal->shared_pending : task.pending;
    const bool realtime = sig >= abi::kSigRtMin;
    // A standard signal that is pending already is not queued twice.
    if (!realtime && (pending.signal & abi::sig_bit(sig)) != 0) return {};
    const RefPtr<user_struct>& user = task.cred->user;
    const bool within_limit = static_cast<uint64_t>(user->sigpending.load()) <
                              task.signal->rlim[static_cast<unsigned>(abi::Rlimit::SigPending)].current;
    auto* entry = (!realtime || within_limit) && sig != abi::kSigKill ? new (nothrow) sigqueue : nullptr;
    if (entry != nullptr) {
        entry->info = info;
        entry->user = user;
        user->sigpending.fetch_add(1);
        pending.list.push_back(*entry);
    } else if (realtime) {
        return Errno::Again;
    }
    // A standard signal gets through even without memory, with less to tell.
    pending.signal |= abi::sig_bit(sig);
    complete_signal(sig, task, target);
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

// The init of a pid namespace cannot ignore what comes from outside.
Force force_of(const task_struct& task) {
    const bool from_outside = pid_nr_ns(current()->thread_pid.get(), task_active_pid_ns(&task)) == 0;
    return from_outside && current()->thread_pid ? Force::Yes : Force::No;
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

void flush_sigqueue(sigpending& pending) {
    pending.signal = 0;
    while (sigqueue* entry = pending.list.pop_front()) delete entry;
}

Result<void> send_sig_info(int sig, const siginfo& info, task_struct* task, SigTarget target,
                           SigSource source) {
    if (source == SigSource::User) TRY(check_kill_permission(sig, *task));
    if (sig == 0) return {};
    const spinlock_guard guard(task->sighand->siglock);
    return queue_signal(sig, info, *task, target, force_of(*task));
}

siginfo info_from_current(int sig, int32_t code) {
    siginfo info{};
    info.signo = sig;
    info.code = code;
    info.kill.pid = task_tgid_vnr(current());
    info.kill.uid = current_cred().uid;
    return info;
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

Result<void> do_sigaction(int sig, const abi::SigAction* fresh, abi::SigAction* old) {
    if (sig < 1 || sig > abi::kNsig) return Errno::Inval;
    if (fresh != nullptr && (abi::sig_bit(sig) & kUnblockable) != 0) return Errno::Inval;
    task_struct& task = *current();
    const spinlock_guard guard(task.sighand->siglock);
    abi::SigAction& action = task.sighand->action[sig - 1];
    if (old != nullptr) *old = action;
    if (fresh == nullptr) return {};
    action = *fresh;
    action.mask &= ~kUnblockable;
    // What is ignored from now on is not kept either.
    if (action_ignores(task, sig)) remove_from_all(task, abi::sig_bit(sig));
    return {};
}

void flush_signal_handlers(task_struct* task) {
    for (abi::SigAction& action : task->sighand->action) {
        if (action.handler != abi::kSigIgn) action.handler = abi::kSigDfl;
        action.flags = 0;
        action.mask = 0;
        action.restorer = 0;
    }
}

}  // namespace guest
