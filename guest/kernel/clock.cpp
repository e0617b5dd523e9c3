// Clocks by their number.
#include "guest/kernel/clock.hpp"

#include "guest/kernel/ktime.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

// A CPU clock's number is negative: the pid inverted, a bit that tells threads from processes, the kind
// (Linux's include/linux/posix-timers.h, "clockid_t").
constexpr int kPerThread = 4, kWhichMask = 3, kPidShift = 3;

Result<clock_ref> find_cpu_clock(int clock) {
    const int which = clock & kWhichMask;
    if (which > static_cast<int>(CpuClock::Sched)) return Errno::Inval;
    clock_ref found;
    found.cpu = true;
    found.which = static_cast<CpuClock>(which);
    found.of = (clock & kPerThread) != 0 ? CpuTimerOf::Thread : CpuTimerOf::Process;
    found.nr = ~(clock >> kPidShift);
    return found;
}

}  // namespace

Result<clock_ref> find_clock(int clock) {
    if (clock < 0) {
        const clock_ref found = TRY(find_cpu_clock(clock));
        const spinlock_guard guard(tasklist_lock);
        TRY(clock_task(found));
        return found;
    }
    clock_ref found;
    found.id = static_cast<abi::ClockId>(clock);
    switch (found.id) {
        case abi::ClockId::ProcessCpu:
        case abi::ClockId::ThreadCpu:
            found.cpu = true;
            found.of = found.id == abi::ClockId::ThreadCpu ? CpuTimerOf::Thread : CpuTimerOf::Process;
            return found;
        case abi::ClockId::Realtime:
        case abi::ClockId::Monotonic:
        case abi::ClockId::MonotonicRaw:
        case abi::ClockId::RealtimeCoarse:
        case abi::ClockId::MonotonicCoarse:
        case abi::ClockId::Boottime:
        case abi::ClockId::RealtimeAlarm:
        case abi::ClockId::BoottimeAlarm:
        case abi::ClockId::Tai:
            return found;
    }
    return Errno::Inval;
}

Result<task_struct*> clock_task(const clock_ref& clock) {
    if (clock.nr == 0) return current();
    task_struct* task = find_task_by_vpid(clock.nr);
    if (task == nullptr) return Errno::Inval;
    const bool fits =
        clock.of == CpuTimerOf::Thread ? same_thread_group(task, current()) : thread_group_leader(task);
    if (!fits) return Errno::Inval;
    return task;
}

bool is_alarm(const clock_ref& clock) {
    return !clock.cpu && (clock.id == abi::ClockId::RealtimeAlarm || clock.id == abi::ClockId::BoottimeAlarm);
}

Result<uint64_t> clock_now(const clock_ref& clock) {
    if (is_alarm(clock)) return Errno::Inval;
    if (!clock.cpu) return is_realtime(clock) ? ktime_get_real() : ktime_get();
    const spinlock_guard guard(tasklist_lock);
    const task_struct& task = *TRY(clock_task(clock));
    const task_cputime used =
        clock.of == CpuTimerOf::Thread ? thread_cputime(task) : thread_group_cputime(task);
    return cpu_clock_sample(used, clock.which);
}

bool is_realtime(const clock_ref& clock) {
    if (clock.cpu) return false;
    return clock.id == abi::ClockId::Realtime || clock.id == abi::ClockId::RealtimeCoarse ||
           clock.id == abi::ClockId::RealtimeAlarm || clock.id == abi::ClockId::Tai;
}

bool has_timers(const clock_ref& clock) {
    if (clock.cpu) return true;
    return clock.id == abi::ClockId::Realtime || clock.id == abi::ClockId::Monotonic ||
           clock.id == abi::ClockId::Boottime || clock.id == abi::ClockId::Tai;
}

}  // namespace guest
