// Waiting for any of several futexes.
#include "guest/kernel/futex_core.hpp"

#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// The waiters of one call, all queued, or none.
class Waiters {
public:
    Waiters() = default;
    Waiters(const Waiters&) = delete;
    Waiters& operator=(const Waiters&) = delete;
    ~Waiters() {
        (void)unqueue();
        delete[] waiters_;
    }

    // NoMem, and what is wrong with an address.
    Result<> queue(const FutexWord* words, unsigned count) {
        waiters_ = new (nothrow) futex_waiter[count];
        if (waiters_ == nullptr) return Errno::NoMem;
        for (unsigned i = 0; i < count; ++i) {
            waiters_[i].key = TRY(get_futex_key(words[i].address, words[i].shared));
            waiters_[i].task = current();
        }
        for (; queued_ < count; ++queued_) queue_waiter(waiters_[queued_]);
        return {};
    }
    // The last one that was woken, -1 if none was.
    int unqueue() {
        int woken = -1;
        for (unsigned i = 0; i < queued_; ++i) {
            if (unqueue_waiter(waiters_[i])) woken = static_cast<int>(i);
        }
        queued_ = 0;
        return woken;
    }
    [[nodiscard]] bool any_woken() const {
        for (unsigned i = 0; i < queued_; ++i) {
            if (waiters_[i].woken) return true;
        }
        return false;
    }

private:
    futex_waiter* waiters_ = nullptr;
    unsigned queued_ = 0;
};

Result<> check_words(const FutexWord* words, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
        if (TRY(get_user(words[i].address)) != words[i].expected) return Errno::Again;
    }
    return {};
}

Result<> sleep_until_any(const Waiters& waiters, const FutexDeadline& deadline) {
    for (;;) {
        set_current_state(TaskState::Interruptible);
        if (waiters.any_woken()) return {};
        if (futex_expired(deadline)) return Errno::TimedOut;
        if (signal_pending(current())) return Errno::RestartSys;
        futex_schedule(deadline, "futex_wait_multiple");
    }
}

}  // namespace

Result<long> futex_wait_multiple(const FutexWord* words, unsigned count, FutexDeadline deadline) {
    Waiters waiters;
    TRY(waiters.queue(words, count));
    Result<> outcome = check_words(words, count);
    if (outcome.ok()) outcome = sleep_until_any(waiters, deadline);
    set_current_state(TaskState::Running);
    const int woken = waiters.unqueue();
    if (woken >= 0) return woken;
    return outcome.error();
}

}  // namespace guest
