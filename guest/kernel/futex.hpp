// Futexes: waiting for a word of user memory to change. A private one is known by address space and address,
// a shared one by the frame, so that it works across fork (row F9).
#pragma once

#include <stdint.h>

#include "guest/lib/address.hpp"
#include "guest/lib/result.hpp"

namespace guest {

struct task_struct;

inline constexpr uint64_t kFutexNoTimeout = ~uint64_t{0};

// Sleeps if *address still is `expected`. deadline: ns of CLOCK_MONOTONIC, or kFutexNoTimeout. Again when it
// is not, TimedOut, RestartSys.
Result<long> futex_wait(UserPtr<uint32_t> address, bool shared, uint32_t expected, uint64_t deadline,
                        uint32_t bitset);
// Wakes up to `count` waiters of which bitset & theirs != 0: how many.
Result<long> futex_wake(UserPtr<uint32_t> address, bool shared, int count, uint32_t bitset);
// Wakes up to `wake` and moves up to `requeue` others to wait at `target`. With `expected`, only if *address
// is that.
Result<long> futex_requeue(UserPtr<uint32_t> address, bool shared, int wake, UserPtr<uint32_t> target,
                           int requeue, const uint32_t* expected);
// At a thread's end: whoever waits for its id to be cleared, private or shared.
void futex_wake_address(UserPtr<int32_t> address, int count);
// Locks that a dying thread holds are marked as such (set_robust_list).
void exit_robust_list(task_struct& task);

}  // namespace guest
