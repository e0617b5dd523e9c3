// How a task runs and where it sleeps: /proc/<pid>/syscall, wchan, stack, sched, schedstat, and forkscope,
// which is ours.
#include "guest/arch/backtrace.hpp"
#include "guest/arch/process.hpp"
#include "guest/fs/proc/pid_files.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

bool is_running(const task_struct& task) {
    return task.state.load() == TaskState::Running && task.exit_state == TaskState::Running;
}

// A task that has ended has no call any more, and waits for nothing.
bool has_ended(const task_struct& task) { return task.exit_state != TaskState::Running; }

const char* wchan_of(const task_struct& task) {
    return task.wchan != nullptr && !is_running(task) && !has_ended(task) ? task.wchan : nullptr;
}

Result<> check_trace(const task_struct& task) {
    if (!ptrace_may_access(task)) return Errno::Perm;
    return {};
}

constexpr uint64_t kNsPerMs = 1'000'000;

// ns on the CPU, those of the turn that the reader itself is in as well.
uint64_t exec_runtime(const task_struct& task) {
    const uint64_t turn = &task == current() ? ktime_get() - task.se.exec_start : 0;
    return task.se.sum_exec_runtime + turn;
}

void put_count(seq_file& m, const char* name, uint64_t value) { m.printf("%-45s:%21lu\n", name, value); }
// Milliseconds with the nanoseconds behind the point.
void put_time(seq_file& m, const char* name, uint64_t ns) {
    m.printf("%-45s:%14lu.%06lu\n", name, ns / kNsPerMs, ns % kNsPerMs);
}

// ns until the process's alarm (ITIMER_REAL); 0: it has none.
uint64_t alarm_left(const task_struct& task) {
    const spinlock_guard tasklist_guard(tasklist_lock);
    const spinlock_guard guard(task.sighand->siglock);
    const timer_list& timer = task.signal->real_timer;
    const uint64_t now = ktime_get();
    return timer_pending(timer) && timer.expires > now ? timer.expires - now : 0;
}

void put_regs(seq_file& m, const pt_regs& r) {
    m.printf("rip %016lx rsp %016lx rflags %08lx cs %04lx ss %04lx\n", r.rip, r.rsp, r.eflags, r.cs, r.ss);
    m.printf("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", r.rax, r.rbx, r.rcx, r.rdx);
    m.printf("rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", r.rsi, r.rdi, r.rbp, r.r8);
    m.printf("r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", r.r9, r.r10, r.r11, r.r12);
    m.printf("r13 %016lx r14 %016lx r15 %016lx orig_rax %016lx\n", r.r13, r.r14, r.r15, r.orig_rax);
}

}  // namespace

Result<> syscall_show(proc_text& m, task_struct& task) {
    TRY(check_trace(task));
    // current tells of the call that reads this.
    if (is_running(task) && &task != current()) {
        m.puts("running\n");
        return {};
    }
    if (has_ended(task)) {
        m.puts("-1 0x0 0x0\n");
        return {};
    }
    const pt_regs& r = *task.stack.regs();
    if (task.syscall_nr < 0) {
        m.printf("-1 0x%lx 0x%lx\n", r.rsp, r.rip);
        return {};
    }
    m.printf("%ld 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx\n", task.syscall_nr, r.rdi, r.rsi, r.rdx,
             r.r10, r.r8, r.r9, r.rsp, r.rip);
    return {};
}

Result<> wchan_show(proc_text& m, task_struct& task) {
    const char* where = ptrace_may_access(task) ? wchan_of(task) : nullptr;
    m.puts(where != nullptr ? where : "0");
    return {};
}

Result<> stack_show(proc_text& m, task_struct& task) {
    TRY(check_trace(task));
    if (const char* where = wchan_of(task)) m.printf("[<0>] %s\n", where);
    if (&task == current() || is_running(task) || has_ended(task)) return {};
    for_each_frame(
        task,
        [](uint64_t address, void* to) { static_cast<seq_file*>(to)->printf("[<0>] 0x%lx\n", address); },
        static_cast<seq_file*>(&m));
    return {};
}

Result<> sched_show(proc_text& m, task_struct& task) {
    const sched_entity& se = task.se;
    m.printf("%s (%d, #threads: %d)\n", task.comm, task_ids_of(task, m.ns()).pid, task.signal->nr_threads);
    m.puts("-------------------------------------------------------------------\n");
    put_time(m, "se.exec_start", se.exec_start);
    put_time(m, "se.sum_exec_runtime", exec_runtime(task));
    put_time(m, "se.run_delay", se.run_delay);
    put_time(m, "se.sleep_avg", se.sleep_avg * kNsPerTick);
    put_time(m, "se.last_ran", se.last_ran * kNsPerTick);
    put_time(m, "se.time_slice", se.time_slice * kNsPerTick);
    put_count(m, "nr_switches", task.nvcsw + task.nivcsw);
    put_count(m, "nr_voluntary_switches", task.nvcsw);
    put_count(m, "nr_involuntary_switches", task.nivcsw);
    put_count(m, "policy", se.policy);
    put_count(m, "prio", static_cast<uint64_t>(100 + task_prio(task)));
    put_count(m, "cow_copies", task.cow_copies);
    put_count(m, "cow_reuses", task.cow_reuses);
    return {};
}

Result<> schedstat_show(proc_text& m, task_struct& task) {
    const sched_entity& se = task.se;
    m.printf("%lu %lu %lu\n", exec_runtime(task), se.run_delay, se.nr_turns);
    return {};
}

// What task_struct holds and no file of Linux's tells: page tables, kernel stack, the registers that the task
// entered the kernel with, its system call and what the last one gave.
Result<> forkscope_show(proc_text& m, task_struct& task) {
    TRY(check_trace(task));
    if (const auto mm = get_task_mm(task)) {
        m.printf("page_table_root 0x%lx\n", mm->root().raw());
        m.printf("page_tables %lu %lu %lu\n", mm->nr_ptes, mm->nr_pmds, mm->nr_puds);
        m.printf("address_space_users %d\n", mm->mm_users.load() - 1);  // not counting this reader
    }
    m.printf("kernel_stack 0x%lx-0x%lx\n", task.stack.top() - kThreadSize, task.stack.top());
    m.printf("alarm_left %lu\n", alarm_left(task));
    m.printf("syscall %ld last_result %ld\n", task.syscall_nr, task.syscall_result);
    m.printf("faults %lu %lu cow_copies %lu cow_reuses %lu\n", task.min_flt, task.maj_flt, task.cow_copies,
             task.cow_reuses);
    put_regs(m, *task.stack.regs());
    return {};
}

}  // namespace guest
