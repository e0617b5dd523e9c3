// Sleeping by a clock.
#include "guest/kernel/clock.hpp"
#include "guest/kernel/ktime.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/kernel/timer.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

void wake_sleeper(timer_list& timer) { wake_up_process(static_cast<task_struct*>(timer.data)); }
void wake_cpu_sleeper(cpu_timer& timer) { wake_up_process(static_cast<task_struct*>(timer.data)); }

// Arms a timer, sleeps once and takes it back.
void sleep_by_clock(const clock_ref& clock, uint64_t left) {
    timer_list timer;
    timer.function = wake_sleeper;
    timer.data = current();
    timer.follows_realtime = is_realtime(clock);
    const uint64_t now = ktime_get();
    timer.expires = left < kNoTimeout - now ? now + left : kNoTimeout;
    add_timer(timer);
    schedule();
    del_timer(timer);
}

// The same; whether the timer went off. Inval: the clock's task is gone.
Result<bool> sleep_by_cpu_clock(const clock_ref& clock, uint64_t deadline) {
    cpu_timer timer;
    timer.function = wake_cpu_sleeper;
    timer.data = current();
    timer.which = clock.which;
    timer.expires = deadline;
    {
        const spinlock_guard guard(tasklist_lock);
        add_cpu_timer(timer, *TRY(clock_task(clock)), clock.of);
        set_current_state(TaskState::Interruptible);
    }
    schedule();
    return !del_cpu_timer(timer);
}

// Sleeps until the timer of a CPU clock has gone off. False if a signal came first. That the clock has come
// to the deadline is seen by the tick alone, and only while the clock's process runs: one that sleeps itself,
// all of it, sleeps until a signal comes.
Result<bool> sleep_until_cpu(const clock_ref& clock, uint64_t deadline) {
    for (;;) {
        if (signal_pending(current())) return false;
        if (TRY(sleep_by_cpu_clock(clock, deadline))) return true;
    }
}

// Sleeps until the clock shows `deadline`, in ns. False if a signal came first. Inval: the clock's task is
// gone.
Result<bool> sleep_until(const clock_ref& clock, uint64_t deadline) {
    for (;;) {
        const uint64_t now = TRY(clock_now(clock));
        if (now >= deadline) return true;
        if (clock.cpu) return sleep_until_cpu(clock, deadline);
        set_current_state(TaskState::Interruptible);
        if (signal_pending(current())) {
            set_current_state(TaskState::Running);
            return false;
        }
        sleep_by_clock(clock, deadline - now);
    }
}

// The number under which restart_syscall finds the clock again: relative sleeps on CLOCK_REALTIME do not mind
// when that is set.
int steady_clock(int clock) {
    const bool real = static_cast<abi::ClockId>(clock) == abi::ClockId::Realtime ||
                      static_cast<abi::ClockId>(clock) == abi::ClockId::Tai;
    return real ? static_cast<int>(abi::ClockId::Monotonic) : clock;
}

// A signal came.
Result<long> tell_remaining(const clock_ref& clock, const restart_block& block) {
    const UserPtr<abi::Timespec> remaining(block.words[0]);
    if (!remaining) return Errno::RestartRestartBlock;
    const uint64_t now = TRY(clock_now(clock));
    // A timer that has not gone off is never shown as being over.
    const uint64_t least = clock.cpu ? 1 : 0;
    TRY(put_user(remaining, to_timespec(now < block.expires ? block.expires - now : least)));
    return Errno::RestartRestartBlock;
}

Result<long> nanosleep_restart(restart_block& block) {
    const clock_ref clock = TRY(find_clock(static_cast<int>(block.words[1])));
    if (TRY(sleep_until(clock, block.expires))) return 0;
    return tell_remaining(clock, block);
}

Result<long> sleep_relative(int clock, uint64_t ns, UserPtr<abi::Timespec> remaining) {
    const int steady = steady_clock(clock);
    const uint64_t now = TRY(clock_now(TRY(find_clock(steady))));
    restart_block& block = current()->restart;
    block.fn = nanosleep_restart;
    block.expires = ns < kNoTimeout - now ? now + ns : kNoTimeout;
    block.words[0] = remaining.raw();
    block.words[1] = static_cast<uint64_t>(steady);
    const clock_ref found = TRY(find_clock(steady));
    if (!found.cpu) return nanosleep_restart(block);
    // A timer of a CPU clock that is set to 0 is off: there is nothing to wait for.
    if (ns == 0) return 0;
    // What passes of a CPU clock in this very call is no sleep yet.
    if (TRY(sleep_until_cpu(found, block.expires))) return 0;
    return tell_remaining(found, block);
}

}  // namespace

Result<long> sys_nanosleep(UserPtr<const abi::Timespec> request, UserPtr<abi::Timespec> remaining) {
    const uint64_t ns = TRY(timespec_to_ns(TRY(get_user(request))));
    return sleep_relative(static_cast<int>(abi::ClockId::Monotonic), ns, remaining);
}

Result<long> sys_clock_nanosleep(int clock, int flags, UserPtr<const abi::Timespec> request,
                                 UserPtr<abi::Timespec> remaining) {
    if (counts_cpu_time(clock)) (void)TRY(timespec_to_ns(TRY(get_user(request))));
    const clock_ref found = TRY(find_clock(clock));
    // A thread cannot wait for its own CPU time to pass.
    const bool own_thread = found.cpu && found.of == CpuTimerOf::Thread;
    if (!has_timers(found) || (own_thread && clock >= 0)) return Errno::OpNotSupp;
    const uint64_t ns = TRY(timespec_to_ns(TRY(get_user(request))));
    if (own_thread && (found.nr == 0 || found.nr == task_pid_vnr(current()))) return Errno::Inval;
    if ((flags & abi::kTimerAbstime) == 0) return sleep_relative(clock, ns, remaining);
    if (!TRY(sleep_until(found, ns))) return Errno::RestartNoHand;
    return 0;
}

}  // namespace guest
