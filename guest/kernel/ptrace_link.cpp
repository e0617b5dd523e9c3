// Who traces whom: attaching, detaching, and what becomes of tracees when their tracer ends.
#include "guest/arch/step.hpp"
#include "guest/kernel/exit.hpp"
#include "guest/kernel/jobctl.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

bool ptrace_reparented(const task_struct& task) { return !same_thread_group(task.real_parent, task.parent); }

bool ptrace_event_enabled(const task_struct& task, unsigned event) {
    return (task.ptrace & PT_EVENT_FLAG(event)) != 0;
}

namespace {

// man 2 ptrace, "Ptrace access mode checking".
bool may_access(const task_struct& task, uid_t uid, gid_t gid, uint64_t capabilities) {
    // Oneself is allowed, whatever one has become.
    if (same_thread_group(&task, current())) return true;
    const cred& theirs = *task.real_cred;
    const bool same_user = uid == theirs.euid && uid == theirs.suid && uid == theirs.uid &&
                           gid == theirs.egid && gid == theirs.sgid && gid == theirs.gid;
    const bool as_capable = (theirs.cap_permitted & ~capabilities) == 0;
    const bool dumpable = !task.mm || task.mm->dumpable.load() == SUID_DUMP_USER;
    return (same_user && as_capable && dumpable) || capable(kCapSysPtrace);
}

}  // namespace

Result<> ptrace_may_attach(const task_struct& task) {
    const cred& mine = *current()->real_cred;
    if (!may_access(task, mine.uid, mine.gid, mine.cap_permitted)) return Errno::Perm;
    return {};
}

bool ptrace_may_access(const task_struct& task) {
    const cred& mine = current_cred();
    return may_access(task, mine.fsuid, mine.fsgid, mine.cap_effective);
}

Result<> check_ptrace_options(uint64_t options) {
    // Seccomp, which could be suspended, is not there.
    if ((options & ~(abi::kPtraceOMask & ~abi::kPtraceOSuspendSeccomp)) != 0) return Errno::Inval;
    return {};
}

namespace {

void ptrace_link(task_struct& task, task_struct& tracer) {
    BUG_ON(task.ptrace_entry.is_linked());
    list_add_tail(task.ptrace_entry, tracer.ptraced);
    task.parent = &tracer;
}

// A stopped task becomes a traced one: it goes through get_signal again and traps.
void stop_becomes_trap(task_struct& task) {
    if (task.state.load() != TaskState::Stopped) return;
    if (!task_set_jobctl_pending(task, JOBCTL_TRAP_STOP | JOBCTL_TRAPPING)) return;
    task.stack.info()->flags |= TIF_SIGPENDING;
    try_to_wake_up(&task, static_cast<uint32_t>(TaskState::Stopped));
}

}  // namespace

Result<> ptrace_traceme() {
    const spinlock_guard guard(tasklist_lock);
    task_struct& task = *current();
    if (task.ptrace != 0) return Errno::Perm;
    // A parent on its way out would untrace us at once.
    if ((task.real_parent->flags & PF_EXITING) != 0) return {};
    task.ptrace = PT_PTRACED;
    ptrace_link(task, *task.real_parent);
    return {};
}

Result<> ptrace_attach(task_struct& task, abi::PtraceRequest request, uint64_t address, uint64_t flags) {
    const bool seize = request == abi::PtraceRequest::Seize;
    uint32_t mode = PT_PTRACED;
    if (seize) {
        if (address != 0 || (flags & ~abi::kPtraceOMask) != 0) return Errno::Io;
        TRY(check_ptrace_options(flags));
        mode |= PT_SEIZED | static_cast<uint32_t>(flags) << PT_OPT_FLAG_SHIFT;
    }
    if (task.is_kthread() || same_thread_group(&task, current())) return Errno::Perm;
    {
        const spinlock_guard guard(tasklist_lock);
        TRY(ptrace_may_attach(task));
        if (task.exit_state != TaskState::Running || task.ptrace != 0) return Errno::Perm;
        task.ptrace = mode;
        ptrace_link(task, *current());
        if (!seize) send_sig(abi::kSigStop, &task);
        const spinlock_guard siglock_guard(task.sighand->siglock);
        stop_becomes_trap(task);
    }
    // So that the tracer does not see it run between the one stop and the other.
    wait_for_trapping(task);
    return {};
}

