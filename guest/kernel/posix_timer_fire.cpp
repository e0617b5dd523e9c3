// What happens when a POSIX timer goes off, and how it is started and stopped.
#include "guest/kernel/posix_timer_core.hpp"

#include "guest/kernel/ktime.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

// POSIX: DELAYTIMER_MAX
constexpr int64_t kMostOverruns = 0x7fffffff;

// How often it has gone off by `now`; `expires` moves to the next time. At least once.
int64_t forward(uint64_t& expires, uint64_t interval, uint64_t now) {
    if (interval == 0) return 1;
    const uint64_t times = now < expires ? 1 : (now - expires) / interval + 1;
    expires = after_intervals(expires, interval, times);
    return static_cast<int64_t>(times);
}

// The thread that is to get the signal; any thread stands for the process. tasklist_lock is held.
task_struct* target_of(const k_itimer& timer) {
    if (timer.thread) return pid_task(timer.thread.get(), PIDTYPE_PID);
    return list_entry<task_struct, &task_struct::thread_node>(timer.signal->thread_head.next);
}

// `times` expirations: one signal, and a count of those that it does not stand for.
void timer_event(k_itimer& timer, int64_t times) {
    if (timer.notify == abi::SigevNotify::None) return;
    const spinlock_guard tasklist_guard(tasklist_lock);
    task_struct* task = target_of(timer);
    if (task == nullptr) return;
    const spinlock_guard guard(task->sighand->siglock);
    const bool pending = timer.sigq->list.is_linked();
    const SigTarget target = timer.thread ? SigTarget::Thread : SigTarget::Process;
    if (pending && timer.sigq->stale) {
        timer.sigq->stale = false;
        timer.overrun = times - 1;
    } else if (pending) {
        timer.overrun += times;
    } else if (send_sigqueue(*timer.sigq, task, target)) {
        timer.overrun = times - 1;
    }
    if (timer.overrun > kMostOverruns) timer.overrun = kMostOverruns;
}

void posix_timer_fn(timer_list& entry) {
    auto& timer = *static_cast<k_itimer*>(entry.data);
    const int64_t times = forward(entry.expires, timer.interval, ktime_get());
    if (timer.interval != 0) add_timer(entry);
    timer_event(timer, times);
}

Result<task_struct*> cpu_clock_task(const k_itimer& timer) {
    task_struct* task = pid_task(timer.clock_pid.get(), PIDTYPE_PID);
    if (task == nullptr) return Errno::Srch;
    return task;
}

uint64_t cpu_now(const k_itimer& timer, const task_struct& task) {
    const bool thread = timer.clock.of == CpuTimerOf::Thread;
    return cpu_clock_sample(thread ? thread_cputime(task) : thread_group_cputime(task), timer.clock.which);
}

void posix_cpu_timer_fn(cpu_timer& entry) {
    auto& timer = *static_cast<k_itimer*>(entry.data);
    task_struct* task = pid_task(timer.clock_pid.get(), PIDTYPE_PID);
    if (task == nullptr) return;
    const int64_t times = forward(entry.expires, timer.interval, cpu_now(timer, *task));
    if (timer.interval != 0) add_cpu_timer(entry, *task, timer.clock.of);
    timer_event(timer, times);
}

uint64_t saturated_sum(uint64_t a, uint64_t b) { return a < kNoTimeout - b ? a + b : kNoTimeout; }

Result<> start_cpu(k_itimer& timer, TimerStart start, uint64_t value) {
    task_struct& task = *TRY(cpu_clock_task(timer));
    cpu_timer& entry = timer.cpu;
    entry.which = timer.clock.which;
    entry.function = posix_cpu_timer_fn;
    entry.data = &timer;
    entry.expires = start == TimerStart::Absolute ? value : saturated_sum(cpu_now(timer, task), value);
    add_cpu_timer(entry, task, timer.clock.of);
    return {};
}

}  // namespace

bool posix_timer_stop(k_itimer& timer) {
    return timer.clock.cpu ? del_cpu_timer(timer.cpu) : del_timer(timer.timer);
}

Result<> posix_timer_start(k_itimer& timer, TimerStart start, uint64_t value) {
    if (timer.clock.cpu) return start_cpu(timer, start, value);
    timer_list& entry = timer.timer;
    const uint64_t now = ktime_get();
    const bool absolute = start == TimerStart::Absolute;
    const uint64_t ahead = absolute && is_realtime(timer.clock) ? ktime_get_real() - now : 0;
    entry.function = posix_timer_fn;
    entry.data = &timer;
    entry.follows_realtime = absolute && is_realtime(timer.clock);
    entry.expires = !absolute ? saturated_sum(now, value) : value > ahead ? value - ahead : 0;
    add_timer(entry);
    return {};
}

timer_setting posix_timer_left(const k_itimer& timer) {
    timer_setting left{timer.interval, 0};
    uint64_t expires = timer.timer.expires;
    uint64_t now = 0;
    if (timer.clock.cpu) {
        const task_struct* task = pid_task(timer.clock_pid.get(), PIDTYPE_PID);
        if (task == nullptr || !cpu_timer_pending(timer.cpu)) return left;
        expires = timer.cpu.expires;
        now = cpu_now(timer, *task);
    } else {
        if (!timer_pending(timer.timer)) return left;
        now = ktime_get();
    }
    // Due, but not seen by the tick yet: 0 would say that it is off.
    left.value = expires > now ? expires - now : 1;
    return left;
}

}  // namespace guest
