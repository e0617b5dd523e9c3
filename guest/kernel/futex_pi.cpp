// Locking and unlocking priority-inheriting futexes. The lock is handed over by who unlocks it: whoever is
// woken has it.
#include "guest/kernel/futex_pi_state.hpp"

#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// Whether the word and the kernel's idea of the owner fit.
Result<> check_owner(const futex_pi_state& state, uint32_t value) {
    const uint32_t tid = value & kFutexTidMask;
    if (state.owner == nullptr) return {};  // the heir is about to put itself there
    if (tid == 0 && (value & kFutexOwnerDied) != 0) return {};
    if (tid != static_cast<uint32_t>(task_pid_vnr(state.owner))) return Errno::Inval;
    return {};
}

// The task of that id, which may be made the owner of a new state.
Result<task_struct*> find_owner(PiAttempt& attempt, uint32_t tid) {
    task_struct* owner = find_task_by_vpid(static_cast<pid_nr_t>(tid));
    if (owner == nullptr) return Errno::Srch;
    if (owner->is_kthread()) return Errno::Perm;
    // A private word cannot be locked from another address space.
    const mm_struct* mm = current()->mm.get();
    const bool own_memory = attempt.key.object == mm && (attempt.key.offset & 1) == 0;
    if (own_memory && owner->mm && owner->mm.get() != mm) return Errno::Perm;
    if (owner->futex_state == FutexState::Dead) return Errno::Srch;
    if (owner->futex_state == FutexState::Exiting) {
        get_task_struct(owner);
        attempt.exiting.reset(owner);
        return Errno::Busy;
    }
    return owner;
}

// Waits for the state's owner, unless the caller will not or may not.
Result<PiOutcome> wait_for_owner(const PiAttempt& attempt, futex_pi_state& state, futex_waiter& waiter) {
    if (attempt.only_try) return PiOutcome::Held;
    if (pi_would_deadlock(state.owner, *waiter.task)) return Errno::DeadLk;
    pi_enqueue(state, waiter);
    return PiOutcome::Queued;
}

// waiter's task owns the lock. The bucket and pi_lock are held.
void grant(futex_waiter& waiter) {
    futex_pi_state& state = *waiter.pi_state;
    waiter.node.unlink();
    if (state.waiters.front() != state.waiters.back()) pi_set_owner(state, waiter.task);
    pi_dequeue(waiter);
    waiter.woken = true;
}

}  // namespace

Result<PiOutcome> futex_lock_pi_atomic(PiAttempt& attempt, futex_waiter& waiter) {
    const uint32_t value = TRY(get_user(attempt.word));
    const auto mine = static_cast<uint32_t>(task_pid_vnr(waiter.task));
    const uint32_t tid = value & kFutexTidMask;
    if (tid == mine) return Errno::DeadLk;
    if (const futex_waiter* top = futex_top_waiter(bucket_of(attempt.key), attempt.key)) {
        if (top->pi_state == nullptr) return Errno::Inval;
        TRY(check_owner(*top->pi_state, value));
        return wait_for_owner(attempt, *top->pi_state, waiter);
    }
    if (tid == 0) {
        const uint32_t others = attempt.set_waiters ? kFutexWaiters : 0;
        TRY(put_user(attempt.word, (value & kFutexOwnerDied) | mine | others));
        return PiOutcome::Acquired;
    }
    // From now on the owner unlocks by the kernel.
    TRY(put_user(attempt.word, value | kFutexWaiters));
    task_struct* owner = TRY(find_owner(attempt, tid));
    if (attempt.only_try) return PiOutcome::Held;
    if (pi_would_deadlock(owner, *waiter.task)) return Errno::DeadLk;
    futex_pi_state& state = *attempt.fresh.leak();
    state.key = attempt.key;
    pi_set_owner(state, owner);
    pi_enqueue(state, waiter);
    return PiOutcome::Queued;
}

Result<> pi_before_retry(PiAttempt& attempt, Errno error) {
    if (error == Errno::Fault) return fault_in_user_writeable(attempt.word);
    if (error != Errno::Busy) return error;
    const TaskRef owner = std::move(attempt.exiting);
    wait_for_futex_exit(*owner);
    return {};
}

