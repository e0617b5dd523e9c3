// Futexes: waiting for a word of user memory to change. A private one is known by address space and address,
// a shared one by the frame, so that it works across fork (row F9).
#pragma once

#include <stdint.h>

#include "guest/lib/address.hpp"
#include "guest/lib/result.hpp"

namespace guest {

struct task_struct;

inline constexpr uint64_t kFutexNoTimeout = ~uint64_t{0};

// When a wait ends without success, in ns of CLOCK_MONOTONIC or, if that is asked for, CLOCK_REALTIME.
struct FutexDeadline {
    uint64_t ns = kFutexNoTimeout;
    bool realtime = false;
    [[nodiscard]] bool is_set() const { return ns != kFutexNoTimeout; }
};

// Sleeps if *address still is `expected`. Again when it is not, TimedOut, RestartSys.
Result<long> futex_wait(UserPtr<uint32_t> address, bool shared, uint32_t expected, FutexDeadline deadline,
                        uint32_t bitset);
// Wakes up to `count` waiters of which bitset & theirs != 0: how many. Inval: they wait for a
// priority-inheriting lock.
Result<long> futex_wake(UserPtr<uint32_t> address, bool shared, int count, uint32_t bitset);
// Wakes up to `wake` and moves up to `requeue` others to wait at `target`: how many in all. With `expected`,
// only if *address is that.
Result<long> futex_requeue(UserPtr<uint32_t> address, bool shared, int wake, UserPtr<uint32_t> target,
                           int requeue, const uint32_t* expected);
// Changes *target, wakes up to `count` at address and, if what was at target passes a test, up to
// `target_count` there. `operation` tells change and test (FUTEX_OP of man 2 futex). NoSys: it names none.
Result<long> futex_wake_op(UserPtr<uint32_t> address, bool shared, int count, UserPtr<uint32_t> target,
                           int target_count, uint32_t operation);

// Waiting for any of several words: which one woke it.
struct FutexWord {
    UserPtr<uint32_t> address;
    uint32_t expected = 0;
    bool shared = false;
};
Result<long> futex_wait_multiple(const FutexWord* words, unsigned count, FutexDeadline deadline);

// Priority-inheriting locks: the word is the owner's thread id, and two bits. Lock: DeadLk, Srch (no such
// owner), Perm (a kernel thread), Inval (the word and those who wait do not fit), TimedOut.
enum class PiTry { No, Yes };
Result<long> futex_lock_pi(UserPtr<uint32_t> address, bool shared, FutexDeadline deadline, PiTry only_try);
// Perm: it is not the caller's.
Result<long> futex_unlock_pi(UserPtr<uint32_t> address, bool shared);
// Waits at address to be woken, and for the lock at target, in one. Again: woken without it.
Result<long> futex_wait_requeue_pi(UserPtr<uint32_t> address, bool shared, uint32_t expected,
                                   FutexDeadline deadline, UserPtr<uint32_t> target);
// Moves those that wait so from address to the lock at target; the first one gets it if it is free.
Result<long> futex_requeue_pi(UserPtr<uint32_t> address, bool shared, int wake, UserPtr<uint32_t> target,
                              int requeue, uint32_t expected);
// Locks that it holds pass to who waits for them.
void exit_pi_state_list(task_struct& task);
// Its real-time priority has changed: so does that of whoever keeps it waiting. Callable with tasklist_lock.
void futex_priority_changed(task_struct& task);

// At a thread's end: whoever waits for its id to be cleared, private or shared.
void futex_wake_address(UserPtr<int32_t> address, int count);

// A thread leaves its memory, by its end or by execve: the locks that it holds are marked as such
// (set_robust_list) or passed on.
enum class FutexState : uint8_t { Ok, Exiting, Dead };
void futex_exit_release(task_struct& task);
void futex_exec_release(task_struct& task);
// Returns when futex_exit_release or futex_exec_release, which task was in, is through.
void wait_for_futex_exit(const task_struct& task);

}  // namespace guest
