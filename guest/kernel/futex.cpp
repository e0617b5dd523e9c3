// Futexes: keys, waiting and waking.
#include "guest/kernel/futex_core.hpp"

#include "guest/abi/process.hpp"
#include "guest/kernel/timer.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr uint64_t kNotSaidPrivate = 1;  // in FutexKey::offset, whose futexes are aligned
constexpr unsigned kHashBits = 6;

constinit Array<futex_bucket, 1u << kHashBits> buckets;

// The deadline by CLOCK_MONOTONIC, as long as nobody sets the other clock.
uint64_t monotonic_of(const FutexDeadline& deadline) {
    const uint64_t ahead = deadline.realtime ? ktime_get_real() - ktime_get() : 0;
    return deadline.ns > ahead ? deadline.ns - ahead : 0;
}

// The waiter is queued, and its bucket may change by a requeue.
Result<long> sleep_until_woken(futex_waiter& waiter, const FutexDeadline& deadline) {
    for (;;) {
        set_current_state(TaskState::Interruptible);
        if (waiter.woken) return 0;
        if (futex_expired(deadline)) return Errno::TimedOut;
        if (signal_pending(current())) return Errno::RestartSys;
        futex_schedule(deadline, "futex_wait_queue");
    }
}

}  // namespace

futex_bucket& bucket_of(const FutexKey& key) {
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
    // As Linux, which pins the page for writing unless it is a file's.
    if ((vma->vm_flags & (VM_SHARED | VM_WRITE)) == 0 && !vma->vm_file) return Errno::Fault;
    if ((vma->vm_flags & VM_SHARED) == 0) return FutexKey{mm, address.raw() | kNotSaidPrivate};
    return FutexKey{file_mapping_of(*vma),
                    (vma->pgoff_of(address) << kPageShift) + address.address().page_offset()};
}

Result<> fault_in_user_writeable(UserPtr<uint32_t> address) {
    put_page(TRY(get_user_page(*current()->mm, address, {.write = true})));
    return {};
}

bool futex_expired(const FutexDeadline& deadline) {
    return deadline.is_set() && monotonic_of(deadline) <= ktime_get();
}

void futex_schedule(const FutexDeadline& deadline, const char* where) {
    timer_list timer;
    timer.function = [](timer_list& due) { wake_up_process(static_cast<task_struct*>(due.data)); };
    timer.data = current();
    timer.follows_realtime = deadline.realtime;
    timer.expires = monotonic_of(deadline);
    if (deadline.is_set()) add_timer(timer);
    schedule(where);
    del_timer(timer);
}

futex_waiter* futex_top_waiter(futex_bucket& bucket, const FutexKey& key) {
    for (futex_waiter& waiter : bucket.waiters) {
        if (waiter.key == key) return &waiter;
    }
    return nullptr;
}

void wake_waiter(futex_waiter& waiter) {
    waiter.node.unlink();
    waiter.woken = true;
    wake_up_process(waiter.task);
}

Result<int> wake_key(futex_bucket& bucket, const FutexKey& key, int count, uint32_t bitset) {
    int woken = 0;
    for (futex_waiter& waiter : bucket.waiters) {
        if (!(waiter.key == key)) continue;
        if (waiter.waits_for_lock()) return Errno::Inval;
        if ((waiter.bitset & bitset) == 0) continue;
        wake_waiter(waiter);
        if (++woken >= count) break;
    }
    return woken;
}

void queue_waiter(futex_waiter& waiter) {
    futex_bucket& bucket = bucket_of(waiter.key);
    const spinlock_guard guard(bucket.lock);
    bucket.waiters.push_back(waiter);
}

bool unqueue_waiter(futex_waiter& waiter) {
    // A requeue may have moved it: the lock must be that of the key which it has under that lock.
    for (;;) {
        const FutexKey key = waiter.key;
        const spinlock_guard guard(bucket_of(key).lock);
        if (!(waiter.key == key)) continue;
        waiter.node.unlink();
        return waiter.woken;
    }
}

Result<long> futex_wait(UserPtr<uint32_t> address, bool shared, uint32_t expected, FutexDeadline deadline,
                        uint32_t bitset) {
    if (bitset == 0) return Errno::Inval;
    futex_waiter waiter;
    waiter.key = TRY(get_futex_key(address, shared));
    waiter.bitset = bitset;
    waiter.task = current();
    queue_waiter(waiter);
    // Queued first, compared second: whoever changes the word and wakes in between finds us in the queue.
    Result<uint32_t> value = get_user(address);
    Result<long> outcome = !value                      ? Result<long>(value.error())
                           : value.value() != expected ? Result<long>(Errno::Again)
                                                       : sleep_until_woken(waiter, deadline);
    set_current_state(TaskState::Running);
    if (unqueue_waiter(waiter)) return 0;
    return outcome;
}

Result<long> futex_wake(UserPtr<uint32_t> address, bool shared, int count, uint32_t bitset) {
    if (bitset == 0) return Errno::Inval;
    const FutexKey key = TRY(get_futex_key(address, shared));
    futex_bucket& bucket = bucket_of(key);
    const spinlock_guard guard(bucket.lock);
    return TRY(wake_key(bucket, key, count, bitset));
}

Result<long> futex_requeue(UserPtr<uint32_t> address, bool shared, int wake, UserPtr<uint32_t> target,
                           int requeue, const uint32_t* expected) {
    if (wake < 0 || requeue < 0) return Errno::Inval;
    const FutexKey from = TRY(get_futex_key(address, shared));
    const FutexKey to = TRY(get_futex_key(target, shared));
    // Nobody else runs between this and the locks.
    if (expected != nullptr && TRY(get_user(address)) != *expected) return Errno::Again;
    futex_bucket& source = bucket_of(from);
    futex_bucket& sink = bucket_of(to);
    const TwoBuckets guard(source, sink);
    const int64_t limit = int64_t{wake} + requeue;
    int done = 0;
    IntrusiveList<futex_waiter, &futex_waiter::node> moved;
    for (futex_waiter& waiter : source.waiters) {
        if (done >= limit) break;
        if (!(waiter.key == from)) continue;
        if (waiter.waits_for_lock()) {
            sink.waiters.splice_back(moved);
            return Errno::Inval;
        }
        if (++done <= wake) {
            wake_waiter(waiter);
            continue;
        }
        waiter.node.unlink();
        waiter.key = to;
        moved.push_back(waiter);
    }
    sink.waiters.splice_back(moved);
    return done;
}

void futex_wake_address(UserPtr<int32_t> address, int count) {
    const UserPtr<uint32_t> word = address.cast<uint32_t>();
    (void)futex_wake(word, false, count, abi::kFutexBitsetMatchAny).ok();
    (void)futex_wake(word, true, count, abi::kFutexBitsetMatchAny).ok();
}

}  // namespace guest
