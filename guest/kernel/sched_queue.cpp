// The tasks that want the CPU.
#include "guest/kernel/sched_queue.hpp"

namespace guest {

namespace {
constexpr unsigned kBaseSlice = 5;  // ticks at nice 0
constexpr unsigned kRrSlice = 10;   // ticks: 100 ms, as Linux's
// SCHED_IDLE gets one turn in so many: whoever holds something in the kernel must come to let it go.
constexpr unsigned kIdleShare = 64;
}  // namespace

unsigned full_slice(const sched_entity& se) {
    if (se.policy == SCHED_RR) return kRrSlice;
    if (se.policy == SCHED_IDLE || se.policy == SCHED_FIFO) return 1;
    const auto slice = static_cast<unsigned>((20 - se.nice) * static_cast<int>(kBaseSlice) / 20);
    return slice > 0 ? slice : 1;
}

task_queue::list& task_queue::list_of(const sched_entity& se) {
    if (const unsigned priority = effective_rt_priority(se); priority != 0) return rt_[priority];
    return se.policy == SCHED_IDLE ? idle_ : normal_;
}

void task_queue::add(sched_entity& se, At at) {
    list& where = list_of(se);
    if (at == At::Head) {
        where.push_front(se);
    } else {
        where.push_back(se);
    }
    if (const unsigned priority = effective_rt_priority(se); priority != 0)
        rt_bits_[priority / 64] |= uint64_t{1} << priority % 64;
    se.on_rq = true;
    ++count_;
}

void task_queue::remove(sched_entity& se) {
    list& where = list_of(se);
    where.remove(se);
    const unsigned priority = effective_rt_priority(se);
    if (priority != 0 && where.empty()) rt_bits_[priority / 64] &= ~(uint64_t{1} << priority % 64);
    se.on_rq = false;
    --count_;
}

task_queue::list* task_queue::first_rt() {
    for (unsigned word = 2; word-- > 0;) {
        if (rt_bits_[word] == 0) continue;
        const auto bit = 63u - static_cast<unsigned>(__builtin_clzll(rt_bits_[word]));
        return &rt_[word * 64 + bit];
    }
    return nullptr;
}

task_queue::list* task_queue::first_other() {
    if (normal_.empty() && idle_.empty()) return nullptr;
    const bool starves = !idle_.empty() && passed_over_ >= kIdleShare;
    if (normal_.empty() || starves) {
        passed_over_ = 0;
        return &idle_;
    }
    if (!idle_.empty()) ++passed_over_;
    return &normal_;
}

sched_entity* task_queue::pick(bool throttled) {
    list* from = throttled && has_others() ? nullptr : first_rt();
    if (from == nullptr) from = first_other();
    if (from == nullptr) return nullptr;
    sched_entity* se = from->front();
    remove(*se);
    return se;
}

}  // namespace guest
