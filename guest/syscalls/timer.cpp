// Interval timers and POSIX timers.
#include "guest/kernel/itimer.hpp"
#include "guest/kernel/ktime.hpp"
#include "guest/kernel/posix_timers.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

constexpr int64_t kUsInSecond = 1'000'000;

Result<uint64_t> timeval_to_ns(const abi::Timeval& time) {
    if (time.microseconds < 0 || time.microseconds >= kUsInSecond) return Errno::Inval;
    return timespec_to_ns({time.seconds, time.microseconds * 1000});
}

abi::Timeval to_timeval(uint64_t ns) {
    return {static_cast<int64_t>(ns / kNsInSecond), static_cast<int64_t>(ns % kNsInSecond / 1000)};
}

Result<> put_itimer(UserPtr<abi::Itimerval> out, const itimer_value& value) {
    return put_user(out, abi::Itimerval{to_timeval(value.interval), to_timeval(value.value)});
}

abi::Itimerspec to_itimerspec(const timer_setting& setting) {
    return {to_timespec(setting.interval), to_timespec(setting.value)};
}

}  // namespace

Result<long> sys_getitimer(int which, UserPtr<abi::Itimerval> out) {
    TRY(put_itimer(out, TRY(do_getitimer(which))));
    return 0;
}

Result<long> sys_setitimer(int which, UserPtr<const abi::Itimerval> in, UserPtr<abi::Itimerval> out) {
    abi::Itimerval given{};
    if (in) given = TRY(get_user(in));
    const itimer_value wanted{TRY(timeval_to_ns(given.interval)), TRY(timeval_to_ns(given.value))};
    const itimer_value old = TRY(do_setitimer(which, wanted));
    if (out) TRY(put_itimer(out, old));
    return 0;
}

Result<long> sys_alarm(uint32_t seconds) {
    constexpr uint32_t kMost = 0x7fffffff;
    if (seconds > kMost) seconds = kMost;
    const itimer_value old =
        TRY(do_setitimer(static_cast<int>(abi::Itimer::Real), {0, seconds * kNsInSecond}));
    // To the nearest second, but an alarm that is set never shows 0.
    const uint64_t rounded = (old.value + kNsInSecond / 2) / kNsInSecond;
    return static_cast<long>(rounded == 0 && old.value > 0 ? 1 : rounded);
}

Result<long> sys_timer_create(int clock, UserPtr<const abi::Sigevent> event, UserPtr<int32_t> id) {
    abi::Sigevent given{};
    if (event) given = TRY(get_user(event));
    int wanted = -1;
    if (current()->signal->restores_timer_ids) {
        wanted = TRY(get_user(id));
        if (wanted < 0) return Errno::Inval;
    }
    const int made = TRY(do_timer_create(clock, event ? &given : nullptr, wanted));
    if (Result<> told = put_user(id, made); !told) {
        (void)do_timer_delete(made).ok();
        return told.error();
    }
    return 0;
}

Result<long> sys_timer_settime(int id, int flags, UserPtr<const abi::Itimerspec> in,
                               UserPtr<abi::Itimerspec> out) {
    if (!in) return Errno::Inval;
    const abi::Itimerspec given = TRY(get_user(in));
    const timer_setting wanted{TRY(timespec_to_ns(given.interval)), TRY(timespec_to_ns(given.value))};
    const bool absolute = (flags & abi::kTimerAbstime) != 0;
    const timer_setting old =
        TRY(do_timer_settime(id, absolute ? TimerStart::Absolute : TimerStart::Relative, wanted));
    if (out) TRY(put_user(out, to_itimerspec(old)));
    return 0;
}

Result<long> sys_timer_gettime(int id, UserPtr<abi::Itimerspec> out) {
    TRY(put_user(out, to_itimerspec(TRY(do_timer_gettime(id)))));
    return 0;
}

Result<long> sys_timer_getoverrun(int id) { return TRY(do_timer_getoverrun(id)); }

Result<long> sys_timer_delete(int id) {
    TRY(do_timer_delete(id));
    return 0;
}

}  // namespace guest
