// Time-outs of the calls that wait for files.
#pragma once

#include "guest/abi/file.hpp"
#include "guest/abi/process.hpp"
#include "guest/kernel/wait.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

inline constexpr uint64_t kNsPerSecond = 1'000'000'000;

// A length of time in ns; what is longer than 584 years is for ever.
[[nodiscard]] inline uint64_t to_ns(int64_t seconds, int64_t ns) {
    uint64_t total;
    if (__builtin_mul_overflow(static_cast<uint64_t>(seconds), kNsPerSecond, &total) ||
        __builtin_add_overflow(total, static_cast<uint64_t>(ns), &total)) {
        return kNoTimeout;
    }
    return total;
}

// Null: for ever. Inval, Fault.
inline Result<uint64_t> timeout_from(UserPtr<abi::Timespec> from) {
    if (!from) return uint64_t{kNoTimeout};
    const abi::Timespec time = TRY(get_user(from));
    if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec >= static_cast<int64_t>(kNsPerSecond))
        return Errno::Inval;
    return to_ns(time.tv_sec, time.tv_nsec);
}
inline Result<uint64_t> timeout_from(UserPtr<abi::Timeval> from) {
    if (!from) return uint64_t{kNoTimeout};
    const abi::Timeval time = TRY(get_user(from));
    if (time.seconds < 0 || time.microseconds < 0) return Errno::Inval;
    return to_ns(time.seconds + time.microseconds / 1'000'000, time.microseconds % 1'000'000 * 1000);
}

// Tells the caller what was left. A caller whose memory refuses it still gets the call's result, as on Linux.
inline void timeout_left(UserPtr<abi::Timespec> to, uint64_t ns) {
    if (!to || ns == kNoTimeout) return;
    const auto left = static_cast<int64_t>(ns);
    const auto second = static_cast<int64_t>(kNsPerSecond);
    (void)put_user(to, abi::Timespec{left / second, left % second});
}
inline void timeout_left(UserPtr<abi::Timeval> to, uint64_t ns) {
    if (!to || ns == kNoTimeout) return;
    const auto left = static_cast<int64_t>(ns);
    const auto second = static_cast<int64_t>(kNsPerSecond);
    (void)put_user(to, abi::Timeval{left / second, left % second / 1000});
}

}  // namespace guest
