// Stands in for the kernel's spinlocks: one thread, so that a lock taken twice is a deadlock, and a count of
// held locks tells who sleeps with one.
#pragma once

#include <stdint.h>

#include "guest/lib/panic.hpp"

namespace guest {

inline int held_spinlocks = 0;

class spinlock_t {
public:
    constexpr spinlock_t() = default;
    spinlock_t(const spinlock_t&) = delete;
    spinlock_t& operator=(const spinlock_t&) = delete;
    [[nodiscard]] uint64_t lock_irqsave() {
        BUG_ON(held_);
        held_ = true;
        ++held_spinlocks;
        return 0;
    }
    void unlock_irqrestore(uint64_t) {
        held_ = false;
        --held_spinlocks;
    }
    [[nodiscard]] bool is_locked() const { return held_; }

private:
    bool held_ = false;
};

class spinlock_guard {
public:
    explicit spinlock_guard(spinlock_t& lock) : lock_(&lock), flags_(lock.lock_irqsave()) {}
    spinlock_guard(const spinlock_guard&) = delete;
    spinlock_guard& operator=(const spinlock_guard&) = delete;
    ~spinlock_guard() { unlock(); }
    void unlock() {
        if (lock_ == nullptr) return;
        lock_->unlock_irqrestore(flags_);
        lock_ = nullptr;
    }

private:
    spinlock_t* lock_;
    uint64_t flags_;
};

}  // namespace guest
