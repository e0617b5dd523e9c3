// Clocks.
#include "guest/fs/timerfd.hpp"
#include "guest/kernel/clock.hpp"
#include "guest/kernel/exit.hpp"
#include "guest/kernel/ktime.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

Result<long> sys_clock_gettime(int clock, UserPtr<abi::Timespec> out) {
    TRY(put_user(out, to_timespec(TRY(clock_now(TRY(find_clock(clock)))))));
    return 0;
}

Result<long> sys_clock_getres(int clock, UserPtr<abi::Timespec> out) {
    const clock_ref found = TRY(find_clock(clock));
    if (is_alarm(found)) return Errno::Inval;
    const bool by_tick =
        found.cpu ? found.which != CpuClock::Sched
                  : found.id == abi::ClockId::RealtimeCoarse || found.id == abi::ClockId::MonotonicCoarse;
    if (out) TRY(put_user(out, to_timespec(by_tick ? kNsPerTick : 1)));
    return 0;
}

namespace {

// Inval before 1970 and before the machine was started.
Result<long> do_settimeofday(const abi::Timespec& time) {
    const uint64_t ns = TRY(timespec_to_ns(time));
    if (!capable(kCapSysTime)) return Errno::Perm;
    if (ns < ktime_get()) return Errno::Inval;
    set_realtime(ns);
    timerfd_clock_was_set();
    return 0;
}

}  // namespace

Result<long> sys_clock_settime(int clock, UserPtr<const abi::Timespec> in) {
    if (clock < 0) (void)TRY(get_user(in));
    const clock_ref found = TRY(find_clock(clock));
    if (found.cpu && clock < 0) return Errno::Perm;
    if (found.cpu || found.id != abi::ClockId::Realtime) return Errno::Inval;
    return do_settimeofday(TRY(get_user(in)));
}

Result<long> sys_settimeofday(UserPtr<const abi::Timeval> in, VirtAddr zone) {
    abi::Timeval time{};
    if (in) {
        time = TRY(get_user(in));
        if (time.microseconds < 0 || time.microseconds >= 1'000'000) return Errno::Inval;
    }
    // The time zone is kept nowhere, but who may not set it hears so.
    uint64_t zone_words = 0;
    if (!zone.is_null()) TRY(copy_from_user(&zone_words, zone, sizeof(zone_words)));
    if (in) return do_settimeofday({time.seconds, time.microseconds * 1000});
    if (!capable(kCapSysTime)) return Errno::Perm;
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
