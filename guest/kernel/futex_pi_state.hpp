// The kernel's side of a priority-inheriting lock: who owns it, who waits. There is one while somebody waits.
// Its owner runs at the best real-time priority of those that it keeps waiting.
#pragma once

#include "guest/kernel/futex_core.hpp"

namespace guest {

struct futex_pi_state {
    KMEM_CACHED()
    FutexKey key;
    task_struct* owner = nullptr;  // null: it died, and the best waiter is about to take its place
    list_head list;                // in owner->pi_state_list
    IntrusiveList<futex_waiter, &futex_waiter::pi_node> waiters;  // in the order of their coming
};

// Guards all pi states, task_struct::pi_state_list, pi_blocked_on and futex_state, and is held for all below.
extern spinlock_t pi_lock;

// Of the highest priority, the first of its equals.
[[nodiscard]] futex_waiter* pi_best_waiter(const futex_pi_state& state);
// Whether `owner` waits, by whatever way round, for something that `task` owns.
[[nodiscard]] bool pi_would_deadlock(const task_struct* owner, const task_struct& task);
// The lock, and the priority that comes with it, pass to owner.
void pi_set_owner(futex_pi_state& state, task_struct* owner);
void pi_enqueue(futex_pi_state& state, futex_waiter& waiter);
// It waits no more. The state goes with its last waiter.
void pi_dequeue(futex_waiter& waiter);
// Whether waiter is next for a lock without an owner.
[[nodiscard]] bool pi_is_heir(const futex_waiter& waiter);

// All locks that an operation on one or two keys needs.
class PiLocks {
public:
    PiLocks(futex_bucket& a, futex_bucket& b) : tasklist_(tasklist_lock), buckets_(a, b), pi_(pi_lock) {}

private:
    spinlock_guard tasklist_;
    TwoBuckets buckets_;
    spinlock_guard pi_;
};

// The word: the owner's thread id and these.
inline constexpr uint32_t kFutexWaiters = 0x80000000, kFutexOwnerDied = 0x40000000,
                          kFutexTidMask = 0x3fffffff;

// One try to get the lock for waiter.task, with PiLocks held.
enum class PiOutcome { Acquired, Queued, Held };
struct PiAttempt {
    UserPtr<uint32_t> word;
    FutexKey key;
    OwnPtr<futex_pi_state> fresh;  // for the first who waits
    bool set_waiters = false;      // the word is to say that others wait, though it was free
    bool only_try = false;         // Held instead of Queued
    TaskRef exiting;               // after Busy
};
// Of whom Queued is told belongs into the bucket of the lock. Fault: the word's page is not there. Busy: its
// owner is just ending. DeadLk, Srch, Perm, Inval.
Result<PiOutcome> futex_lock_pi_atomic(PiAttempt& attempt, futex_waiter& waiter);
// What is to be done about Fault and Busy before the next attempt; any other error is final.
Result<> pi_before_retry(PiAttempt& attempt, Errno error);

}  // namespace guest
