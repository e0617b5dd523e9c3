// The stops of a tracee: events, signals, job control, system calls.
#include "guest/arch/step.hpp"
#include "guest/kernel/exit.hpp"
#include "guest/kernel/jobctl.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

// Stops current in TRACED until its tracer lets it go on, which says with which signal. `why` is what the
// tracer's SIGCHLD tells (CLD_*); info is null where GETSIGINFO has nothing to show. siglock is held on entry
// and not on return.
int ptrace_stop(int code, int why, uint64_t message, siginfo* info, spinlock_guard& guard) {
    task_struct& task = *current();
    if (task.ptrace == 0 || (task.pending.signal & abi::sig_bit(abi::kSigKill)) != 0) {
        guard.unlock();
        return code;
    }
    task.ptrace_message = message;
    task.last_siginfo = info;
    task.exit_code = code;
    set_current_state(TaskState::Traced);
    bool group_stop_done = false;
    if (why == abi::kCldStopped && (task.jobctl & JOBCTL_STOP_PENDING) != 0)
        group_stop_done = task_participate_group_stop(task);
    // Any trap serves for the one that was asked for; one that says so itself serves for the news too.
    task_clear_jobctl_pending(task, JOBCTL_TRAP_STOP);
    if (info != nullptr && (info->code >> 8) == static_cast<int>(abi::kPtraceEventStop))
        task_clear_jobctl_pending(task, JOBCTL_TRAP_NOTIFY);
    task_clear_jobctl_trapping(task);
    guard.unlock();
    {
        const spinlock_guard tasklist_guard(tasklist_lock);
        if (task.ptrace != 0) do_notify_parent_cldstop(&task, Notified::Tracer, why);
        if (group_stop_done && (task.ptrace == 0 || ptrace_reparented(task)))
            do_notify_parent_cldstop(&task, Notified::Parent, why);
    }
    schedule();
    const spinlock_guard again(task.sighand->siglock);
    const int result = task.exit_code;
    task.last_siginfo = nullptr;
    task.ptrace_message = 0;
    task.exit_code = 0;
    task.jobctl &= ~JOBCTL_LISTENING;
    recalc_sigpending_tsk(&task);
    return result;
}

// A stop that the kernel makes itself: its siginfo says which.
int ptrace_do_notify(int sig, int code, int why, uint64_t message, spinlock_guard& guard) {
    siginfo info = info_from_current(sig, code);
    info.kill.pid = task_pid_vnr(current());
    return ptrace_stop(code, why, message, &info, guard);
}

}  // namespace

int ptrace_notify(int code, uint64_t message) {
    spinlock_guard guard(current()->sighand->siglock);
    return ptrace_do_notify(abi::kSigTrap, code, abi::kCldTrapped, message, guard);
}

void ptrace_event(unsigned event, uint64_t message) {
    task_struct& task = *current();
    if (ptrace_event_enabled(task, event)) {
        ptrace_notify(static_cast<int>(event << 8) | abi::kSigTrap, message);
    } else if (event == abi::kPtraceEventExec && (task.ptrace & (PT_PTRACED | PT_SEIZED)) == PT_PTRACED) {
        // What tracers got before there were events.
        const siginfo info = info_from_current(abi::kSigTrap, abi::kSiUser);
        (void)send_sig_info(abi::kSigTrap, info, &task, SigTarget::Thread, SigSource::Kernel).ok();
    }
}

int ptrace_signal(int sig, siginfo& info, spinlock_guard& guard) {
    task_struct& task = *current();
    // Whatever the tracer makes of it: as if a stop signal had been taken, until SIGCONT says otherwise.
    task.jobctl |= JOBCTL_STOP_DEQUEUED;
    sig = ptrace_stop(sig, abi::kCldTrapped, 0, &info, guard);
    if (sig == 0) return 0;
    if (sig != info.signo) {
        info = siginfo{};
        info.signo = sig;
        info.code = abi::kSiUser;
        const spinlock_guard tasklist_guard(tasklist_lock);
        info.kill.pid = task_pid_vnr(task.parent);
        info.kill.uid = task.parent->cred->uid;
    }
    const spinlock_guard again(task.sighand->siglock);
    const bool blocked = (task.blocked & abi::sig_bit(sig)) != 0;
    if (!blocked && (task.pending.signal & abi::sig_bit(abi::kSigKill)) == 0) return sig;
    send_sig_locked(sig, info, &task, SigTarget::Thread);
    return 0;
}

void do_jobctl_trap(spinlock_guard& guard) {
    const task_struct& task = *current();
    const signal_struct& signal = *task.signal;
    int sig = static_cast<int>(task.jobctl & JOBCTL_STOP_SIGMASK);
    if ((task.ptrace & PT_SEIZED) == 0) {
        // One that began its life stopped knows of no signal.
        if (sig == 0) sig = abi::kSigStop;
        ptrace_stop(sig, abi::kCldStopped, 0, nullptr, guard);
        return;
    }
    const bool group_stop = signal.group_stop_count > 0 || (signal.flags & SIGNAL_STOP_STOPPED) != 0;
    if (!group_stop || sig == 0) sig = abi::kSigTrap;
    const int code = sig | static_cast<int>(abi::kPtraceEventStop << 8);
    ptrace_do_notify(sig, code, abi::kCldStopped, 0, guard);
}

void ptrace_signal_wake_up(task_struct& task, FromTrap from_trap) {
    signal_wake_up(&task, Wake::Normal);
    if (from_trap == FromTrap::Yes) try_to_wake_up(&task, static_cast<uint32_t>(TaskState::Traced));
}

void ptrace_trap_notify(task_struct& task) {
    task_set_jobctl_pending(task, JOBCTL_TRAP_NOTIFY);
    const bool listens = (task.jobctl & JOBCTL_LISTENING) != 0;
    ptrace_signal_wake_up(task, listens ? FromTrap::Yes : FromTrap::No);
}

namespace {

void report_syscall(uint64_t message) {
    const task_struct& task = *current();
    if ((task.ptrace & PT_PTRACED) == 0) return;
    constexpr int kMark = 0x80;  // tells these stops from other traps, if the tracer wants that
    const int mark = (task.ptrace & PT_TRACESYSGOOD) != 0 ? kMark : 0;
    const int sig = ptrace_notify(abi::kSigTrap | mark, message);
    if (sig > 0 && sig <= abi::kNsig) send_sig(sig, current());
}

}  // namespace

SyscallEntry syscall_trace_enter(pt_regs& regs) {
    const uint32_t work = current()->stack.info()->flags;
    if ((work & (TIF_SYSCALL_TRACE | TIF_SYSCALL_EMU)) == 0) return SyscallEntry::Make;
    report_syscall(abi::kPtraceEventMsgEntry);
    if (fatal_signal_pending(current()) || (work & TIF_SYSCALL_EMU) != 0) return SyscallEntry::Skip;
    // The tracer took the number away: RAX is the result as it stands.
    return static_cast<int64_t>(regs.orig_rax) == -1 ? SyscallEntry::Skip : SyscallEntry::Make;
}

void syscall_trace_exit(pt_regs& regs) {
    const uint32_t work = current()->stack.info()->flags;
    if ((work & TIF_SYSCALL_EMU) != 0) return;
    if ((work & TIF_SINGLESTEP) != 0) {
        // The instruction that was stepped over is the system call itself.
        user_single_step_report(regs);
    } else if ((work & TIF_SYSCALL_TRACE) != 0) {
        report_syscall(abi::kPtraceEventMsgExit);
    }
}

}  // namespace guest
