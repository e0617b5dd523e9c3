// Futexes.
#include "guest/kernel/futex.hpp"

#include "guest/abi/process.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/array.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// What a futex is known by. A shared one: its file (as mapping) and place in it; a private one: mm and
// address. One in private memory of which nobody said that it is private is a third kind: its offset is odd.
struct FutexKey {
    const void* object = nullptr;
    uint64_t offset = 0;
    bool operator==(const FutexKey&) const = default;
};

// On the stack of a waiter.
struct Waiter {
    FutexKey key;
    uint32_t bitset = 0;
    task_struct* task = nullptr;
    bool woken = false;
    list_head node;
};

constexpr uint64_t kNotSaidPrivate = 1;  // in FutexKey::offset, whose futexes are aligned
constexpr unsigned kHashBits = 6;

struct Bucket {
    spinlock_t lock;
    IntrusiveList<Waiter, &Waiter::node> waiters;
};
constinit Array<Bucket, 1u << kHashBits> buckets;

Bucket& bucket_of(const FutexKey& key) {
    const uint64_t mixed = (reinterpret_cast<uint64_t>(key.object) ^ key.offset) * 0x9e3779b97f4a7c15u;
    return buckets[mixed >> (64 - kHashBits)];
}

Result<FutexKey> get_futex_key(UserPtr<uint32_t> address, bool shared) {
    if (!address.address().is_aligned(sizeof(uint32_t))) return Errno::Inval;
    if (!access_ok(address, sizeof(uint32_t))) return Errno::Fault;
    mm_struct* mm = current()->mm.get();
    if (!shared) return FutexKey{mm, address.raw()};
    const read_guard guard(mm->mmap_sem);
    const vm_area_struct* vma = find_vma(*mm, address);
    if (vma == nullptr || !vma->contains(address)) return Errno::Fault;
    if ((vma->vm_flags & VM_SHARED) == 0) return FutexKey{mm, address.raw() | kNotSaidPrivate};
    return FutexKey{file_mapping_of(*vma),
                    (vma->pgoff_of(address) << kPageShift) + address.address().page_offset()};
}

// The bucket is locked.
void wake_waiter(Waiter& waiter) {
    waiter.node.unlink();
    waiter.woken = true;
    wake_up_process(waiter.task);
}

int wake_key(const FutexKey& key, int count, uint32_t bitset) {
    Bucket& bucket = bucket_of(key);
    const spinlock_guard guard(bucket.lock);
    int woken = 0;
    for (Waiter& waiter : bucket.waiters) {
        if (woken >= count) break;
        if (!(waiter.key == key) || (waiter.bitset & bitset) == 0) continue;
        wake_waiter(waiter);
        ++woken;
    }
    return woken;
}

// Both buckets locked, in the order of their addresses; they may be one and the same.
class TwoBuckets {
public:
    TwoBuckets(Bucket& a, Bucket& b) : low_(&a < &b ? a : b), high_(&a < &b ? b : a) {
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
    Bucket& low_;
    Bucket& high_;
    uint64_t flags_ = 0;
    uint64_t high_flags_ = 0;
};

int move_waiters(const FutexKey& from, const FutexKey& to, int limit) {
    if (from == to) return 0;
    Bucket& source = bucket_of(from);
    Bucket& sink = bucket_of(to);
    const TwoBuckets guard(source, sink);
    int moved = 0;
    for (Waiter& waiter : source.waiters) {
        if (moved >= limit) break;
        if (!(waiter.key == from)) continue;
        waiter.node.unlink();
        waiter.key = to;
        sink.waiters.push_back(waiter);
        ++moved;
    }
    return moved;
}

// Sleeps until woken, a signal, or the deadline. The waiter is queued, and its bucket may change by a
// requeue.
Result<long> sleep_until_woken(Waiter& waiter, uint64_t deadline) {
    for (;;) {
        set_current_state(TaskState::Interruptible);
        if (waiter.woken) return 0;
        if (signal_pending(current())) return Errno::RestartSys;
        if (deadline == kFutexNoTimeout) {
            schedule();
            continue;
        }
        const uint64_t now = ktime_get();
        if (now >= deadline) return Errno::TimedOut;
        schedule_timeout(deadline - now);
    }
}

}  // namespace

Result<long> futex_wait(UserPtr<uint32_t> address, bool shared, uint32_t expected, uint64_t deadline,
                        uint32_t bitset) {
    if (bitset == 0) return Errno::Inval;
    Waiter waiter;
    waiter.key = TRY(get_futex_key(address, shared));
    waiter.bitset = bitset;
    waiter.task = current();
    {
        Bucket& bucket = bucket_of(waiter.key);
        const spinlock_guard guard(bucket.lock);
        bucket.waiters.push_back(waiter);
    }
    // Queued first, compared second: whoever changes the word and wakes in between finds us in the queue.
    Result<uint32_t> value = get_user(address);
    Result<long> outcome = !value                      ? Result<long>(value.error())
                           : value.value() != expected ? Result<long>(Errno::Again)
                                                       : sleep_until_woken(waiter, deadline);
    set_current_state(TaskState::Running);
    // A requeue may have moved it: the lock must be that of the key which it has under that lock.
    for (;;) {
        const FutexKey key = waiter.key;
        const spinlock_guard guard(bucket_of(key).lock);
        if (!(waiter.key == key)) continue;
        waiter.node.unlink();
        break;
    }
    if (waiter.woken) return 0;
    return outcome;
}

Result<long> futex_wake(UserPtr<uint32_t> address, bool shared, int count, uint32_t bitset) {
    if (bitset == 0) return Errno::Inval;
    const FutexKey key = TRY(get_futex_key(address, shared));
    return wake_key(key, count, bitset);
}

Result<long> futex_requeue(UserPtr<uint32_t> address, bool shared, int wake, UserPtr<uint32_t> target,
                           int requeue, const uint32_t* expected) {
    if (wake < 0 || requeue < 0) return Errno::Inval;
    const FutexKey from = TRY(get_futex_key(address, shared));
    const FutexKey to = TRY(get_futex_key(target, shared));
    if (expected != nullptr && TRY(get_user(address)) != *expected) return Errno::Again;
    const int woken = wake_key(from, wake, abi::kFutexBitsetMatchAny);
    return woken + move_waiters(from, to, requeue);
}

void futex_wake_address(UserPtr<int32_t> address, int count) {
    const UserPtr<uint32_t> word = address.cast<uint32_t>();
    (void)futex_wake(word, false, count, abi::kFutexBitsetMatchAny).ok();
    (void)futex_wake(word, true, count, abi::kFutexBitsetMatchAny).ok();
}

}  // namespace guest