namespace {

// The owner died: current, its heir, takes the lock and says in the word that it may be damaged. Fault.
Result<> inherit(futex_waiter& waiter, UserPtr<uint32_t> word) {
    for (;;) {
        {
            futex_bucket& bucket = bucket_of(waiter.key);
            const PiLocks guard(bucket, bucket);
            if (!pi_is_heir(waiter)) return {};
            const auto mine = static_cast<uint32_t>(task_pid_vnr(current()));
            if (put_user(word, mine | kFutexWaiters | kFutexOwnerDied)) {
                grant(waiter);
                return {};
            }
        }
        TRY(fault_in_user_writeable(word));
    }
}

bool is_heir(const futex_waiter& waiter) {
    const spinlock_guard guard(pi_lock);
    return pi_is_heir(waiter);
}

// Until it has the lock. RestartNoIntr, TimedOut, Fault.
Result<> sleep_until_owner(futex_waiter& waiter, UserPtr<uint32_t> word, const FutexDeadline& deadline) {
    for (;;) {
        set_current_state(TaskState::Interruptible);
        if (waiter.woken) return {};
        if (is_heir(waiter)) {
            set_current_state(TaskState::Running);
            TRY(inherit(waiter, word));
            continue;
        }
        if (futex_expired(deadline)) return Errno::TimedOut;
        if (signal_pending(current())) return Errno::RestartNoIntr;
        futex_schedule(deadline, "futex_lock_pi");
    }
}

// Waits no more. True if it got the lock before. `requeued`: it had come to wait for a lock.
bool leave(futex_waiter& waiter, bool& requeued) {
    set_current_state(TaskState::Running);
    for (;;) {
        const FutexKey key = waiter.key;
        futex_bucket& bucket = bucket_of(key);
        const PiLocks guard(bucket, bucket);
        if (!(waiter.key == key)) continue;
        waiter.node.unlink();
        futex_pi_state* state = waiter.pi_state;
        requeued = state != nullptr;
        if (state == nullptr) return waiter.woken;
        const bool alone = state->waiters.front() == state->waiters.back();
        pi_dequeue(waiter);
        // There may be a new heir.
        if (!alone && state->owner == nullptr) wake_up_process(pi_best_waiter(*state)->task);
        return waiter.woken;
    }
}

Result<PiOutcome> attempt_to_lock(PiAttempt& attempt, futex_waiter& waiter) {
    futex_bucket& bucket = bucket_of(attempt.key);
    const PiLocks guard(bucket, bucket);
    const PiOutcome outcome = TRY(futex_lock_pi_atomic(attempt, waiter));
    if (outcome == PiOutcome::Queued) bucket.waiters.push_back(waiter);
    return outcome;
}

}  // namespace

Result<long> futex_lock_pi(UserPtr<uint32_t> address, bool shared, FutexDeadline deadline, PiTry only_try) {
    PiAttempt attempt;
    attempt.fresh = TRY(make_owned<futex_pi_state>());
    attempt.word = address;
    attempt.key = TRY(get_futex_key(address, shared));
    attempt.only_try = only_try == PiTry::Yes;
    futex_waiter waiter;
    waiter.key = attempt.key;
    waiter.task = current();
    for (;;) {
        Result<PiOutcome> outcome = attempt_to_lock(attempt, waiter);
        if (!outcome) {
            TRY(pi_before_retry(attempt, outcome.error()));
            continue;
        }
        if (outcome.value() == PiOutcome::Acquired) return 0;
        if (outcome.value() == PiOutcome::Held) return Errno::Again;
        break;
    }
    const Result<> slept = sleep_until_owner(waiter, address, deadline);
    bool requeued = false;
    if (leave(waiter, requeued)) return 0;
    return slept.error();
}

namespace {

// With PiLocks held; the word says that the lock is current's. Fault.
Result<> unlock_atomic(UserPtr<uint32_t> word, futex_bucket& bucket, const FutexKey& key) {
    const uint32_t value = TRY(get_user(word));
    if ((value & kFutexTidMask) != static_cast<uint32_t>(task_pid_vnr(current()))) return Errno::Perm;
    const futex_waiter* top = futex_top_waiter(bucket, key);
    if (top == nullptr) return put_user(word, uint32_t{0});
    if (top->pi_state == nullptr || top->pi_state->owner != current()) return Errno::Inval;
    futex_waiter& next = *pi_best_waiter(*top->pi_state);
    TRY(put_user(word, kFutexWaiters | static_cast<uint32_t>(task_pid_vnr(next.task))));
    grant(next);
    wake_up_process(next.task);
    return {};
}

}  // namespace

Result<long> futex_unlock_pi(UserPtr<uint32_t> address, bool shared) {
    const uint32_t value = TRY(get_user(address));
    if ((value & kFutexTidMask) != static_cast<uint32_t>(task_pid_vnr(current()))) return Errno::Perm;
    const FutexKey key = TRY(get_futex_key(address, shared));
    futex_bucket& bucket = bucket_of(key);
    for (;;) {
        {
            const PiLocks guard(bucket, bucket);
            const Result<> unlocked = unlock_atomic(address, bucket, key);
            if (unlocked.ok()) return 0;
            if (unlocked.error() != Errno::Fault) return unlocked.error();
        }
        TRY(fault_in_user_writeable(address));
    }
}

Result<long> futex_wait_requeue_pi(UserPtr<uint32_t> address, bool shared, uint32_t expected,
                                   FutexDeadline deadline, UserPtr<uint32_t> target) {
    if (address.raw() == target.raw()) return Errno::Inval;
    const FutexKey lock = TRY(get_futex_key(target, shared));
    futex_waiter waiter;
    waiter.key = TRY(get_futex_key(address, shared));
    waiter.task = current();
    waiter.requeue_key = &lock;
    queue_waiter(waiter);
    Result<uint32_t> value = get_user(address);
    Result<> slept;
    if (!value) {
        slept = value.error();
    } else if (value.value() != expected) {
        slept = Errno::Again;
    } else if (waiter.key == lock) {
        slept = Errno::Inval;
    } else {
        slept = sleep_until_owner(waiter, target, deadline);
    }
    bool requeued = false;
    if (leave(waiter, requeued)) return 0;
    // Made again, the call would find another value.
    if (requeued && slept.error() == Errno::RestartNoIntr) return Errno::Again;
    return slept.error();
}

}  // namespace guest
