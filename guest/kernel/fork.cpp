// do_fork and copy_process: the steps in Linux's order (rows P1 to P18).
#include "guest/kernel/fork.hpp"

#include "guest/abi/clone.hpp"
#include "guest/arch/event_port.hpp"
#include "guest/arch/tlb.hpp"
#include "guest/drivers/tty.hpp"
#include "guest/kernel/jobctl.hpp"
#include "guest/kernel/pidfd.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/kernel/sched_core.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/fault_inject.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

int nr_threads = 0;
uint64_t total_forks = 0;
int max_threads = 0;

namespace {

// P1: the event that the caller's tracer is told of, if it asked for that one.
unsigned choose_ptrace_event(uint64_t flags) {
    if ((flags & abi::kCloneUntraced) != 0) return abi::kPtraceEventNone;
    const unsigned event = (flags & abi::kCloneVfork) != 0            ? abi::kPtraceEventVfork
                           : (flags & abi::kCSignal) != abi::kSigChld ? abi::kPtraceEventClone
                                                                      : abi::kPtraceEventFork;
    return ptrace_event_enabled(*current(), event) ? event : abi::kPtraceEventNone;
}

// Of a task that is not visible yet, letting the TaskRef go undoes the steps so far, last first.

// P2 to P5: combinations that mean nothing.
Result<> check_flags(uint64_t flags) {
    const auto has = [flags](uint64_t flag) { return (flags & flag) != 0; };
    if (has(abi::kCloneNewNs) && has(abi::kCloneFs)) return Errno::Inval;
    if (has(abi::kCloneNewUser) && has(abi::kCloneFs)) return Errno::Inval;
    if (has(abi::kCloneThread) && !has(abi::kCloneSighand)) return Errno::Inval;
    if (has(abi::kCloneSighand) && !has(abi::kCloneVm)) return Errno::Inval;
    if (has(abi::kClonePidfd) && has(abi::kCloneDetached)) return Errno::Inval;
    // Siblings of init would have nobody to reap them.
    if (has(abi::kCloneParent) && (current()->signal->flags & SIGNAL_UNKILLABLE) != 0) return Errno::Inval;
    const bool other_pid_ns = current()->nsproxy->pid_ns_for_children.get() != &task_active_pid_ns(current());
    if (has(abi::kCloneSighand) && (has(abi::kCloneNewUser | abi::kCloneNewPid) || other_pid_ns))
        return Errno::Inval;
    return {};
}

// P6: the task itself and its kernel stack.
Result<TaskRef> dup_task_struct(const task_struct& original) {
    auto* task = new (nothrow) task_struct;
    if (task == nullptr) return Errno::NoMem;
    TaskRef child(task);
    if (!child->stack.allocate()) return Errno::NoMem;
    init_thread_info(*child);
    memcpy(child->comm, original.comm, sizeof(child->comm));
    child->personality = original.personality;
    child->loginuid = original.loginuid;
    child->sessionid = original.sessionid;
    child->no_new_privs = original.no_new_privs;
    child->blocked = original.blocked;
    child->sas = original.sas;
    return child;
}

// P7
Result<> check_process_limit() {
    const RefPtr<user_struct>& user = current()->real_cred->user;
    const auto limit = rlimit(abi::Rlimit::NProc);
    if (static_cast<uint64_t>(user->processes.load()) < limit) return {};
    if (user->uid == 0 || capable(kCapSysResource) || capable(kCapSysAdmin)) return {};
    return Errno::Again;
}

// P9: what a child never inherits is zero in a new task_struct; this is what differs from that.
void init_child_flags(task_struct& child, const CloneArguments& args) {
    child.flags =
        (current()->flags & ~(PF_SUPERPRIV | PF_KTHREAD | PF_SIGNALED | PF_EXITING)) | PF_FORKNOEXEC;
    if (args.kernel_function != nullptr) child.flags |= PF_KTHREAD;
}

// P12
void set_tid_addresses(task_struct& child, const CloneArguments& args) {
    if ((args.flags & abi::kCloneChildSetTid) != 0) child.set_child_tid = args.child_tid;
    if ((args.flags & abi::kCloneChildClearTid) != 0) child.clear_child_tid = args.child_tid;
    // Two tasks in one address space cannot use one alternate stack.
    if ((args.flags & (abi::kCloneVm | abi::kCloneVfork)) == abi::kCloneVm)
        child.sas = {0, abi::kSsDisable, 0, 0};
}

// P13, P14: its place in the family. tasklist_lock is held.
void set_family(task_struct& child, uint64_t flags) {
    task_struct& caller = *current();
    child.pid = pid_nr(child.thread_pid.get());
    if ((flags & abi::kCloneThread) != 0) {
        child.exit_signal = -1;
        child.group_leader = caller.group_leader;
        child.tgid = caller.tgid;
    } else {
        child.exit_signal = (flags & abi::kCloneParent) != 0 ? caller.group_leader->exit_signal
                                                             : static_cast<int>(flags & abi::kCSignal);
        child.group_leader = &child;
        child.tgid = child.pid;
    }
    const bool sibling = (flags & (abi::kCloneParent | abi::kCloneThread)) != 0;
    child.real_parent = sibling ? caller.real_parent : &caller;
    child.parent = child.real_parent;
}

// Whether the child is traced by the caller's tracer from its beginning.
enum class Trace { No, AsCaller };

// P16: from here on others see it. tasklist_lock and the caller's siglock are held; nothing fails.
void make_visible(task_struct& child, uint64_t flags, Trace trace) {
    child.usage.inc();  // one for itself while it runs, one for its parent until it is reaped
    if (trace == Trace::AsCaller) ptrace_init_task(child);
    if ((flags & abi::kCloneStopped) != 0) {
        child.pending.signal |= abi::sig_bit(abi::kSigStop);
        child.stack.info()->flags |= TIF_SIGPENDING;
    }
    if (thread_group_leader(&child)) {
        signal_struct& signal = *child.signal;
        signal.leader = false;
        signal.tty = current()->signal->tty;
        if (signal.tty != nullptr) signal.tty->get();
        list_add_tail(child.thread_node, signal.thread_head);
        list_add_tail(child.sibling, child.real_parent->children);
        all_leaders.push_back(child);
        attach_pid(&child, PIDTYPE_PGID, RefPtr<pid>(task_pgrp(current())));
        attach_pid(&child, PIDTYPE_SID, RefPtr<pid>(task_session(current())));
        if (child.thread_pid->numbers[child.thread_pid->level].nr == 1) {
            child.thread_pid->numbers[child.thread_pid->level].ns->child_reaper = &child;
            signal.flags |= SIGNAL_UNKILLABLE;
        }
    } else {
        ++child.signal->nr_threads;
        child.signal->live.fetch_add(1);
        list_add_tail(child.thread_node, child.signal->thread_head);
        task_join_group_stop(child);
    }
    attach_pid(&child, PIDTYPE_PID, child.thread_pid);
    ++nr_threads;
    ++total_forks;
}

// P13 to P16.
Result<> publish(task_struct& child, uint64_t flags, Trace trace) {
    const spinlock_guard tasklist_guard(tasklist_lock);
    set_family(child, flags);
    const spinlock_guard siglock_guard(current()->sighand->siglock);
    // A fatal signal must not leave a stray child; any other is handled first and the call made again.
    recalc_sigpending();
    if (signal_pending(current())) return Errno::RestartNoIntr;
    make_visible(child, flags, trace);
    return {};
}

// P10, in order.
struct CopyStep {
    const char* name;
    Result<> (*copy)(uint64_t flags, task_struct& child);
};
constexpr CopyStep kCopySteps[] = {
    {"copy_semundo", copy_semundo},       {"copy_files", copy_files},   {"copy_fs", copy_fs},
    {"copy_sighand", copy_sighand},       {"copy_signal", copy_signal}, {"copy_mm", copy_mm},
    {"copy_namespaces", copy_namespaces}, {"copy_io", copy_io},
};

Result<TaskRef> copy_process(const CloneArguments& args, Trace trace, ChildPidfd& pidfd) {
    const uint64_t flags = args.flags;
    TRY(check_flags(flags));
    TRY(enter_fork_step("dup_task_struct"));
    TaskRef child = TRY(dup_task_struct(*current()));
    TRY(check_process_limit());
    TRY(enter_fork_step("copy_creds"));
    TRY(copy_creds(flags, *child));
    if (nr_threads >= max_threads) return Errno::Again;
    init_child_flags(*child, args);
    TRY(enter_fork_step("sched_fork"));
    sched_fork(*child);
    for (const CopyStep& step : kCopySteps) {
        TRY(enter_fork_step(step.name));
        TRY(step.copy(flags, *child));
    }
    TRY(enter_fork_step("copy_thread"));
    TRY(copy_thread(*child, args));
    TRY(enter_fork_step("alloc_pid"));
    child->thread_pid = TRY(alloc_pid(*child->nsproxy->pid_ns_for_children, args.set_tid));
    if ((flags & abi::kClonePidfd) != 0) {
        const uint32_t kind = (flags & abi::kCloneThread) != 0 ? kPidfdThread : 0;
        TRY(pidfd.prepare(*child->thread_pid, kind, args.pidfd));
    }
    set_tid_addresses(*child, args);
    child->start_time = ktime_get();
    TRY(publish(*child, flags, trace));
    return child;
}

uint64_t root_of(const task_struct& task) { return task.mm ? task.mm->root().raw() : 0; }

// As the tracer's pid namespace sees it.
uint64_t nr_for_tracer(const pid& of) {
    const spinlock_guard guard(tasklist_lock);
    return static_cast<uint64_t>(pid_nr_ns(&of, task_active_pid_ns(current()->parent)));
}

// C16: the child waits for SIGCONT before it does anything, with a SIGSTOP pending that the same takes away.
// One that has come already is as good.
void start_stopped(task_struct& child) {
    {
        const spinlock_guard guard(child.sighand->siglock);
        const sigset_t stop = abi::sig_bit(abi::kSigStop);
        if ((child.pending.signal & stop) != 0 && !fatal_signal_pending(&child)) {
            child.state.store(TaskState::Stopped);
            return;
        }
    }
    wake_up_new_task(child);
}

void announce_child(const task_struct& child, uint64_t flags) {
    announce(abi::Announcement::TaskCreate, static_cast<uint64_t>(child.pid),
             static_cast<uint64_t>(child.real_parent->pid), static_cast<uint64_t>(child.tgid), flags);
    announce_name(child);
}

}  // namespace

