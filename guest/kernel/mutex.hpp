// Locks that sleep. Never take one in an interrupt or with a spinlock held.
#pragma once

#include "guest/kernel/wait.hpp"

namespace guest {

class mutex {
public:
    constexpr mutex() = default;
    // where: as for schedule().
    void lock(const char* where = __builtin_FUNCTION());
    [[nodiscard]] bool try_lock();
    void unlock();
    [[nodiscard]] bool is_locked() const { return owner_ != nullptr; }

private:
    spinlock_t owner_lock_;
    task_struct* owner_ = nullptr;  // guarded by owner_lock_
    wait_queue_head waiters_;
};

class mutex_guard {
public:
    explicit mutex_guard(mutex& lock, const char* where = __builtin_FUNCTION()) : mutex_(&lock) {
        lock.lock(where);
    }
    mutex_guard(const mutex_guard&) = delete;
    mutex_guard& operator=(const mutex_guard&) = delete;
    ~mutex_guard() { unlock(); }
    void unlock() {
        if (mutex_ != nullptr) mutex_->unlock();
        mutex_ = nullptr;
    }

private:
    mutex* mutex_;
};

// Many readers or one writer. A reader may not take it again: a writer could wait in between.
class rw_semaphore {
public:
    constexpr rw_semaphore() = default;
    void down_read(const char* where = __builtin_FUNCTION());
    void up_read();
    void down_write(const char* where = __builtin_FUNCTION());
    void up_write();
    [[nodiscard]] bool is_write_locked() const { return readers_ < 0; }

private:
    [[nodiscard]] bool try_read();
    [[nodiscard]] bool try_write();

    spinlock_t count_lock_;
    int readers_ = 0;  // -1 with a writer; both guarded by count_lock_
    int writers_waiting_ = 0;
    wait_queue_head waiters_;
};

class read_guard {
public:
    explicit read_guard(rw_semaphore& semaphore, const char* where = __builtin_FUNCTION())
        : semaphore_(semaphore) {
        semaphore_.down_read(where);
    }
    read_guard(const read_guard&) = delete;
    read_guard& operator=(const read_guard&) = delete;
    ~read_guard() { semaphore_.up_read(); }

private:
    rw_semaphore& semaphore_;
};

class write_guard {
public:
    explicit write_guard(rw_semaphore& semaphore, const char* where = __builtin_FUNCTION())
        : semaphore_(semaphore) {
        semaphore_.down_write(where);
    }
    write_guard(const write_guard&) = delete;
    write_guard& operator=(const write_guard&) = delete;
    ~write_guard() { semaphore_.up_write(); }

private:
    rw_semaphore& semaphore_;
};

}  // namespace guest