void ptrace_init_task(task_struct& child) {
    const task_struct& caller = *current();
    if (caller.ptrace == 0) return;
    child.ptrace = caller.ptrace;
    ptrace_link(child, *caller.parent);
    if ((child.ptrace & PT_SEIZED) != 0) {
        task_set_jobctl_pending(child, JOBCTL_TRAP_STOP);
    } else {
        child.pending.signal |= abi::sig_bit(abi::kSigStop);
    }
    child.stack.info()->flags |= TIF_SIGPENDING;
}

void ptrace_unlink(task_struct& task) {
    if (task.ptrace == 0) return;
    task.stack.info()->flags &= ~(TIF_SYSCALL_TRACE | TIF_SYSCALL_EMU);
    task.parent = task.real_parent;
    task.ptrace_entry.unlink();
    const spinlock_guard guard(task.sighand->siglock);
    task.ptrace = 0;
    task_clear_jobctl_pending(task, JOBCTL_TRAP_MASK);
    task_clear_jobctl_trapping(task);
    // It ran, perhaps, while its group was stopped: now it owes the stop again.
    const bool group_stopped =
        (task.signal->flags & SIGNAL_STOP_STOPPED) != 0 || task.signal->group_stop_count > 0;
    if ((task.flags & PF_EXITING) == 0 && group_stopped) {
        task.jobctl |= JOBCTL_STOP_PENDING;
        // Made by a task of the stopped group: it knows of no signal yet.
        if ((task.jobctl & JOBCTL_STOP_SIGMASK) == 0) task.jobctl |= static_cast<uint32_t>(abi::kSigStop);
    }
    if ((task.jobctl & JOBCTL_STOP_PENDING) != 0 || task.state.load() == TaskState::Traced)
        ptrace_signal_wake_up(task, FromTrap::Yes);
}

namespace {

// SIGCHLD is ignored, or its sender not kept: nobody waits. `parent`'s siglock is not held.
bool ignoring_children(const task_struct& parent) {
    const spinlock_guard guard(parent.sighand->siglock);
    const abi::SigAction& action = parent.sighand->action[abi::kSigChld - 1];
    return action.handler == abi::kSigIgn || (action.flags & abi::kSaNoCldWait) != 0;
}

// True if the tracee has ended and is to be released now. tasklist_lock is held.
bool untrace(task_struct& task, task_struct& tracer) {
    ptrace_unlink(task);
    if (task.exit_state != TaskState::Zombie) return false;
    bool dead = !thread_group_leader(&task);
    if (!dead && thread_group_empty(&task)) {
        // Its end was the tracer's alone to know until now.
        if (!same_thread_group(task.real_parent, &tracer)) {
            dead = do_notify_parent(&task, task.exit_signal);
        } else if (ignoring_children(tracer)) {
            wake_up_all(tracer.signal->wait_chldexit);
            dead = true;
        }
    }
    if (dead) task.exit_state = TaskState::Dead;
    return dead;
}

}  // namespace

Result<> ptrace_detach(task_struct& task, uint64_t sig) {
    if (sig > static_cast<uint64_t>(abi::kNsig)) return Errno::Io;
    user_disable_single_step(task);
    bool dead = false;
    {
        const spinlock_guard guard(tasklist_lock);
        task.exit_code = static_cast<int>(sig);
        dead = untrace(task, *current());
    }
    if (dead) release_task(&task);
    return {};
}

void exit_ptrace(task_struct& tracer, list_head& dead) {
    while (!list_empty(tracer.ptraced)) {
        task_struct& task = *list_entry<task_struct, &task_struct::ptrace_entry>(tracer.ptraced.next);
        if ((task.ptrace & PT_EXITKILL) != 0) send_sig(abi::kSigKill, &task);
        if (untrace(task, tracer)) list_add_tail(task.ptrace_entry, dead);
    }
}

}  // namespace guest
