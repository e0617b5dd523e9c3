// /proc/<pid>/stat and statm: a task in numbers.
#include "guest/arch/process.hpp"
#include "guest/drivers/tty.hpp"
#include "guest/fs/proc/pid_files.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

// Of one thread or of all together, with what those had that are gone.
struct Counters {
    uint64_t min_flt = 0, maj_flt = 0, utime = 0, stime = 0;

    void add(const task_struct& task) {
        min_flt += task.min_flt;
        maj_flt += task.maj_flt;
        utime += task.utime;
        stime += task.stime;
    }
};

Counters counters_of(const task_struct& task, Whole whole) {
    Counters sum;
    if (whole == Whole::Thread) {
        sum.add(task);
        return sum;
    }
    const spinlock_guard guard(tasklist_lock);
    const signal_struct& signal = *task.signal;
    sum = {signal.min_flt, signal.maj_flt, signal.utime, signal.stime};
    for_each_thread(&task, [&](const task_struct& thread) { sum.add(thread); });
    return sum;
}

struct Terminal {
    uint64_t number = 0;
    pid_nr_t foreground = -1;
};

Terminal terminal_of(task_struct& task, const pid_namespace& ns) {
    const RefPtr<tty_struct> tty = get_task_tty(task);
    if (!tty) return {};
    const spinlock_guard guard(tty->lock);
    return {tty->dev, pid_nr_ns(tty->pgrp.get(), ns)};
}

uint64_t ticks(uint64_t ns) { return ns / kNsPerTick; }

// Signals 1 to 31, as the old format has room for.
uint64_t low_signals(sigset_t set) { return set & 0x7fffffff; }

void put_family(proc_text& m, task_struct& task) {
    const pid_namespace& ns = m.ns();
    const task_ids ids = task_ids_of(task, ns);
    const Terminal terminal = terminal_of(task, ns);
    m.printf("%d (", ids.pid);
    m.puts(task.comm);
    m.printf(") %c %d %d %d %lu %d %u", task_state_letter(task), ids.ppid, ids.pgrp, ids.session,
             terminal.number, terminal.foreground, task.flags);
}

void put_times(proc_text& m, const task_struct& task, Whole whole) {
    const Counters sum = counters_of(task, whole);
    const signal_struct& signal = *task.signal;
    m.printf(" %lu %lu %lu %lu %lu %lu %lu %lu", sum.min_flt, signal.cmin_flt, sum.maj_flt, signal.cmaj_flt,
             ticks(sum.utime), ticks(sum.stime), ticks(signal.cutime), ticks(signal.cstime));
    m.printf(" %d %d %d 0 %lu", task_prio(task), task.se.nice, signal.nr_threads, ticks(task.start_time));
}

// Addresses are shown to who may trace the task; to others, 1 says that there is some.
void put_memory(proc_text& m, const task_struct& task, const mm_struct* mm, bool permitted) {
    const uint64_t rss_limit = task.signal->rlim[static_cast<unsigned>(abi::Rlimit::Rss)].current;
    m.printf(" %lu %lu %lu", mm != nullptr ? mm->total_vm << kPageShift : 0, mm != nullptr ? mm->rss() : 0,
             rss_limit);
    const auto address = [&](VirtAddr at) { return mm == nullptr ? 0 : permitted ? at.raw() : 1; };
    const VirtAddr none;
    m.printf(" %lu %lu %lu", address(mm != nullptr ? mm->start_code : none),
             address(mm != nullptr ? mm->end_code : none),
             mm != nullptr && permitted ? mm->start_stack.raw() : 0);
    // Stack pointer and program counter change while anybody looks; a task that ends has them for its core.
    const bool frozen = permitted && (task.flags & (PF_EXITING | PF_DUMPCORE)) != 0 && mm != nullptr;
    const pt_regs& regs = *task.stack.regs();
    m.printf(" %lu %lu", frozen ? regs.rsp : 0, frozen ? regs.rip : 0);
}

void put_layout(proc_text& m, const task_struct& task, const mm_struct* mm, bool permitted) {
    if (mm != nullptr && permitted) {
        m.printf(" %lu %lu %lu %lu %lu %lu %lu", mm->start_data.raw(), mm->end_data.raw(),
                 mm->start_brk.raw(), mm->arg_start.raw(), mm->arg_end.raw(), mm->env_start.raw(),
                 mm->env_end.raw());
    } else {
        m.puts(" 0 0 0 0 0 0 0");
    }
    const bool group_exit = (task.signal->flags & SIGNAL_GROUP_EXIT) != 0;
    const int code = group_exit && thread_group_leader(&task) ? task.signal->group_exit_code : task.exit_code;
    m.printf(" %d\n", permitted ? code : 0);
}

Result<> do_task_stat(proc_text& m, task_struct& task, Whole whole) {
    const auto mm = get_task_mm(task);
    const bool permitted = ptrace_may_access(task);
    const task_signals signals = task_signals_of(task);
    put_family(m, task);
    put_times(m, task, whole);
    put_memory(m, task, mm.get(), permitted);
    m.printf(" %lu %lu %lu %lu", low_signals(signals.pending), low_signals(signals.blocked),
             low_signals(signals.ignored), low_signals(signals.caught));
    const bool waits = permitted && task_state_letter(task) != 'R';
    m.printf(" %d 0 0 %d 0 %u %u 0 0 0", waits ? 1 : 0, task.exit_signal, task_rt_priority(task),
             task.se.policy);
    put_layout(m, task, mm.get(), permitted);
    return {};
}

}  // namespace

Result<> tgid_stat_show(proc_text& m, task_struct& task) { return do_task_stat(m, task, Whole::Process); }
Result<> tid_stat_show(proc_text& m, task_struct& task) { return do_task_stat(m, task, Whole::Thread); }

Result<> statm_show(proc_text& m, task_struct& task) {
    const auto mm = get_task_mm(task);
    if (!mm) {
        m.puts("0 0 0 0 0 0 0\n");
        return {};
    }
    const read_guard guard(mm->mmap_sem);
    m.printf("%lu %lu %lu %lu 0 %lu 0\n", mm->total_vm, mm->rss(), mm->rss() - mm->anon_rss, text_pages(*mm),
             mm->data_vm + mm->stack_vm);
    return {};
}

}  // namespace guest
