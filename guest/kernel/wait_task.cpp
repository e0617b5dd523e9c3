// wait4 and waitid: finding a child that has something to tell (row F14).
#include "guest/kernel/exit.hpp"
#include "guest/kernel/jobctl.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

abi::Timeval to_timeval(uint64_t ns) {
    return {static_cast<int64_t>(ns / 1'000'000'000), static_cast<int64_t>(ns % 1'000'000'000 / 1000)};
}

struct Usage {
    uint64_t utime, stime, min_flt, maj_flt, nvcsw, nivcsw, maxrss;
};

abi::Rusage to_rusage(const Usage& usage) {
    abi::Rusage out{};
    out.utime = to_timeval(usage.utime);
    out.stime = to_timeval(usage.stime);
    out.maxrss = static_cast<int64_t>(usage.maxrss * (kPageSize / 1024));
    out.minflt = static_cast<int64_t>(usage.min_flt);
    out.majflt = static_cast<int64_t>(usage.maj_flt);
    out.nvcsw = static_cast<int64_t>(usage.nvcsw);
    out.nivcsw = static_cast<int64_t>(usage.nivcsw);
    return out;
}

uint64_t max_rss(const task_struct& task) {
    const uint64_t live = task.mm ? task.mm->hiwater_rss : 0;
    return live > task.signal->maxrss ? live : task.signal->maxrss;
}

// Threads that are gone and those that are not.
Usage process_usage(const task_struct& task) {
    const signal_struct& signal = *task.signal;
    Usage sum{signal.utime, signal.stime,  signal.min_flt, signal.maj_flt,
              signal.nvcsw, signal.nivcsw, max_rss(task)};
    for_each_thread(&task, [&](const task_struct& thread) {
        sum.utime += thread.utime;
        sum.stime += thread.stime;
        sum.min_flt += thread.min_flt;
        sum.maj_flt += thread.maj_flt;
        sum.nvcsw += thread.nvcsw;
        sum.nivcsw += thread.nivcsw;
    });
    return sum;
}

Usage children_usage(const signal_struct& signal) {
    return {signal.cutime, signal.cstime,  signal.cmin_flt, signal.cmaj_flt,
            signal.cnvcsw, signal.cnivcsw, signal.cmaxrss};
}

// Of a process and of the children that it has waited for: what its parent is told.
Usage usage_of_both(const task_struct& task) {
    Usage sum = process_usage(task);
    const Usage children = children_usage(*task.signal);
    sum.utime += children.utime;
    sum.stime += children.stime;
    sum.min_flt += children.min_flt;
    sum.maj_flt += children.maj_flt;
    sum.nvcsw += children.nvcsw;
    sum.nivcsw += children.nivcsw;
    if (sum.maxrss < children.maxrss) sum.maxrss = children.maxrss;
    return sum;
}

void add_child_usage(signal_struct& parent, const task_struct& child) {
    const Usage both = usage_of_both(child);
    parent.cutime += both.utime;
    parent.cstime += both.stime;
    parent.cmin_flt += both.min_flt;
    parent.cmaj_flt += both.maj_flt;
    parent.cnvcsw += both.nvcsw;
    parent.cnivcsw += both.nivcsw;
    if (parent.cmaxrss < both.maxrss) parent.cmaxrss = both.maxrss;
}

// A tracee is looked at twice: as a child of its parent, and as what its tracer, who need not be the parent,
// waits for. Stops of the one and of the other have nothing to do with each other.
enum class WaitAs { Parent, Tracer };

// Is this a child that the caller asked for? __WCLONE asks for those that do not send SIGCHLD, __WALL for
// all.
bool eligible_child(const wait_opts& wo, const task_struct& child, WaitAs as) {
    const task_struct& named = wo.type == PIDTYPE_PID ? child : *child.group_leader;
    if (wo.type != PIDTYPE_MAX && named.pids[wo.type].of.get() != wo.who) return false;
    if (as == WaitAs::Tracer) return true;
    const bool wants_clone = (wo.options & abi::kWClone) != 0;
    const bool is_clone = child.exit_signal != abi::kSigChld;
    return wants_clone == is_clone || (wo.options & abi::kWAll) != 0;
}

struct Scan {
    wait_opts& wo;
    bool any = false;  // some child may still report later
    pid_nr_t found = 0;
    task_struct* reap = nullptr;
};

void report(Scan& scan, const task_struct& child, int status, int why) {
    scan.found = task_pid_vnr(&child);
    scan.wo.status = status;
    scan.wo.why = why;
    scan.wo.uid = child.cred->uid;
    scan.wo.usage = to_rusage(usage_of_both(child));
}

// A zombie that a tracer has seen is its parent's next, if that is somebody else. True if it may be released.
bool hand_to_parent(task_struct& child) {
    if (!ptrace_reparented(child) || !thread_group_leader(&child)) return true;
    ptrace_unlink(child);
    return do_notify_parent(&child, child.exit_signal);
}

// tasklist_lock is held, so that only one waiter gets the zombie.
bool wait_task_zombie(Scan& scan, task_struct& child) {
    if ((scan.wo.options & abi::kWExited) == 0) return false;
    const bool group_exit = (child.signal->flags & SIGNAL_GROUP_EXIT) != 0;
    const int status = group_exit ? child.signal->group_exit_code : child.exit_code;
    const int why = (status & 0x7f) == 0   ? abi::kCldExited
                    : (status & 0x80) != 0 ? abi::kCldDumped
                                           : abi::kCldKilled;
    report(scan, child, status, why);
    if ((scan.wo.options & abi::kWNoWait) != 0) return true;
    const bool own = !ptrace_reparented(child);
    if (!hand_to_parent(child)) return true;
    child.exit_state = TaskState::Dead;
    if (own && thread_group_leader(&child)) add_child_usage(*current()->signal, child);
    scan.reap = &child;
    return true;
}

