// Spinlocks. Taking one keeps interrupts off on this CPU and forbids to sleep until it is given back, so
// that a lock may be shared with interrupt handlers. Use the guards.
#pragma once

#include <stdint.h>

#include "guest/arch/irqflags.hpp"
#include "guest/arch/percpu.hpp"
#include "guest/lib/atomic.hpp"
#include "guest/lib/panic.hpp"

namespace guest {

class spinlock_t {
public:
    constexpr spinlock_t() = default;
    spinlock_t(const spinlock_t&) = delete;
    spinlock_t& operator=(const spinlock_t&) = delete;

    // Returns the flags for unlock_irqrestore().
    [[nodiscard]] uint64_t lock_irqsave() {
        const uint64_t flags = local_irq_save();
        PerCpu& cpu = this_cpu();
        ++cpu.preempt_count;
        const uint32_t me = cpu.cpu + 1;
        for (uint32_t found = 0; !owner_.compare_exchange(found, me); found = 0) {
            // Held by this CPU already: it would wait for itself for ever.
            BUG_ON(found == me);
            asm volatile("pause");
        }
        return flags;
    }
    void unlock_irqrestore(uint64_t flags) {
        owner_.store(0);
        --this_cpu().preempt_count;
        local_irq_restore(flags);
    }
    [[nodiscard]] bool is_locked() const { return owner_.load() != 0; }

private:
    Atomic<uint32_t> owner_{0};  // CPU number + 1, 0 when free
};

class spinlock_guard {
public:
    explicit spinlock_guard(spinlock_t& lock) : lock_(&lock), flags_(lock.lock_irqsave()) {}
    spinlock_guard(const spinlock_guard&) = delete;
    spinlock_guard& operator=(const spinlock_guard&) = delete;
    ~spinlock_guard() { unlock(); }

    // Earlier than the end of the scope.
    void unlock() {
        if (lock_ == nullptr) return;
        spinlock_t* lock = lock_;
        lock_ = nullptr;
        lock->unlock_irqrestore(flags_);
    }

private:
    spinlock_t* lock_;
    uint64_t flags_;
};

}  // namespace guest
