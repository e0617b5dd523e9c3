// Clocks and sleeping.
#include "guest/kernel/exit.hpp"
#include "guest/kernel/ktime.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

Result<uint64_t> read_clock(int clock) {
    switch (static_cast<abi::ClockId>(clock)) {
        case abi::ClockId::Realtime:
        case abi::ClockId::RealtimeCoarse:
            return ktime_get_real();
        case abi::ClockId::Monotonic:
        case abi::ClockId::MonotonicRaw:
        case abi::ClockId::MonotonicCoarse:
        case abi::ClockId::Boottime:
            return ktime_get();
        case abi::ClockId::ProcessCpu: {
            abi::Rusage usage{};
            getrusage_self(*current(), usage);
            const auto seconds = static_cast<uint64_t>(usage.utime.seconds + usage.stime.seconds);
            const auto micro = static_cast<uint64_t>(usage.utime.microseconds + usage.stime.microseconds);
            return seconds * kNsInSecond + micro * 1000;
        }
        case abi::ClockId::ThreadCpu:
            return current()->utime + current()->stime;
    }
    return Errno::Inval;
}

// Sleeps until `deadline` (ns, CLOCK_MONOTONIC). False if a signal came first.
bool sleep_until(uint64_t deadline) {
    for (;;) {
        const uint64_t now = ktime_get();
        if (now >= deadline) return true;
        set_current_state(TaskState::Interruptible);
        if (signal_pending(current())) {
            set_current_state(TaskState::Running);
            return false;
        }
        schedule_timeout(deadline - now);
    }
}

Result<> put_remaining(UserPtr<abi::Timespec> out, uint64_t deadline) {
    if (!out) return {};
    const uint64_t now = ktime_get();
    return put_user(out, to_timespec(now < deadline ? deadline - now : 0));
}

Result<long> nanosleep_restart(restart_block& block) {
    const UserPtr<abi::Timespec> remaining(block.words[0]);
    if (sleep_until(block.expires)) return 0;
    TRY(put_remaining(remaining, block.expires));
    return Errno::RestartRestartBlock;
}

Result<long> sleep_relative(uint64_t ns, UserPtr<abi::Timespec> remaining) {
    const uint64_t now = ktime_get();
    restart_block& block = current()->restart;
    block.fn = nanosleep_restart;
    block.expires = ns < kNoTimeout - now ? now + ns : kNoTimeout;
    block.words[0] = remaining.raw();
    return nanosleep_restart(block);
}

}  // namespace

Result<long> sys_nanosleep(UserPtr<const abi::Timespec> request, UserPtr<abi::Timespec> remaining) {
    return sleep_relative(TRY(timespec_to_ns(TRY(get_user(request)))), remaining);
}

Result<long> sys_clock_nanosleep(int clock, int flags, UserPtr<const abi::Timespec> request,
                                 UserPtr<abi::Timespec> remaining) {
    const auto which = static_cast<abi::ClockId>(clock);
    const bool realtime = which == abi::ClockId::Realtime;
    if (!realtime && which != abi::ClockId::Monotonic && which != abi::ClockId::Boottime) return Errno::Inval;
    const uint64_t ns = TRY(timespec_to_ns(TRY(get_user(request))));
    if ((flags & abi::kTimerAbstime) == 0) return sleep_relative(ns, remaining);
    const uint64_t offset = realtime ? ktime_get_real() - ktime_get() : 0;
    if (!sleep_until(ns > offset ? ns - offset : 0)) return Errno::RestartNoHand;
    return 0;
}

Result<long> sys_clock_gettime(int clock, UserPtr<abi::Timespec> out) {
    TRY(put_user(out, to_timespec(TRY(read_clock(clock)))));
    return 0;
}

Result<long> sys_clock_getres(int clock, UserPtr<abi::Timespec> out) {
    TRY(read_clock(clock));
    const bool by_tick = static_cast<abi::ClockId>(clock) == abi::ClockId::RealtimeCoarse ||
                         static_cast<abi::ClockId>(clock) == abi::ClockId::MonotonicCoarse;
    if (out) TRY(put_user(out, to_timespec(by_tick ? kNsPerTick : 1)));
    return 0;
}

Result<long> sys_gettimeofday(UserPtr<abi::Timeval> out, VirtAddr zone) {
    if (out) {
        const uint64_t now = ktime_get_real();
        const abi::Timeval time{static_cast<int64_t>(now / kNsInSecond),
                                static_cast<int64_t>(now % kNsInSecond / 1000)};
        TRY(put_user(out, time));
    }
    // struct timezone: two 32-bit zeros, UTC without daylight saving time.
    if (!zone.is_null()) TRY(clear_user(zone, 8));
    return 0;
}

Result<long> sys_time(UserPtr<int64_t> out) {
    const auto now = static_cast<int64_t>(ktime_get_real() / kNsInSecond);
    if (out) TRY(put_user(out, now));
    return now;
}

Result<long> sys_times(UserPtr<abi::Tms> out) {
    if (out) {
        abi::Rusage self{};
        abi::Rusage children{};
        getrusage_self(*current(), self);
        getrusage_children(*current(), children);
        const auto ticks = [](const abi::Timeval& time) {
            return time.seconds * static_cast<int64_t>(kHz) +
                   time.microseconds * static_cast<int64_t>(kHz) / 1'000'000;
        };
        TRY(put_user(out, abi::Tms{ticks(self.utime), ticks(self.stime), ticks(children.utime),
                                   ticks(children.stime)}));
    }
    return static_cast<long>(ktime_get() / kNsPerTick);
}

}  // namespace guest