// Where the code of a stop is that this waiter may be told of; null if there is none.
int* stopped_code(task_struct& child, WaitAs as) {
    if (as == WaitAs::Tracer) {
        const bool listens = (child.jobctl & JOBCTL_LISTENING) != 0;
        return child.state.load() == TaskState::Traced && !listens ? &child.exit_code : nullptr;
    }
    return (child.signal->flags & SIGNAL_STOP_STOPPED) != 0 ? &child.signal->group_exit_code : nullptr;
}

bool wait_task_stopped(Scan& scan, task_struct& child, WaitAs as) {
    // A tracer is told whatever it asks for.
    if (as == WaitAs::Parent && (scan.wo.options & abi::kWStopped) == 0) return false;
    const spinlock_guard guard(child.sighand->siglock);
    int* code = stopped_code(child, as);
    if (code == nullptr || *code == 0) return false;
    report(scan, child, (*code << 8) | 0x7f, as == WaitAs::Tracer ? abi::kCldTrapped : abi::kCldStopped);
    if ((scan.wo.options & abi::kWNoWait) == 0) *code = 0;
    return true;
}

bool wait_task_continued(Scan& scan, task_struct& child) {
    if ((scan.wo.options & abi::kWContinued) == 0) return false;
    const spinlock_guard guard(child.sighand->siglock);
    signal_struct& signal = *child.signal;
    if ((signal.flags & SIGNAL_STOP_CONTINUED) == 0) return false;
    report(scan, child, 0xffff, abi::kCldContinued);
    if ((scan.wo.options & abi::kWNoWait) == 0) signal.flags &= ~SIGNAL_STOP_CONTINUED;
    return true;
}

// True if this child answers the call.
bool wait_consider_task(Scan& scan, task_struct& child, WaitAs as) {
    if (child.exit_state == TaskState::Dead || !eligible_child(scan.wo, child, as)) return false;
    // A process that traces its own child sees the tracee's stops alone, or each would be told twice.
    if (child.ptrace != 0 && !ptrace_reparented(child)) as = WaitAs::Tracer;
    if (child.exit_state == TaskState::Zombie) {
        // A leader whose threads live on is not yet to be reaped; a tracee that has ended is its tracer's
        // first.
        const bool delayed = thread_group_leader(&child) && !thread_group_empty(&child);
        if (!delayed && (as == WaitAs::Tracer || child.ptrace == 0)) return wait_task_zombie(scan, child);
        // As the stop of a tracee is its own, one that has ended has none to come.
        if (as == WaitAs::Parent || (scan.wo.options & (abi::kWContinued | abi::kWExited)) != 0)
            scan.any = true;
    } else {
        scan.any = true;
    }
    return wait_task_stopped(scan, child, as) || wait_task_continued(scan, child);
}

// Children and tracees of one thread.
bool do_wait_thread(Scan& scan, task_struct& thread) {
    for (list_head* node = thread.children.next; node != &thread.children; node = node->next) {
        task_struct& child = *list_entry<task_struct, &task_struct::sibling>(node);
        if (wait_consider_task(scan, child, WaitAs::Parent)) return true;
    }
    for (list_head* node = thread.ptraced.next; node != &thread.ptraced; node = node->next) {
        task_struct& tracee = *list_entry<task_struct, &task_struct::ptrace_entry>(node);
        if (wait_consider_task(scan, tracee, WaitAs::Tracer)) return true;
    }
    return false;
}

void scan_children(Scan& scan) {
    const spinlock_guard guard(tasklist_lock);
    bool found = false;
    if ((scan.wo.options & abi::kWNoThread) != 0) {
        do_wait_thread(scan, *current());
        return;
    }
    for_each_thread(current(), [&](task_struct& thread) {
        if (!found) found = do_wait_thread(scan, thread);
    });
}

}  // namespace

Result<pid_nr_t> do_wait(wait_opts& wo) {
    wait_queue_head& queue = current()->signal->wait_chldexit;
    wait_queue_entry entry;
    Result<pid_nr_t> outcome = [&]() -> Result<pid_nr_t> {
        for (;;) {
            // Queued before looking: a child that ends in between wakes us.
            prepare_to_wait(queue, entry, TaskState::Interruptible);
            Scan scan{wo};
            scan_children(scan);
            if (scan.reap != nullptr) {
                set_current_state(TaskState::Running);
                release_task(scan.reap);
            }
            if (scan.found != 0) return scan.found;
            if (!scan.any) return Errno::Child;
            if ((wo.options & abi::kWNoHang) != 0) return pid_nr_t{0};
            if (signal_pending(current())) return Errno::RestartSys;
            schedule("do_wait");
        }
    }();
    finish_wait(queue, entry);
    return outcome;
}

void getrusage_children(const task_struct& task, abi::Rusage& out) {
    out = to_rusage(children_usage(*task.signal));
}
void getrusage_self(const task_struct& task, abi::Rusage& out) {
    const spinlock_guard guard(tasklist_lock);
    out = to_rusage(process_usage(task));
}
void getrusage_thread(const task_struct& task, abi::Rusage& out) {
    out = to_rusage(
        {task.utime, task.stime, task.min_flt, task.maj_flt, task.nvcsw, task.nivcsw, max_rss(task)});
}

}  // namespace guest
