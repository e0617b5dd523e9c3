// What the files about futexes share: keys, buckets and waiters.
//
// Locks, in this order: tasklist_lock, one bucket or two (TwoBuckets), pi_lock (futex_pi_state.hpp).
#pragma once

#include "guest/abi/process.hpp"
#include "guest/kernel/futex.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/array.hpp"

namespace guest {

// What a futex is known by. A shared one: its file (as mapping) and place in it; a private one: mm and
// address. One in private memory of which nobody said that it is private is a third kind: its offset is odd.
struct FutexKey {
    const void* object = nullptr;
    uint64_t offset = 0;
    bool operator==(const FutexKey&) const = default;
};
// Inval: not aligned. Fault.
Result<FutexKey> get_futex_key(UserPtr<uint32_t> address, bool shared);

struct futex_pi_state;

// On the stack of who waits (several of them for futex_waitv). Guarded by the lock of its key's bucket.
struct futex_waiter {
    FutexKey key;
    uint32_t bitset = abi::kFutexBitsetMatchAny;
    task_struct* task = nullptr;
    bool woken = false;  // has got what it waits for; only current has it now
    list_head node;      // in the bucket

    // Of priority-inheriting locks.
    futex_pi_state* pi_state = nullptr;     // whose lock it waits for
    list_head pi_node;                      // in pi_state->waiters
    const FutexKey* requeue_key = nullptr;  // FUTEX_WAIT_REQUEUE_PI: the lock that it is to be moved to

    [[nodiscard]] bool waits_for_lock() const { return pi_state != nullptr || requeue_key != nullptr; }
};

struct futex_bucket {
    spinlock_t lock;
    IntrusiveList<futex_waiter, &futex_waiter::node> waiters;
};
[[nodiscard]] futex_bucket& bucket_of(const FutexKey& key);

// Both buckets locked, in the order of their addresses; they may be one and the same.
class TwoBuckets {
public:
    TwoBuckets(futex_bucket& a, futex_bucket& b) : low_(&a < &b ? a : b), high_(&a < &b ? b : a) {
        flags_ = low_.lock.lock_irqsave();
        if (&low_ != &high_) high_flags_ = high_.lock.lock_irqsave();
    }
    TwoBuckets(const TwoBuckets&) = delete;
    TwoBuckets& operator=(const TwoBuckets&) = delete;
    ~TwoBuckets() {
        if (&low_ != &high_) high_.lock.unlock_irqrestore(high_flags_);
        low_.lock.unlock_irqrestore(flags_);
    }

private:
    futex_bucket& low_;
    futex_bucket& high_;
    uint64_t flags_ = 0;
    uint64_t high_flags_ = 0;
};

// The first one that waits for key, or null. The bucket is locked, here and below.
[[nodiscard]] futex_waiter* futex_top_waiter(futex_bucket& bucket, const FutexKey& key);
// Takes it out of the bucket and wakes its task.
void wake_waiter(futex_waiter& waiter);
// As Linux: up to `count`, but one at least. Inval: who waits there waits for a priority-inheriting lock.
Result<int> wake_key(futex_bucket& bucket, const FutexKey& key, int count, uint32_t bitset);

// Queues it by its key.
void queue_waiter(futex_waiter& waiter);
// Takes it out of the bucket that it is in by now. True if it had been woken.
bool unqueue_waiter(futex_waiter& waiter);
[[nodiscard]] bool futex_expired(const FutexDeadline& deadline);
// Sleeps once, at most until the deadline, in the state that was set before.
void futex_schedule(const FutexDeadline& deadline, const char* where = __builtin_FUNCTION());

// Brings the page of a word in, writable: after an access with a lock held that gave Fault. Fault.
Result<> fault_in_user_writeable(UserPtr<uint32_t> address);

}  // namespace guest
