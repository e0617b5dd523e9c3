// Taking signals: what is pending, default actions, stops, and what parents are told.
#include "guest/kernel/exit.hpp"
#include "guest/kernel/jobctl.hpp"
#include "guest/kernel/posix_timers.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/signal_core.hpp"
#include "guest/kernel/signal_sets.hpp"

namespace guest {

bool signal_pending(const task_struct* task) { return (task->stack.info()->flags & TIF_SIGPENDING) != 0; }

bool fatal_signal_pending(const task_struct* task) {
    return signal_pending(task) && (task->pending.signal & abi::sig_bit(abi::kSigKill)) != 0;
}

namespace {

bool has_work(const task_struct& task) {
    const sigset_t pending = task.pending.signal | task.signal->shared_pending.signal;
    const bool notify = (task.signal->flags & (SIGNAL_CLD_STOPPED | SIGNAL_CLD_CONTINUED)) != 0;
    return (pending & ~task.blocked) != 0 || (task.jobctl & JOBCTL_PENDING_MASK) != 0 || notify;
}

// The lowest wanted signal; faults first.
int next_signal(const sigpending& pending, sigset_t mask) {
    const sigset_t wanted = pending.signal & mask;
    if (wanted == 0) return 0;
    const sigset_t first = (wanted & kSynchronousSignals) != 0 ? wanted & kSynchronousSignals : wanted;
    return __builtin_ctzll(first) + 1;
}

enum class Found { None, Signal, Stale };

Found take_first(sigpending& pending, sigset_t mask, siginfo& info) {
    const int sig = next_signal(pending, mask);
    if (sig == 0) return Found::None;
    Found result = Found::Signal;
    info = siginfo{};
    info.signo = sig;
    info.code = abi::kSiUser;
    bool more = false;
    bool found = false;
    for (sigqueue& entry : pending.list) {
        if (entry.info.signo != sig) continue;
        if (found) {
            more = true;
            break;
        }
        found = true;
        info = entry.info;
        entry.list.unlink();
        if (entry.stale) result = Found::Stale;
        entry.stale = false;
        if (entry.timer != nullptr) posix_timer_taken(*entry.timer, info);
        free_sigqueue(entry);
    }
    if (!more) pending.signal &= ~abi::sig_bit(sig);
    return result;
}

int take_from(sigpending& pending, sigset_t mask, siginfo& info) {
    for (;;) {
        const Found found = take_first(pending, mask, info);
        if (found == Found::Signal) return info.signo;
        if (found == Found::None) return 0;
    }
}

// The stop of the group begins: every thread that is not yet stopped owes one.
void begin_group_stop(task_struct& task, int sig) {
    signal_struct& signal = *task.signal;
    const uint32_t stop = static_cast<uint32_t>(sig) | JOBCTL_STOP_PENDING | JOBCTL_STOP_CONSUME;
    // A tracee may run on, and stop again, while its group is stopped: the parent knows already.
    if ((signal.flags & SIGNAL_STOP_STOPPED) == 0) signal.group_exit_code = sig;
    signal.group_stop_count = 0;
    if (task_set_jobctl_pending(task, stop)) ++signal.group_stop_count;
    for_each_thread(&task, [&](task_struct& thread) {
        if (&thread == &task || thread.state.load() == TaskState::Stopped) return;
        if (!task_set_jobctl_pending(thread, stop)) return;
        ++signal.group_stop_count;
        if ((thread.ptrace & PT_SEIZED) != 0) {
            ptrace_trap_notify(thread);
        } else {
            signal_wake_up(&thread, Wake::Normal);
        }
    });
}

// sig: the stop signal that was taken, or 0 for a stop that is owed. True if the task has stopped, and
// siglock is given back; false if there is no stop, or its tracer is to see it as a trap.
bool do_signal_stop(task_struct& task, int sig, spinlock_guard& guard) {
    const signal_struct& signal = *task.signal;
    if ((task.jobctl & JOBCTL_STOP_PENDING) == 0) {
        // SIGCONT came in between, or the end.
        if ((task.jobctl & JOBCTL_STOP_DEQUEUED) == 0 || signal_group_exit(signal)) return false;
        begin_group_stop(task, sig);
    }
    if (task.ptrace != 0) {
        task_set_jobctl_pending(task, JOBCTL_TRAP_STOP);
        return false;
    }
    const bool last = task_participate_group_stop(task);
    set_current_state(TaskState::Stopped);
    guard.unlock();
    if (last) {
        const spinlock_guard tasklist_guard(tasklist_lock);
        do_notify_parent_cldstop(&task, Notified::Parent, abi::kCldStopped);
    }
    schedule();
    return true;
}

// A stop or a continuation of this process that its parent is not yet told of.
bool notify_continued(task_struct& task, spinlock_guard& guard) {
    signal_struct& signal = *task.signal;
    if ((signal.flags & (SIGNAL_CLD_STOPPED | SIGNAL_CLD_CONTINUED)) == 0) return false;
    const int why = (signal.flags & SIGNAL_CLD_CONTINUED) != 0 ? abi::kCldContinued : abi::kCldStopped;
    signal.flags &= ~(SIGNAL_CLD_STOPPED | SIGNAL_CLD_CONTINUED);
    guard.unlock();
    const spinlock_guard tasklist_guard(tasklist_lock);
    do_notify_parent_cldstop(&task, Notified::Parent, why);
    // A tracer of the leader is told too, as it always was.
    if (ptrace_reparented(*task.group_leader))
        do_notify_parent_cldstop(task.group_leader, Notified::Tracer, why);
    return true;
}

[[noreturn]] void die(task_struct& task, int sig, spinlock_guard& guard) {
    guard.unlock();
    task.flags |= PF_SIGNALED;
    do_group_exit(sig);
}

enum class Taken { Handler, None, Again };

// A signal that stops by default.
Taken take_stop(task_struct& task, int sig, spinlock_guard& guard) {
    if (sig == abi::kSigStop) {
        do_signal_stop(task, sig, guard);
        return Taken::Again;
    }
    guard.unlock();
    // A process group without a shell above it would never be continued.
    if (is_current_pgrp_orphaned()) return Taken::Again;
    spinlock_guard again(task.sighand->siglock);
    do_signal_stop(task, sig, again);
    return Taken::Again;
}

// What the action makes of the signal.
Taken act(task_struct& task, ksignal& out, spinlock_guard& guard) {
    const int sig = out.sig;
    abi::SigAction& action = task.sighand->action[sig - 1];
    out.action = action;
    if (action.handler == abi::kSigIgn) return Taken::Again;
    if (action.handler != abi::kSigDfl) {
        if ((action.flags & abi::kSaResetHand) != 0) action.handler = abi::kSigDfl;
        return Taken::Handler;
    }
    if (ignored_by_default(sig)) return Taken::Again;
    if ((task.signal->flags & SIGNAL_UNKILLABLE) != 0 && (abi::sig_bit(sig) & kUnblockable) == 0)
        return Taken::Again;
    if (stops_by_default(sig)) return take_stop(task, sig, guard);
    die(task, sig, guard);
}

// One look at what is pending.
Taken take_one(task_struct& task, ksignal& out) {
    spinlock_guard guard(task.sighand->siglock);
    if (notify_continued(task, guard)) return Taken::Again;
    if (signal_group_exit(*task.signal)) {
        // Marked for death. Its tracer can still stop it on the way.
        task.pending.signal &= ~abi::sig_bit(abi::kSigKill);
        recalc_sigpending();
        die(task, abi::kSigKill, guard);
    }
    if ((task.jobctl & JOBCTL_STOP_PENDING) != 0 && do_signal_stop(task, 0, guard)) return Taken::Again;
    if ((task.jobctl & JOBCTL_TRAP_MASK) != 0) {
        do_jobctl_trap(guard);
        return Taken::Again;
    }
    out.sig = dequeue_signal(&task, ~task.blocked, out.info);
    if (out.sig == 0) return Taken::None;
    if (task.ptrace == 0 || out.sig == abi::kSigKill) return act(task, out, guard);
    out.sig = ptrace_signal(out.sig, out.info, guard);
    if (out.sig == 0) return Taken::Again;
    spinlock_guard again(task.sighand->siglock);
    return act(task, out, again);
}

}  // namespace

void recalc_sigpending_tsk(task_struct* task) {
    if (has_work(*task)) task->stack.info()->flags |= TIF_SIGPENDING;
}

void recalc_sigpending() {
    task_struct* task = current();
    if (has_work(*task)) {
        task->stack.info()->flags |= TIF_SIGPENDING;
    } else {
        task->stack.info()->flags &= ~TIF_SIGPENDING;
    }
}

int dequeue_signal(task_struct* task, sigset_t mask, siginfo& info) {
    int sig = take_from(task->pending, mask, info);
    if (sig == 0) sig = take_from(task->signal->shared_pending, mask, info);
    // A group stop begins only if no SIGCONT comes until then.
    if (sig != 0 && stops_by_default(sig)) task->jobctl |= JOBCTL_STOP_DEQUEUED;
    recalc_sigpending();
    return sig;
}

void set_current_blocked(sigset_t blocked) {
    task_struct& task = *current();
    const spinlock_guard guard(task.sighand->siglock);
    blocked &= ~kUnblockable;
    if (signal_pending(&task) && !thread_group_empty(&task))
        retarget_shared_pending(task, blocked & ~task.blocked);
    task.blocked = blocked;
    recalc_sigpending();
}

bool get_signal(ksignal& out) {
    task_struct& task = *current();
    for (;;) {
        switch (take_one(task, out)) {
            case Taken::Handler:
                return true;
            case Taken::None:
                return false;
            case Taken::Again:
                break;
        }
    }
}

void signal_delivered(const ksignal& taken) {
    sigset_t blocked = current()->blocked | taken.action.mask;
    if ((taken.action.flags & abi::kSaNoDefer) == 0) blocked |= abi::sig_bit(taken.sig);
    set_current_blocked(blocked);
    current()->restore_sigmask = false;
}

bool is_ignored(int sig) {
    const task_struct& task = *current();
    return (task.blocked & abi::sig_bit(sig)) != 0 || task.sighand->action[sig - 1].handler == abi::kSigIgn;
}

void exit_signals(task_struct& task) {
    bool stopped = false;
    {
        const spinlock_guard guard(task.sighand->siglock);
        task.flags |= PF_EXITING;
        if (!signal_group_exit(*task.signal)) retarget_shared_pending(task, ~task.blocked);
        if ((task.jobctl & JOBCTL_STOP_PENDING) != 0) stopped = task_participate_group_stop(task);
    }
    if (!stopped) return;
    // The others have stopped: its end completes that.
    const spinlock_guard guard(tasklist_lock);
    do_notify_parent_cldstop(&task, Notified::Parent, abi::kCldStopped);
}

}  // namespace guest
