// Interval timers. Guarded by the process's siglock.
#include "guest/kernel/itimer.hpp"

#include "guest/abi/process.hpp"
#include "guest/kernel/ktime.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

// Any thread stands for the process.
task_struct& some_thread(signal_struct& signal) {
    return *list_entry<task_struct, &task_struct::thread_node>(signal.thread_head.next);
}

// The first time after `now` that lies whole intervals after `from`.
uint64_t next_period(uint64_t from, uint64_t interval, uint64_t now) {
    if (from > now) return from;
    return after_intervals(from, interval, (now - from) / interval + 1);
}

void it_real_fn(timer_list& timer) {
    auto& signal = *static_cast<signal_struct*>(timer.data);
    send_group_sig(abi::kSigAlrm, &some_thread(signal));
    if (signal.it_real_incr == 0) return;
    timer.expires = next_period(timer.expires, signal.it_real_incr, ktime_get());
    add_timer(timer);
}

void it_cpu_fn(cpu_timer& timer) {
    auto& signal = *static_cast<signal_struct*>(timer.data);
    task_struct& task = some_thread(signal);
    const bool is_virtual = timer.which == CpuClock::Virt;
    send_group_sig(is_virtual ? abi::kSigVtalrm : abi::kSigProf, &task);
    const uint64_t interval = is_virtual ? signal.it_virt_incr : signal.it_prof_incr;
    if (interval == 0) return;
    timer.expires = next_period(timer.expires, interval, cpu_clock_sample(signal.cputimer, timer.which));
    add_cpu_timer(timer, task, CpuTimerOf::Process);
}

// A timer that has not gone off yet never shows zero, which would say that it is off.
uint64_t time_left(bool pending, uint64_t expires, uint64_t now) {
    constexpr uint64_t kLeast = 1000;  // what timeval can show
    if (!pending) return 0;
    return expires > now + kLeast ? expires - now : kLeast;
}

// One of the two that count CPU time. siglock is held.
itimer_value swap_cpu(cpu_timer& timer, uint64_t& interval, CpuClock which, const itimer_value* wanted) {
    task_struct& task = *current();
    const uint64_t now = cpu_clock_sample(thread_group_cputime(task), which);
    const itimer_value old{interval, time_left(cpu_timer_pending(timer), timer.expires, now)};
    if (wanted == nullptr) return old;
    del_cpu_timer(timer);
    interval = wanted->interval;
    if (wanted->value == 0) return old;
    timer.which = which;
    timer.function = it_cpu_fn;
    timer.data = task.signal.get();
    // The tick that is going on is counted in full when it ends: never too early.
    const uint64_t expires = now + wanted->value + kNsPerTick;
    timer.expires = expires < now ? kNoTimeout : expires;
    add_cpu_timer(timer, task, CpuTimerOf::Process);
    return old;
}

itimer_value swap_real(signal_struct& signal, const itimer_value* wanted) {
    timer_list& timer = signal.real_timer;
    const uint64_t now = ktime_get();
    const itimer_value old{signal.it_real_incr, time_left(timer_pending(timer), timer.expires, now)};
    if (wanted == nullptr) return old;
    del_timer(timer);
    signal.it_real_incr = wanted->interval;
    if (wanted->value == 0) return old;
    timer.function = it_real_fn;
    timer.data = &signal;
    timer.expires = wanted->value < kNoTimeout - now ? now + wanted->value : kNoTimeout;
    add_timer(timer);
    return old;
}

Result<itimer_value> swap_itimer(int which, const itimer_value* wanted) {
    signal_struct& signal = *current()->signal;
    const spinlock_guard guard(current()->sighand->siglock);
    switch (static_cast<abi::Itimer>(which)) {
        case abi::Itimer::Real:
            return swap_real(signal, wanted);
        case abi::Itimer::Virtual:
            return swap_cpu(signal.it_virt, signal.it_virt_incr, CpuClock::Virt, wanted);
        case abi::Itimer::Prof:
            return swap_cpu(signal.it_prof, signal.it_prof_incr, CpuClock::Prof, wanted);
    }
    return Errno::Inval;
}

}  // namespace

Result<itimer_value> do_getitimer(int which) { return swap_itimer(which, nullptr); }
Result<itimer_value> do_setitimer(int which, const itimer_value& wanted) {
    return swap_itimer(which, &wanted);
}

void itimers_exit(signal_struct& signal) {
    del_timer(signal.real_timer);
    del_cpu_timer(signal.it_virt);
    del_cpu_timer(signal.it_prof);
}

}  // namespace guest