Result<long> do_fork(const CloneArguments& args) {
    const task_struct& caller = *current();
    const auto caller_tid = static_cast<uint64_t>(caller.pid);
    announce(abi::Announcement::ForkBegin, caller_tid, args.flags, root_of(caller));
    const unsigned event = choose_ptrace_event(args.flags);
    const bool traced = event != abi::kPtraceEventNone || (args.flags & abi::kClonePtrace) != 0;
    ChildPidfd pidfd;
    Result<TaskRef> copied = copy_process(args, traced ? Trace::AsCaller : Trace::No, pidfd);
    if (!copied) {
        const auto error = -static_cast<int64_t>(copied.error());
        announce(abi::Announcement::ForkEnd, caller_tid, static_cast<uint64_t>(error));
        return copied.error();
    }
    // P18. The child is complete, and the reference that counts for it is its own from here on; one more
    // keeps it in reach although it may run, exit and be reaped meanwhile.
    task_struct* child = copied.value().leak();
    get_task_struct(child);
    const TaskRef keep(child);
    pidfd.install();
    announce_child(*child, args.flags);
    announce(abi::Announcement::ForkEnd, caller_tid, static_cast<uint64_t>(child->pid), root_of(*child));

    const pid_nr_t tid = task_pid_vnr(child);
    if ((args.flags & abi::kCloneParentSetTid) != 0) (void)put_user(args.parent_tid, tid).ok();
    completion vfork;
    const bool is_vfork = (args.flags & abi::kCloneVfork) != 0;
    if (is_vfork) child->vfork_done = &vfork;
    const RefPtr<pid> child_pid = child->thread_pid;  // its number stays known when it is gone
    if ((args.flags & abi::kCloneStopped) != 0) {
        start_stopped(*child);
    } else {
        wake_up_new_task(*child);
    }
    if (event != abi::kPtraceEventNone) ptrace_event(event, nr_for_tracer(*child_pid));
    if (!is_vfork) return tid;
    if (wait_for_completion_killable(vfork)) {
        ptrace_event(abi::kPtraceEventVforkDone, nr_for_tracer(*child_pid));
    } else {
        // Killed while waiting: the child must not complete what is about to leave the stack.
        const spinlock_guard guard(tasklist_lock);
        child->vfork_done = nullptr;
    }
    return tid;
}

Result<long> kernel_thread(void (*function)(void* argument), void* argument, uint64_t flags) {
    CloneArguments args;
    args.flags = flags | abi::kCloneVm | abi::kCloneUntraced;
    args.kernel_function = function;
    args.kernel_argument = argument;
    return do_fork(args);
}

void fork_init() {
    // As Linux: kernel stacks may take an eighth of memory at most.
    const uint64_t stacks = total_ram_pages() / (8u << kThreadOrder);
    max_threads = stacks < 20 ? 20 : stacks > 30000 ? 30000 : static_cast<int>(stacks);
    for (const abi::Rlimit which : {abi::Rlimit::NProc, abi::Rlimit::SigPending}) {
        const uint64_t half = static_cast<uint64_t>(max_threads) / 2;
        init_task.signal->rlim[static_cast<unsigned>(which)] = {half, half};
    }
}

}  // namespace guest
