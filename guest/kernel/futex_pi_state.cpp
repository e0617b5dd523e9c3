// Owners and waiters of priority-inheriting locks, and the priority that they lend.
#include "guest/kernel/futex_pi_state.hpp"

#include "guest/kernel/sched_core.hpp"
#include "guest/kernel/sched_queue.hpp"

namespace guest {

DEFINE_KMEM_CACHE(futex_pi_state)

constinit spinlock_t pi_lock;

namespace {

constexpr unsigned kMaxLockDepth = 1024;  // as Linux: longer chains count as a ring

// Whom a task waits for, or null.
task_struct* blocker_of(const task_struct& task) {
    return task.pi_blocked_on != nullptr ? task.pi_blocked_on->pi_state->owner : nullptr;
}

// The best priority of all that wait for a lock of task's; 0: none is real-time.
unsigned lent_priority(task_struct& task) {
    unsigned best = 0;
    list_head& owned = task.pi_state_list;
    for (list_head* node = owned.next; node != &owned; node = node->next) {
        const auto* state = list_entry<futex_pi_state, &futex_pi_state::list>(node);
        for (const futex_waiter& waiter : state->waiters) {
            const unsigned priority = effective_rt_priority(waiter.task->se);
            if (priority > best) best = priority;
        }
    }
    return best;
}

// From task on along the chain of those that wait for each other, as far as something changes.
void adjust_chain(task_struct* task) {
    for (unsigned depth = 0; task != nullptr && depth < kMaxLockDepth; ++depth) {
        const unsigned lent = lent_priority(*task);
        if (task->se.pi_priority == lent) return;
        set_pi_priority(*task, lent);
        task = blocker_of(*task);
    }
}

}  // namespace

futex_waiter* pi_best_waiter(const futex_pi_state& state) {
    futex_waiter* best = nullptr;
    for (futex_waiter& waiter : state.waiters) {
        if (best == nullptr ||
            effective_rt_priority(waiter.task->se) > effective_rt_priority(best->task->se)) {
            best = &waiter;
        }
    }
    return best;
}

bool pi_would_deadlock(const task_struct* owner, const task_struct& task) {
    for (unsigned depth = 0; owner != nullptr; owner = blocker_of(*owner), ++depth) {
        if (owner == &task || depth == kMaxLockDepth) return true;
    }
    return false;
}

void pi_set_owner(futex_pi_state& state, task_struct* owner) {
    task_struct* old = state.owner;
    state.list.unlink();
    state.owner = owner;
    if (owner != nullptr) list_add_tail(state.list, owner->pi_state_list);
    adjust_chain(old);
    adjust_chain(owner);
}

void pi_enqueue(futex_pi_state& state, futex_waiter& waiter) {
    waiter.pi_state = &state;
    state.waiters.push_back(waiter);
    waiter.task->pi_blocked_on = &waiter;
    adjust_chain(state.owner);
}

void pi_dequeue(futex_waiter& waiter) {
    futex_pi_state* state = waiter.pi_state;
    waiter.pi_node.unlink();
    waiter.pi_state = nullptr;
    waiter.task->pi_blocked_on = nullptr;
    const bool last = state->waiters.empty();
    if (last) state->list.unlink();
    adjust_chain(state->owner);
    if (last) delete state;
}

bool pi_is_heir(const futex_waiter& waiter) {
    return waiter.pi_state != nullptr && waiter.pi_state->owner == nullptr &&
           pi_best_waiter(*waiter.pi_state) == &waiter;
}

void futex_priority_changed(task_struct& task) {
    const spinlock_guard guard(pi_lock);
    adjust_chain(blocker_of(task));
}

void exit_pi_state_list(task_struct& task) {
    const spinlock_guard guard(pi_lock);
    while (!list_empty(task.pi_state_list)) {
        auto* state = list_entry<futex_pi_state, &futex_pi_state::list>(task.pi_state_list.next);
        pi_set_owner(*state, nullptr);
        // It may know the word by another address: it writes there itself.
        wake_up_process(pi_best_waiter(*state)->task);
    }
}

}  // namespace guest
