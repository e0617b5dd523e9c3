// The scheduler: by rank, and round robin among equals, with a time slice by nice value. The running task is
// not in the queue.
#include "guest/kernel/sched.hpp"

#include "guest/arch/event_port.hpp"
#include "guest/arch/tlb.hpp"
#include "guest/kernel/sched_core.hpp"
#include "guest/kernel/sched_queue.hpp"
#include "guest/kernel/sched_rq.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// Real-time tasks together get at most so many ticks of each period while others want to run, so that one
// that never sleeps does not stop the machine (Linux: sched_rt_runtime_us).
constexpr uint64_t kRtPeriod = 100, kRtRuntime = 95;

task_struct* task_of(sched_entity* se) {
    return reinterpret_cast<task_struct*>(reinterpret_cast<char*>(se) - __builtin_offsetof(task_struct, se));
}

}  // namespace

constinit rq boot_rq;

namespace {

void enqueue(rq& queue, task_struct& task, task_queue::At at = task_queue::At::Tail) {
    task.se.queued_at = ktime_get();
    queue.queue.add(task.se, at);
}

task_struct& pick_next_task(rq& queue) {
    sched_entity* se = queue.queue.pick(queue.rt_throttled);
    return se != nullptr ? *task_of(se) : *queue.idle;
}

// A real-time task that had to give way goes on before its equals; the others had their turn.
task_queue::At place_of(const task_struct& prev) {
    const sched_entity& se = prev.se;
    const bool turn_is_over = se.yields || (se.policy == SCHED_RR && se.time_slice == 0);
    return effective_rt_priority(se) != 0 && !turn_is_over ? task_queue::At::Head : task_queue::At::Tail;
}

// From the tick.
void account_rt(rq& queue, const task_struct& task) {
    // Not every number of ticks is seen here: some may have gone by at once.
    if (jiffies - queue.rt_period_start >= kRtPeriod) {
        queue.rt_period_start = jiffies;
        queue.rt_ticks = 0;
        if (queue.rt_throttled) this_cpu().need_resched = true;
        queue.rt_throttled = false;
    }
    if (effective_rt_priority(task.se) == 0 || ++queue.rt_ticks < kRtRuntime) return;
    queue.rt_throttled = true;
    if (queue.queue.has_others()) this_cpu().need_resched = true;
}

// prev's time on the CPU ends and next's begins.
void account_switch(task_struct& prev, task_struct& next) {
    update_curr();
    const uint64_t now = prev.se.exec_start;
    next.se.exec_start = now;
    ++next.se.nr_turns;
    if (next.se.queued_at != 0) next.se.run_delay += now - next.se.queued_at;
    next.se.queued_at = 0;
}

bool is_uninterruptible(TaskState state) {
    return (static_cast<uint32_t>(state) & static_cast<uint32_t>(TaskState::Uninterruptible)) != 0;
}

// A kernel thread runs on whatever tables are loaded, and keeps them from going away meanwhile.
void switch_address_space(rq& queue, task_struct& prev, task_struct& next) {
    if (next.mm) {
        next.active_mm = next.mm.get();
        switch_mm(*next.mm);
    } else {
        next.active_mm = prev.active_mm;
        next.active_mm->mm_count.inc();
    }
    if (!prev.mm) {
        queue.borrowed_mm = prev.active_mm;
        prev.active_mm = nullptr;
    }
}

// On the stack of the task that was switched to, with the queue still locked.
void finish_task_switch(rq& queue, uint64_t flags) {
    task_struct* dead = queue.dead;
    mm_struct* borrowed = queue.borrowed_mm;
    queue.dead = nullptr;
    queue.borrowed_mm = nullptr;
    queue.lock.unlock_irqrestore(flags);
    if (borrowed != nullptr) mmdrop(borrowed);
    if (dead != nullptr) put_task_struct(dead);
}

void context_switch(rq& queue, task_struct& prev, task_struct& next) {
    ++queue.switches;
    announce(abi::Announcement::TaskSwitch, static_cast<uint64_t>(next.pid), static_cast<uint64_t>(prev.pid));
    switch_address_space(queue, prev, next);
    if (prev.state.load() == TaskState::Dead) queue.dead = &prev;
    switch_to(prev, next);
}

bool must_keep_running(const task_struct& task, TaskState state) {
    const auto bits = static_cast<uint32_t>(state);
    if ((bits & static_cast<uint32_t>(TaskState::Interruptible)) != 0) return signal_pending(&task);
    return state == TaskState::Killable && fatal_signal_pending(&task);
}

}  // namespace

void sched_init() {
    boot_rq.idle = &init_task;
    this_cpu().runqueue = &boot_rq;
}

uint64_t nr_context_switches() { return boot_rq.switches; }
unsigned nr_running() { return boot_rq.queue.count() + (current() != boot_rq.idle ? 1 : 0); }
unsigned nr_uninterruptible() { return boot_rq.uninterruptible; }
const kernel_cpustat& cpustat() { return boot_rq.cpustat; }

