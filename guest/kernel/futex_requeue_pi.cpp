// FUTEX_CMP_REQUEUE_PI: those that wait for a condition come to wait for its lock, without waking for it.
#include "guest/kernel/futex_pi_state.hpp"

#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// One and `others` of those that wait at from: how many were moved, or have got the lock.
Result<int> move_to_lock(PiAttempt& attempt, const FutexKey& from, int others) {
    futex_bucket& source = bucket_of(from);
    futex_bucket& sink = bucket_of(attempt.key);
    const PiLocks guard(source, sink);
    int done = 0;
    for (futex_waiter& waiter : source.waiters) {
        if (done > others) break;
        if (!(waiter.key == from)) continue;
        if (waiter.requeue_key == nullptr || !(*waiter.requeue_key == attempt.key)) return Errno::Inval;
        const PiOutcome outcome = TRY(futex_lock_pi_atomic(attempt, waiter));
        waiter.node.unlink();
        if (outcome == PiOutcome::Acquired) {
            waiter.woken = true;
            wake_up_process(waiter.task);
        } else {
            waiter.key = attempt.key;
            sink.waiters.push_back(waiter);
        }
        ++done;
    }
    return done;
}

}  // namespace

Result<long> futex_requeue_pi(UserPtr<uint32_t> address, bool shared, int wake, UserPtr<uint32_t> target,
                              int requeue, uint32_t expected) {
    // One that is woken for nothing would have to wait for the lock again.
    if (wake != 1 || requeue < 0 || address.raw() == target.raw()) return Errno::Inval;
    PiAttempt attempt;
    attempt.fresh = TRY(make_owned<futex_pi_state>());
    const FutexKey from = TRY(get_futex_key(address, shared));
    attempt.word = target;
    attempt.key = TRY(get_futex_key(target, shared));
    attempt.set_waiters = requeue > 0;
    if (from == attempt.key) return Errno::Inval;
    for (;;) {
        // Nobody else runs between this and the locks.
        if (TRY(get_user(address)) != expected) return Errno::Again;
        Result<int> done = move_to_lock(attempt, from, requeue);
        if (done.ok()) return done.value();
        TRY(pi_before_retry(attempt, done.error()));
    }
}

}  // namespace guest
