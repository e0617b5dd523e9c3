// Taking signals: what is pending, default actions, stops, and what parents are told.
#include "guest/kernel/exit.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/kernel/signal.hpp"
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
    return (pending & ~task.blocked) != 0 || task.group_stop_pending || notify;
}

// The lowest wanted signal; faults first.
int next_signal(const sigpending& pending, sigset_t mask) {
    const sigset_t wanted = pending.signal & mask;
    if (wanted == 0) return 0;
    const sigset_t first = (wanted & kSynchronousSignals) != 0 ? wanted & kSynchronousSignals : wanted;
    return __builtin_ctzll(first) + 1;
}

int take_from(sigpending& pending, sigset_t mask, siginfo& info) {
    const int sig = next_signal(pending, mask);
    if (sig == 0) return 0;
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
        delete &entry;
    }
    if (!more) pending.signal &= ~abi::sig_bit(sig);
    return sig;
}

// Lets go of siglock while it stops. True if the task has stopped and goes on.
bool do_signal_stop(task_struct& task, int sig, spinlock_guard& guard) {
    signal_struct& signal = *task.signal;
    if ((signal.flags & SIGNAL_GROUP_EXIT) != 0) return false;
    if (!task.group_stop_pending) {
        // The first thread to take the stop signal: all others stop too.
        if ((signal.flags & SIGNAL_STOP_STOPPED) == 0) signal.group_exit_code = sig;
        signal.group_stop_count = 0;
        for_each_thread(&task, [&](task_struct& thread) {
            if ((thread.flags & PF_EXITING) != 0 || thread.state.load() == TaskState::Stopped) return;
            thread.group_stop_pending = true;
            ++signal.group_stop_count;
            if (&thread != &task) signal_wake_up(&thread, Wake::Normal);
        });
    }
    task.group_stop_pending = false;
    const bool last = --signal.group_stop_count == 0;
    if (last) signal.flags = (signal.flags & SIGNAL_UNKILLABLE) | SIGNAL_STOP_STOPPED;
    set_current_state(TaskState::Stopped);
    guard.unlock();
    if (last) {
        const spinlock_guard tasklist_guard(tasklist_lock);
        do_notify_parent_cldstop(&task, abi::kCldStopped);
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
    do_notify_parent_cldstop(task.group_leader, why);
    return true;
}

enum class Taken { Handler, None, Again };

// One look at what is pending.
Taken take_one(task_struct& task, ksignal& out) {
    spinlock_guard guard(task.sighand->siglock);
    if (notify_continued(task, guard)) return Taken::Again;
    signal_struct& signal = *task.signal;
    if (!signal_group_exit(signal) && task.group_stop_pending)
        return do_signal_stop(task, 0, guard) ? Taken::Again : Taken::None;
    const int sig = dequeue_signal(&task, ~task.blocked, out.info);
    if (sig == 0) return Taken::None;
    out.sig = sig;
    abi::SigAction& action = task.sighand->action[sig - 1];
    out.action = action;
    if (action.handler == abi::kSigIgn) return Taken::Again;
    if (action.handler != abi::kSigDfl) {
        if ((action.flags & abi::kSaResetHand) != 0) action.handler = abi::kSigDfl;
        return Taken::Handler;
    }
    if (ignored_by_default(sig)) return Taken::Again;
    if ((signal.flags & SIGNAL_UNKILLABLE) != 0 && sig != abi::kSigKill) return Taken::Again;
    if (stops_by_default(sig)) {
        // A process group without a shell above it would never be continued.
        if (sig != abi::kSigStop) {
            guard.unlock();
            if (is_current_pgrp_orphaned()) return Taken::Again;
            spinlock_guard again(task.sighand->siglock);
            do_signal_stop(task, sig, again);
            return Taken::Again;
        }
        do_signal_stop(task, sig, guard);
        return Taken::Again;
    }
    guard.unlock();
    task.flags |= PF_SIGNALED;
    do_group_exit(sig);
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
    recalc_sigpending();
    return sig;
}

void set_current_blocked(sigset_t blocked) {
    task_struct& task = *current();
    const spinlock_guard guard(task.sighand->siglock);
    task.blocked = blocked & ~kUnblockable;
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

namespace {

int64_t to_clock_ticks(uint64_t ns) { return static_cast<int64_t>(ns / kNsPerTick); }

siginfo child_info(const task_struct& task, int code, int status) {
    siginfo info{};
    info.signo = abi::kSigChld;
    info.code = code;
    info.child.pid = pid_nr_ns(task.thread_pid.get(), task_active_pid_ns(task.parent));
    info.child.uid = task.cred->uid;
    info.child.status = status;
    info.child.utime = to_clock_ticks(task.utime + task.signal->utime);
    info.child.stime = to_clock_ticks(task.stime + task.signal->stime);
    return info;
}

}  // namespace

bool do_notify_parent(task_struct* task, int sig) {
    task_struct* parent = task->parent;
    const bool group_exit = (task->signal->flags & SIGNAL_GROUP_EXIT) != 0;
    const int status = group_exit ? task->signal->group_exit_code : task->exit_code;
    const int killer = status & 0x7f;
    const int code = killer == 0 ? abi::kCldExited : (status & 0x80) != 0 ? abi::kCldDumped : abi::kCldKilled;
    siginfo info = child_info(*task, code, killer == 0 ? (status >> 8) & 0xff : killer);
    info.signo = sig;
    bool autoreap = false;
    const spinlock_guard guard(parent->sighand->siglock);
    const abi::SigAction& action = parent->sighand->action[abi::kSigChld - 1];
    if (sig == abi::kSigChld && (action.handler == abi::kSigIgn || (action.flags & abi::kSaNoCldWait) != 0)) {
        // The parent said that it will not wait.
        autoreap = true;
        if (action.handler == abi::kSigIgn) sig = 0;
    }
    if (sig > 0) send_sig_locked(sig, info, parent, SigTarget::Process);
    wake_up_all(parent->signal->wait_chldexit);
    return autoreap;
}

void do_notify_parent_cldstop(task_struct* task, int why) {
    task_struct* parent = task->group_leader->real_parent;
    const int status = why == abi::kCldContinued ? abi::kSigCont : task->signal->group_exit_code & 0x7f;
    const siginfo info = child_info(*task->group_leader, why, status);
    const spinlock_guard guard(parent->sighand->siglock);
    const abi::SigAction& action = parent->sighand->action[abi::kSigChld - 1];
    if (action.handler != abi::kSigIgn && (action.flags & abi::kSaNoCldStop) == 0) {
        send_sig_locked(abi::kSigChld, info, parent, SigTarget::Process);
    }
    wake_up_all(parent->signal->wait_chldexit);
}

}  // namespace guest
