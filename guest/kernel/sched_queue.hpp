// The tasks that want the CPU: real-time ones by priority, then the others in turn, then those of SCHED_IDLE.
#pragma once

#include "guest/kernel/sched.hpp"

namespace guest {

// Scheduling policies (man 7 sched).
inline constexpr unsigned SCHED_NORMAL = 0, SCHED_FIFO = 1, SCHED_RR = 2, SCHED_BATCH = 3, SCHED_IDLE = 5;
inline constexpr unsigned kMaxRtPriority = 99;

[[nodiscard]] constexpr bool rt_policy(unsigned policy) { return policy == SCHED_FIFO || policy == SCHED_RR; }
// Its own or a lent one, whichever is higher; 0: it is not real-time.
[[nodiscard]] inline unsigned effective_rt_priority(const sched_entity& se) {
    return se.rt_priority > se.pi_priority ? se.rt_priority : se.pi_priority;
}
// Who stands above whom: real-time priorities, then 1, then 0 for SCHED_IDLE.
[[nodiscard]] inline unsigned sched_rank(const sched_entity& se) {
    if (const unsigned priority = effective_rt_priority(se); priority != 0) return 1 + priority;
    return se.policy == SCHED_IDLE ? 0 : 1;
}
// Ticks of a whole turn.
[[nodiscard]] unsigned full_slice(const sched_entity& se);

// Guarded by the run queue's lock.
class task_queue {
public:
    constexpr task_queue() = default;
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] unsigned count() const { return count_; }

    enum class At { Head, Tail };
    void add(sched_entity& se, At at);
    void remove(sched_entity& se);
    // Takes out who is next; null if nobody waits. While real-time tasks are throttled, others come first.
    sched_entity* pick(bool throttled);
    // Anybody but real-time tasks.
    [[nodiscard]] bool has_others() const { return !normal_.empty() || !idle_.empty(); }

private:
    using list = IntrusiveList<sched_entity, &sched_entity::run_list>;
    [[nodiscard]] list& list_of(const sched_entity& se);
    [[nodiscard]] list* first_rt();
    [[nodiscard]] list* first_other();

    list rt_[kMaxRtPriority + 1];
    uint64_t rt_bits_[2] = {};  // bit set: somebody has that priority
    list normal_;
    list idle_;
    unsigned count_ = 0;
    unsigned passed_over_ = 0;  // turns that others had since one of SCHED_IDLE
};

}  // namespace guest
