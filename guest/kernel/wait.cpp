// Wait queues, completions and the locks that sleep.
#include "guest/kernel/wait.hpp"

#include "guest/kernel/mutex.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

bool default_wake_function(wait_queue_entry& entry, uint32_t) {
    const bool woken = wake_up_process(entry.task);
    if (woken && entry.autoremove) entry.node.unlink();
    return woken;
}

void add_wait_queue(wait_queue_head& queue, wait_queue_entry& entry) {
    const spinlock_guard guard(queue.lock);
    if (entry.exclusive) {
        queue.entries.push_back(entry);
    } else {
        queue.entries.push_front(entry);
    }
}

void remove_wait_queue(wait_queue_head& queue, wait_queue_entry& entry) {
    const spinlock_guard guard(queue.lock);
    entry.node.unlink();
}

void prepare_to_wait(wait_queue_head& queue, wait_queue_entry& entry, TaskState state) {
    const spinlock_guard guard(queue.lock);
    if (entry.task == nullptr) {
        entry.task = current();
        entry.func = default_wake_function;
        entry.autoremove = true;
    }
    if (!entry.node.is_linked()) {
        if (entry.exclusive) {
            queue.entries.push_back(entry);
        } else {
            queue.entries.push_front(entry);
        }
    }
    set_current_state(state);
}

void finish_wait(wait_queue_head& queue, wait_queue_entry& entry) {
    set_current_state(TaskState::Running);
    remove_wait_queue(queue, entry);
}

void wake_up(wait_queue_head& queue, int exclusive, uint32_t key) {
    const spinlock_guard guard(queue.lock);
    for (wait_queue_entry& entry : queue.entries) {
        const bool is_exclusive = entry.exclusive;  // the entry may be gone after the call
        const bool woken = entry.func(entry, key);
        if (woken && is_exclusive && --exclusive == 0) return;
    }
}

void wake_up_all(wait_queue_head& queue) { wake_up(queue, 0); }

bool signal_pending_state(TaskState state) {
    const auto bits = static_cast<uint32_t>(state);
    if ((bits & static_cast<uint32_t>(TaskState::Interruptible)) != 0) return signal_pending(current());
    return state == TaskState::Killable && fatal_signal_pending(current());
}

namespace {

template <typename Ready>
void wait_uninterruptible(wait_queue_head& queue, Ready&& ready, const char* where) {
    (void)wait_event_timeout_state(queue, TaskState::Uninterruptible, kNoTimeout, ready, where);
}

}  // namespace

void complete(completion& what) {
    const spinlock_guard guard(what.wait.lock);
    what.done = true;
    // The waiter may take `what` off its stack as soon as it runs, which is after this.
    for (wait_queue_entry& entry : what.wait.entries) entry.func(entry, 0);
}

void wait_for_completion(completion& what, const char* where) {
    wait_uninterruptible(
        what.wait, [&] { return what.done; }, where);
}

Result<void> wait_for_completion_killable(completion& what, const char* where) {
    TRY(wait_event_timeout_state(
        what.wait, TaskState::Killable, kNoTimeout, [&] { return what.done; }, where));
    return {};
}

void mutex::lock(const char* where) {
    BUG_ON(preempt_count() != 0);
    wait_uninterruptible(
        waiters_, [&] { return try_lock(); }, where);
}

bool mutex::try_lock() {
    const spinlock_guard guard(owner_lock_);
    if (owner_ != nullptr) return false;
    owner_ = current();
    return true;
}

void mutex::unlock() {
    {
        const spinlock_guard guard(owner_lock_);
        BUG_ON(owner_ != current());
        owner_ = nullptr;
    }
    wake_up(waiters_);
}

bool rw_semaphore::try_read() {
    const spinlock_guard guard(count_lock_);
    if (readers_ < 0 || writers_waiting_ > 0) return false;
    ++readers_;
    return true;
}

bool rw_semaphore::try_write() {
    const spinlock_guard guard(count_lock_);
    if (readers_ != 0) return false;
    readers_ = -1;
    return true;
}

void rw_semaphore::down_read(const char* where) {
    BUG_ON(preempt_count() != 0);
    wait_uninterruptible(
        waiters_, [&] { return try_read(); }, where);
}

void rw_semaphore::up_read() {
    {
        const spinlock_guard guard(count_lock_);
        BUG_ON(readers_ <= 0);
        --readers_;
    }
    wake_up_all(waiters_);
}

void rw_semaphore::down_write(const char* where) {
    BUG_ON(preempt_count() != 0);
    {
        const spinlock_guard guard(count_lock_);
        ++writers_waiting_;
    }
    wait_uninterruptible(
        waiters_, [&] { return try_write(); }, where);
    const spinlock_guard guard(count_lock_);
    --writers_waiting_;
}

void rw_semaphore::up_write() {
    {
        const spinlock_guard guard(count_lock_);
        BUG_ON(readers_ != -1);
        readers_ = 0;
    }
    wake_up_all(waiters_);
}

}  // namespace guest
