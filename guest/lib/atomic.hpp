// Atomic<T>: a word that several CPUs, or a task and an interrupt, change. Sequentially consistent unless it
// says otherwise.
#pragma once

namespace guest {

template <typename T>
class Atomic {
public:
    constexpr Atomic() = default;
    constexpr explicit Atomic(T value) : value_(value) {}
    Atomic(const Atomic&) = delete;
    Atomic& operator=(const Atomic&) = delete;

    [[nodiscard]] T load() const {
        T value;
        __atomic_load(&value_, &value, __ATOMIC_SEQ_CST);
        return value;
    }
    void store(T value) { __atomic_store(&value_, &value, __ATOMIC_SEQ_CST); }
    T exchange(T value) {
        T before;
        __atomic_exchange(&value_, &value, &before, __ATOMIC_SEQ_CST);
        return before;
    }
    // True if the value was `expected` and is now `desired`; otherwise expected holds what was found.
    bool compare_exchange(T& expected, T desired) {
        return __atomic_compare_exchange(&value_, &expected, &desired, false, __ATOMIC_SEQ_CST,
                                         __ATOMIC_SEQ_CST);
    }
    // Each returns the value before.
    T fetch_add(T by) { return __atomic_fetch_add(&value_, by, __ATOMIC_SEQ_CST); }
    T fetch_sub(T by) { return __atomic_fetch_sub(&value_, by, __ATOMIC_SEQ_CST); }
    T fetch_or(T bits) { return __atomic_fetch_or(&value_, bits, __ATOMIC_SEQ_CST); }
    T fetch_and(T bits) { return __atomic_fetch_and(&value_, bits, __ATOMIC_SEQ_CST); }

private:
    T value_{};
};

}  // namespace guest