void check_preempt(const task_struct& woken) {
    const task_struct& task = *current();
    if (&task == boot_rq.idle || sched_rank(woken.se) > sched_rank(task.se)) this_cpu().need_resched = true;
}

void update_curr() {
    task_struct& task = *current();
    const uint64_t now = ktime_get();
    const uint64_t ran = now - task.se.exec_start;
    task.se.exec_start = now;
    task.se.sum_exec_runtime += ran;
    task.signal->cputimer.sum_exec_runtime += ran;
}

void schedule(const char* where) {
    PerCpu& cpu = this_cpu();
    task_struct& prev = *current();
    BUG_ON(cpu.preempt_count != 0);
    BUG_ON(prev.stack.info()->canary != kStackEndMagic);
    rq& queue = *cpu.runqueue;
    const uint64_t flags = queue.lock.lock_irqsave();
    cpu.need_resched = false;
    TaskState state = prev.state.load();
    if (state != TaskState::Running && must_keep_running(prev, state)) {
        prev.state.store(TaskState::Running);
        state = TaskState::Running;
    }
    if (state == TaskState::Running) {
        if (&prev != queue.idle) enqueue(queue, prev, place_of(prev));
        ++prev.nivcsw;
    } else {
        ++prev.nvcsw;
        prev.wchan = where;
        if (is_uninterruptible(state)) ++queue.uninterruptible;
    }
    prev.se.yields = false;
    task_struct& next = pick_next_task(queue);
    if (next.se.time_slice == 0) next.se.time_slice = full_slice(next.se);
    const uint64_t now = jiffies;
    prev.se.last_ran = now;
    account_switch(prev, next);
    if (&next == &prev) {
        queue.lock.unlock_irqrestore(flags);
        return;
    }
    context_switch(queue, prev, next);
    // Another task's time has passed; this one runs again.
    prev.wchan = nullptr;
    finish_task_switch(*this_cpu().runqueue, flags);
}

extern "C" void schedule_tail() {
    finish_task_switch(*this_cpu().runqueue, kFlagsIf);
    // In the child's own memory, before it runs there (row C13).
    task_struct& task = *current();
    if (task.set_child_tid) (void)put_user(task.set_child_tid, task_pid_vnr(&task)).ok();
}

void schedule_dead() {
    current()->state.store(TaskState::Dead);
    schedule();
    panic("a dead task runs");
}

bool try_to_wake_up(task_struct* task, uint32_t states) {
    const spinlock_guard guard(boot_rq.lock);
    const TaskState state = task->state.load();
    if ((static_cast<uint32_t>(state) & states) == 0) return false;
    task->state.store(TaskState::Running);
    // It may not have gone to sleep yet.
    if (task == current() || task->se.on_rq) return true;
    if (is_uninterruptible(state)) --boot_rq.uninterruptible;
    const uint64_t slept = jiffies - task->se.last_ran;
    task->se.sleep_avg = (task->se.sleep_avg + slept) / 2;
    task->se.rt_ticks = 0;
    enqueue(boot_rq, *task);
    // Whoever idles or ranks lower gives way at once; others keep their turn.
    check_preempt(*task);
    return true;
}

bool wake_up_process(task_struct* task) {
    constexpr auto kNormal =
        static_cast<uint32_t>(TaskState::Interruptible) | static_cast<uint32_t>(TaskState::Uninterruptible);
    return try_to_wake_up(task, kNormal);
}

void scheduler_tick(bool user) {
    task_struct& task = *current();
    PerCpu& cpu = this_cpu();
    kernel_cpustat& stat = boot_rq.cpustat;
    if (&task == boot_rq.idle) {
        ++stat.idle;
        return;
    }
    ++(!user ? stat.system : task.se.nice > 0 ? stat.nice : stat.user);
    update_curr();
    (user ? task.utime : task.stime) += kNsPerTick;
    (user ? task.signal->cputimer.utime : task.signal->cputimer.stime) += kNsPerTick;
    if (rt_policy(task.se.policy)) ++task.se.rt_ticks;
    run_posix_cpu_timers(task);
    ++task.se.sum_exec_ticks;
    if (task.se.sleep_avg > 0) --task.se.sleep_avg;
    account_rt(boot_rq, task);
    if (task.se.policy == SCHED_FIFO) return;
    if (task.se.time_slice > 0) --task.se.time_slice;
    if (task.se.time_slice == 0) cpu.need_resched = true;
}

void wake_up_new_task(task_struct& child) {
    const spinlock_guard guard(boot_rq.lock);
    child.se.last_ran = jiffies;
    enqueue(boot_rq, child);
    check_preempt(child);
}

void sched_yield() {
    current()->se.yields = true;
    schedule();
}

void cond_resched() {
    if (this_cpu().need_resched && current()->state.load() == TaskState::Running) schedule();
}

void cpu_idle() {
    for (;;) {
        local_irq_disable();
        if (this_cpu().need_resched || !boot_rq.queue.empty()) {
            local_irq_enable();
            schedule();
            continue;
        }
        safe_halt();
    }
}

}  // namespace guest
