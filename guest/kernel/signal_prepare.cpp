// Before a signal is queued: what is ignored, and what stops and continuations take back.
#include "guest/kernel/jobctl.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/signal_core.hpp"
#include "guest/kernel/signal_sets.hpp"

namespace guest {

bool action_ignores(const task_struct& task, int sig) {
    const uint64_t handler = task.sighand->action[sig - 1].handler;
    return handler == abi::kSigIgn || (handler == abi::kSigDfl && ignored_by_default(sig));
}

namespace {

// Dropped at once. A blocked one is kept: its action may change before it is unblocked, and sigtimedwait may
// be waiting for it.
bool sig_ignored(const task_struct& task, int sig, Force force) {
    if (((task.blocked | task.real_blocked) & abi::sig_bit(sig)) != 0) return false;
    // A tracer wants to know even of those. SIGKILL cannot be reported.
    if (task.ptrace != 0 && sig != abi::kSigKill) return false;
    const bool is_default = task.sighand->action[sig - 1].handler == abi::kSigDfl;
    if ((task.signal->flags & SIGNAL_UNKILLABLE) != 0 && is_default) {
        const bool reaches = force == Force::Ancestor && (abi::sig_bit(sig) & kUnblockable) != 0;
        if (!reaches) return true;
    }
    return action_ignores(task, sig);
}

void remove_pending(sigpending& pending, sigset_t mask) {
    if ((pending.signal & mask) == 0) return;
    pending.signal &= ~mask;
    for (sigqueue& entry : pending.list) {
        if ((abi::sig_bit(entry.info.signo) & mask) == 0) continue;
        entry.list.unlink();
        free_sigqueue(entry);
    }
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

void remove_timer_signals(sigpending& pending) {
    sigset_t gone = 0;
    sigset_t kept = 0;
    for (sigqueue& entry : pending.list) {
        const sigset_t bit = abi::sig_bit(entry.info.signo);
        if (entry.info.code != abi::kSiTimer) {
            kept |= bit;
            continue;
        }
        gone |= bit;
        entry.list.unlink();
        free_sigqueue(entry);
    }
    pending.signal &= ~(gone & ~kept);
}

}  // namespace

void flush_itimer_signals(task_struct& task) {
    const spinlock_guard guard(task.sighand->siglock);
    remove_timer_signals(task.pending);
    remove_timer_signals(task.signal->shared_pending);
}

void remove_from_all(task_struct& task, sigset_t mask) {
    remove_pending(task.signal->shared_pending, mask);
    for_each_thread(&task, [mask](task_struct& thread) { remove_pending(thread.pending, mask); });
}

bool prepare_signal(int sig, task_struct& task, Force force) {
    if ((task.signal->flags & SIGNAL_GROUP_EXIT) != 0) return sig == abi::kSigKill;
    if ((abi::sig_bit(sig) & kStopSignals) != 0) {
        remove_from_all(task, abi::sig_bit(abi::kSigCont));
    } else if (sig == abi::kSigCont) {
        remove_from_all(task, kStopSignals);
        continue_threads(task);
    }
    return force == Force::Yes || !sig_ignored(task, sig, force);
}

void retarget_shared_pending(task_struct& task, sigset_t which) {
    sigset_t retarget = task.signal->shared_pending.signal & which;
    if (retarget == 0) return;
    for_each_thread(&task, [&](task_struct& thread) {
        if (&thread == &task || (thread.flags & PF_EXITING) != 0 || (retarget & ~thread.blocked) == 0) return;
        retarget &= thread.blocked;
        if (!signal_pending(&thread)) signal_wake_up(&thread, Wake::Normal);
    });
}

}  // namespace guest
