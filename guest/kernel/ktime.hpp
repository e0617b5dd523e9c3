// Times of programs and of the kernel, which counts in nanoseconds.
#pragma once

#include <stdint.h>

#include "guest/abi/file.hpp"
#include "guest/kernel/wait.hpp"
#include "guest/lib/result.hpp"

namespace guest {

inline constexpr uint64_t kNsInSecond = 1'000'000'000;

[[nodiscard]] constexpr abi::Timespec to_timespec(uint64_t ns) {
    return {static_cast<int64_t>(ns / kNsInSecond), static_cast<int64_t>(ns % kNsInSecond)};
}

// Inval for what is no time. What is longer than 584 years is cut to just below kNoTimeout.
inline Result<uint64_t> timespec_to_ns(const abi::Timespec& time) {
    if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec >= static_cast<int64_t>(kNsInSecond))
        return Errno::Inval;
    const auto seconds = static_cast<uint64_t>(time.tv_sec);
    if (seconds >= kNoTimeout / kNsInSecond - 1) return kNoTimeout - 1;
    return seconds * kNsInSecond + static_cast<uint64_t>(time.tv_nsec);
}

// `times` intervals after `from`, or never: a program may choose intervals that go past the end of all time.
[[nodiscard]] constexpr uint64_t after_intervals(uint64_t from, uint64_t interval, uint64_t times) {
    return times <= (kNoTimeout - from) / interval ? from + times * interval : kNoTimeout;
}

}  // namespace guest
