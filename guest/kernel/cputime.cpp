// CPU time, and timers that count it.
#include "guest/kernel/cputime.hpp"

#include "guest/kernel/ktime.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/kernel/sched_core.hpp"
#include "guest/kernel/sched_queue.hpp"

namespace guest {

namespace {

// Guards the lists of CPU timers of all tasks and processes.
constinit spinlock_t cpu_timer_lock;

// Calls those that are due. Each is out of the list before it is called, and may come back.
void run_list(list_head& timers, const task_cputime& now) {
    for (;;) {
        cpu_timer* due = nullptr;
        {
            const spinlock_guard guard(cpu_timer_lock);
            for (list_head* node = timers.next; node != &timers && due == nullptr; node = node->next) {
                auto* timer = list_entry<cpu_timer, &cpu_timer::entry>(node);
                if (timer->expires <= cpu_clock_sample(now, timer->which)) due = timer;
            }
            if (due == nullptr) return;
            due->entry.unlink();
        }
        due->function(*due);
    }
}

void unlink_all(list_head& timers) {
    const spinlock_guard guard(cpu_timer_lock);
    while (!list_empty(timers)) timers.next->unlink();
}

// At the soft limit a signal each second, at the hard limit the end.
void check_cpu_limit(task_struct& task, const task_cputime& now) {
    abi::RlimitPair& limit = task.signal->rlim[static_cast<unsigned>(abi::Rlimit::Cpu)];
    if (limit.current == abi::kRlimInfinity) return;
    const uint64_t seconds = cpu_clock_sample(now, CpuClock::Prof) / kNsInSecond;
    if (seconds >= limit.maximum) {
        send_group_sig(abi::kSigKill, &task);
    } else if (seconds >= limit.current) {
        send_group_sig(abi::kSigXcpu, &task);
        limit.current = seconds + 1;
    }
}

// The same for a real-time task that does not sleep, in microseconds.
void check_rt_limit(task_struct& task) {
    constexpr uint64_t kUsPerTick = kNsPerTick / 1000, kUsPerSecond = 1'000'000;
    abi::RlimitPair& limit = task.signal->rlim[static_cast<unsigned>(abi::Rlimit::RtTime)];
    if (limit.current == abi::kRlimInfinity || !rt_policy(task.se.policy)) return;
    const uint64_t ran = task.se.rt_ticks * kUsPerTick;
    if (ran >= limit.maximum) {
        send_group_sig(abi::kSigKill, &task);
    } else if (ran >= limit.current) {
        limit.current += kUsPerSecond;
        send_group_sig(abi::kSigXcpu, &task);
    }
}

}  // namespace

uint64_t cpu_clock_sample(const task_cputime& time, CpuClock which) {
    switch (which) {
        case CpuClock::Prof:
            return time.utime + time.stime;
        case CpuClock::Virt:
            return time.utime;
        default:
            return time.sum_exec_runtime;
    }
}

task_cputime thread_cputime(const task_struct& task) {
    const IrqGuard guard;
    update_curr();
    return {task.utime, task.stime, task.se.sum_exec_runtime};
}

task_cputime thread_group_cputime(const task_struct& task) {
    const IrqGuard guard;
    update_curr();
    return task.signal->cputimer;
}

void add_cpu_timer(cpu_timer& timer, task_struct& task, CpuTimerOf of) {
    const spinlock_guard guard(cpu_timer_lock);
    list_add_tail(timer.entry, of == CpuTimerOf::Thread ? task.cpu_timers : task.signal->cpu_timers);
}

bool del_cpu_timer(cpu_timer& timer) {
    const spinlock_guard guard(cpu_timer_lock);
    if (!cpu_timer_pending(timer)) return false;
    timer.entry.unlink();
    return true;
}

void run_posix_cpu_timers(task_struct& task) {
    if ((task.flags & PF_EXITING) != 0) return;
    if (!list_empty(task.cpu_timers)) run_list(task.cpu_timers, thread_cputime(task));
    const task_cputime now = task.signal->cputimer;
    if (!list_empty(task.signal->cpu_timers)) run_list(task.signal->cpu_timers, now);
    check_cpu_limit(task, now);
    check_rt_limit(task);
}

void posix_cpu_timers_exit(task_struct& task, GroupDead group_dead) {
    unlink_all(task.cpu_timers);
    if (group_dead == GroupDead::Yes) unlink_all(task.signal->cpu_timers);
}

}  // namespace guest
