// adjtimex(2) and clock_adjtime(2). The clock follows the machine's counter exactly, and needs no discipline:
// what a time daemon says of it is kept and given back, and only steps move it.
#include "guest/abi/timex.hpp"
#include "guest/fs/timerfd.hpp"
#include "guest/kernel/capability.hpp"
#include "guest/kernel/clock.hpp"
#include "guest/kernel/ktime.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/spinlock.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

constexpr int64_t kTickUs = 1'000'000 / abi::kUserHz;
constexpr int64_t kNeverSynchronized = 16'000'000;  // us
constexpr int64_t kTolerance = 32'768'000;          // 500 ppm with 16 bits behind the point

constinit spinlock_t ntp_lock;
consteval abi::Timex never_synchronized() {
    abi::Timex state{};
    state.maxerror = state.esterror = kNeverSynchronized;
    state.status = abi::kStaUnsync;
    state.constant = 2;
    state.precision = 1;
    state.tolerance = kTolerance;
    state.tick = kTickUs;
    return state;
}
constinit abi::Timex ntp_state = never_synchronized();

// EINVAL, EPERM, as Linux's timekeeping_validate_timex.
Result<> check_timex(const abi::Timex& wanted) {
    const bool singleshot = (wanted.modes & abi::kAdjAdjTime) != 0;
    if (singleshot && (wanted.modes & abi::kAdjOffsetSingleshot) == 0) return Errno::Inval;
    const bool reads = wanted.modes == 0 || (singleshot && (wanted.modes & abi::kAdjOffsetReadOnly) != 0);
    if (!reads && !capable(kCapSysTime)) return Errno::Perm;
    if (singleshot) return {};
    const bool tick_fits = wanted.tick >= kTickUs * 9 / 10 && wanted.tick <= kTickUs * 11 / 10;
    if ((wanted.modes & abi::kAdjTick) != 0 && !tick_fits) return Errno::Inval;
    if ((wanted.modes & abi::kAdjSetOffset) != 0) {
        if (!capable(kCapSysTime)) return Errno::Perm;
        const int64_t limit = (wanted.modes & abi::kAdjNano) != 0 ? 1'000'000'000 : 1'000'000;
        if (wanted.time.microseconds < 0 || wanted.time.microseconds >= limit) return Errno::Inval;
    }
    return {};
}

int64_t clamped(int64_t value, int64_t most) { return value > most ? most : value < -most ? -most : value; }

// ntp_lock is held.
void keep(const abi::Timex& wanted) {
    abi::Timex& kept = ntp_state;
    if ((wanted.modes & abi::kAdjStatus) != 0)
        kept.status = (kept.status & abi::kStaReadOnly) | (wanted.status & ~abi::kStaReadOnly);
    if ((wanted.modes & abi::kAdjNano) != 0) kept.status |= abi::kStaNano;
    if ((wanted.modes & abi::kAdjMicro) != 0) kept.status &= ~abi::kStaNano;
    if ((wanted.modes & abi::kAdjFrequency) != 0) kept.freq = clamped(wanted.freq, kTolerance);
    if ((wanted.modes & abi::kAdjMaxError) != 0) kept.maxerror = wanted.maxerror;
    if ((wanted.modes & abi::kAdjEstError) != 0) kept.esterror = wanted.esterror;
    if ((wanted.modes & abi::kAdjTimeConst) != 0) kept.constant = wanted.constant;
    if ((wanted.modes & abi::kAdjTick) != 0) kept.tick = wanted.tick;
    if ((wanted.modes & abi::kAdjTai) != 0 && wanted.constant >= 0)
        kept.tai = static_cast<int32_t>(wanted.constant);
}

Result<> step_clock(const abi::Timex& wanted) {
    const int64_t unit = (wanted.modes & abi::kAdjNano) != 0 ? 1 : 1000;
    const int64_t by =
        wanted.time.seconds * static_cast<int64_t>(kNsInSecond) + wanted.time.microseconds * unit;
    const int64_t then = static_cast<int64_t>(ktime_get_real()) + by;
    if (then < static_cast<int64_t>(ktime_get())) return Errno::Inval;
    set_realtime(static_cast<uint64_t>(then));
    timerfd_clock_was_set();
    return {};
}

}  // namespace

Result<long> sys_adjtimex(UserPtr<abi::Timex> user) {
    abi::Timex wanted = TRY(get_user(user));
    TRY(check_timex(wanted));
    const bool singleshot = (wanted.modes & abi::kAdjAdjTime) != 0;
    if (!singleshot && (wanted.modes & abi::kAdjSetOffset) != 0) TRY(step_clock(wanted));
    abi::Timex out;
    {
        const spinlock_guard guard(ntp_lock);
        // An offset is made up for at once: there is never one left.
        if (!singleshot) keep(wanted);
        out = ntp_state;
    }
    out.modes = wanted.modes;
    const uint64_t now = ktime_get_real();
    const uint64_t unit = (out.status & abi::kStaNano) != 0 ? 1 : 1000;
    out.time = {static_cast<int64_t>(now / kNsInSecond), static_cast<int64_t>(now % kNsInSecond / unit)};
    TRY(put_user(user, out));
    return (out.status & (abi::kStaUnsync | abi::kStaClockErr)) != 0 ? abi::kTimeError : abi::kTimeOk;
}

Result<long> sys_clock_adjtime(int clock, UserPtr<abi::Timex> user) {
    (void)TRY(get_user(user));
    const clock_ref found = TRY(find_clock(clock));
    if (found.cpu || found.id != abi::ClockId::Realtime) return Errno::OpNotSupp;
    return sys_adjtimex(user);
}

}  // namespace guest
