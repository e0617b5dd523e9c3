// The scheduler: round robin, with a time slice by nice value. The running task is not in the queue.
#include "guest/kernel/sched.hpp"

#include "guest/arch/event_port.hpp"
#include "guest/arch/tlb.hpp"
#include "guest/kernel/sched_core.hpp"
#include "guest/kernel/timer.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr unsigned kBaseSlice = 5;  // ticks at nice 0

task_struct* task_of(sched_entity* se) {
    return reinterpret_cast<task_struct*>(reinterpret_cast<char*>(se) - __builtin_offsetof(task_struct, se));
}

unsigned full_slice(int nice) {
    const auto slice = static_cast<unsigned>((20 - nice) * static_cast<int>(kBaseSlice) / 20);
    return slice > 0 ? slice : 1;
}

}  // namespace

struct rq {
    spinlock_t lock;
    IntrusiveList<sched_entity, &sched_entity::run_list> queue;
    unsigned running = 0;
    unsigned uninterruptible = 0;
    uint64_t switches = 0;
    kernel_cpustat cpustat;
    task_struct* idle = nullptr;
    // Set by the switch for the task that comes after: a dead one to be dropped, a borrowed mm to be given
    // back.
    task_struct* dead = nullptr;
    mm_struct* borrowed_mm = nullptr;
};

namespace {

constinit rq boot_rq;

void enqueue(rq& queue, task_struct& task) {
    task.se.on_rq = true;
    task.se.queued_at = ktime_get();
    queue.queue.push_back(task.se);
    ++queue.running;
}

task_struct& pick_next_task(rq& queue) {
    sched_entity* se = queue.queue.pop_front();
    if (se == nullptr) return *queue.idle;
    se->on_rq = false;
    --queue.running;
    return *task_of(se);
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
unsigned nr_running() { return boot_rq.running + (current() != boot_rq.idle ? 1 : 0); }
unsigned nr_uninterruptible() { return boot_rq.uninterruptible; }
const kernel_cpustat& cpustat() { return boot_rq.cpustat; }

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
        if (&prev != queue.idle) enqueue(queue, prev);
        ++prev.nivcsw;
    } else {
        ++prev.nvcsw;
        prev.wchan = where;
        if (is_uninterruptible(state)) ++queue.uninterruptible;
    }
    task_struct& next = pick_next_task(queue);
    if (next.se.time_slice == 0) next.se.time_slice = full_slice(next.se.nice);
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
    enqueue(boot_rq, *task);
    // Whoever idles gives way at once; others keep their turn.
    if (current() == boot_rq.idle) this_cpu().need_resched = true;
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
    run_posix_cpu_timers(task);
    ++task.se.sum_exec_ticks;
    if (task.se.sleep_avg > 0) --task.se.sleep_avg;
    if (task.se.time_slice > 0) --task.se.time_slice;
    if (task.se.time_slice == 0) cpu.need_resched = true;
}

void sched_fork(task_struct& child) {
    task_struct& parent = *current();
    const IrqGuard guard;
    child.state.store(TaskState::Running);
    child.se.nice = parent.se.nice;
    child.se.policy = parent.se.policy;
    child.se.timer_slack_ns = parent.se.timer_slack_ns;
    child.se.time_slice = (parent.se.time_slice + 1) / 2;
    child.se.first_time_slice = true;
    parent.se.time_slice /= 2;
    if (parent.se.time_slice == 0 && &parent != boot_rq.idle) this_cpu().need_resched = true;
}

void sched_exit(task_struct& child) {
    const IrqGuard guard;
    task_struct& parent = *child.real_parent;
    if (!child.se.first_time_slice) return;
    const unsigned limit = full_slice(parent.se.nice);
    const unsigned sum = parent.se.time_slice + child.se.time_slice;
    parent.se.time_slice = sum < limit ? sum : limit;
}

void wake_up_new_task(task_struct& child) {
    const spinlock_guard guard(boot_rq.lock);
    child.se.last_ran = jiffies;
    enqueue(boot_rq, child);
}

void set_user_nice(task_struct& task, int nice) {
    const spinlock_guard guard(boot_rq.lock);
    task.se.nice = nice;
    const unsigned limit = full_slice(nice);
    if (task.se.time_slice > limit) task.se.time_slice = limit;
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

uint64_t schedule_timeout(uint64_t ns, const char* where) {
    const uint64_t start = ktime_get();
    timer_list timer;
    timer.expires = ns > kNoTimeout - start ? kNoTimeout : start + ns;
    timer.data = current();
    timer.function = [](timer_list& due) { wake_up_process(static_cast<task_struct*>(due.data)); };
    add_timer(timer);
    schedule(where);
    del_timer(timer);
    const uint64_t passed = ktime_get() - start;
    return passed < ns ? ns - passed : 0;
}

}  // namespace guest
