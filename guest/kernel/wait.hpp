// Waiting for something: wait queues, completions and the wait_event macros.
//
//   wait_queue_head readers;
//   TRY(wait_event_interruptible(readers, pipe.has_data()));   // sleeps until woken and the condition holds
//   wake_up(readers);                                          // also from an interrupt
#pragma once

#include <stdint.h>

#include "guest/lib/errno.hpp"
#include "guest/lib/list.hpp"
#include "guest/lib/result.hpp"
#include "guest/lib/spinlock.hpp"

namespace guest {

struct task_struct;

// task_struct::state, with Linux's values and letters (R S D T t Z X).
enum class TaskState : uint32_t {
    Running = 0,
    Interruptible = 1,
    Uninterruptible = 2,
    Stopped = 4,
    Traced = 8,
    Zombie = 16,
    Dead = 32,
    Killable = 128 | 2  // uninterruptible but for fatal signals
};

struct wait_queue_entry;
using wait_func = bool (*)(wait_queue_entry& entry, uint32_t key);

// On the stack of a task that waits. `func` is called with the queue locked, interrupts off; true counts as a
// task woken. key: what the waker says has happened, in poll's bits; 0: anything.
struct wait_queue_entry {
    task_struct* task = nullptr;
    wait_func func = nullptr;
    bool exclusive = false;
    bool autoremove = false;
    list_head node;
};

struct wait_queue_head {
    spinlock_t lock;
    IntrusiveList<wait_queue_entry, &wait_queue_entry::node> entries;
    constexpr wait_queue_head() = default;
};

// The usual func: wakes entry.task (and takes the entry off the queue if it is autoremove).
bool default_wake_function(wait_queue_entry& entry, uint32_t key);

void add_wait_queue(wait_queue_head& queue, wait_queue_entry& entry);
void remove_wait_queue(wait_queue_head& queue, wait_queue_entry& entry);
// Queues current (if it is not yet queued) and sets its state; then test the condition, then schedule().
void prepare_to_wait(wait_queue_head& queue, wait_queue_entry& entry, TaskState state);
void finish_wait(wait_queue_head& queue, wait_queue_entry& entry);

// Wakes all that wait non-exclusively and `exclusive` of the others. Callable from interrupts.
void wake_up(wait_queue_head& queue, int exclusive = 1, uint32_t key = 0);
void wake_up_all(wait_queue_head& queue);
// As wake_up, with what has happened to the file whose queue it is: who waits for something else in an epoll
// does not hear of it. Whoever sleeps in the queue itself is woken all the same.
inline void wake_up_poll(wait_queue_head& queue, uint32_t events) { wake_up(queue, 1, events); }

// Gives the CPU away. In state Running the task stays runnable; otherwise it sleeps until it is woken.
// `where` is what /proc/<pid>/wchan shows meanwhile: the name of the function that waits.
void schedule(const char* where = __builtin_FUNCTION());
// As schedule(), for at most `ns` nanoseconds (rounded up to the next tick); returns what was left, 0 after a
// time-out.
uint64_t schedule_timeout(uint64_t ns, const char* where = __builtin_FUNCTION());
inline constexpr uint64_t kNoTimeout = ~uint64_t{0};

[[nodiscard]] bool signal_pending(const task_struct* task);
[[nodiscard]] bool fatal_signal_pending(const task_struct* task);

// Whether the sleep of `state` must end because of a signal that is pending for current.
[[nodiscard]] bool signal_pending_state(TaskState state);

// Sleeps in `state` until `ready()` is true or ns have passed. RestartSys if a signal came first; otherwise
// the time that is left: 0 means that it ran out with ready() still false.
template <typename Ready>
Result<uint64_t> wait_event_timeout_state(wait_queue_head& queue, TaskState state, uint64_t ns, Ready&& ready,
                                          const char* where = __builtin_FUNCTION()) {
    if (ready()) return ns > 0 ? ns : 1;
    wait_queue_entry entry;
    Result<uint64_t> outcome = [&]() -> Result<uint64_t> {
        for (;;) {
            prepare_to_wait(queue, entry, state);
            if (ready()) return ns > 0 ? ns : 1;
            if (ns == 0) return uint64_t{0};
            if (signal_pending_state(state)) return Errno::RestartSys;
            if (ns == kNoTimeout) {
                schedule(where);
            } else {
                ns = schedule_timeout(ns, where);
            }
        }
    }();
    finish_wait(queue, entry);
    return outcome;
}

}  // namespace guest

#define wait_event(queue, condition)                                                       \
    ((void)::guest::wait_event_timeout_state((queue), ::guest::TaskState::Uninterruptible, \
                                             ::guest::kNoTimeout, [&] { return bool(condition); }))
// Result<uint64_t>: RestartSys when a signal ended the wait.
#define wait_event_interruptible(queue, condition)                                                     \
    ::guest::wait_event_timeout_state((queue), ::guest::TaskState::Interruptible, ::guest::kNoTimeout, \
                                      [&] { return bool(condition); })
#define wait_event_killable(queue, condition)                                                     \
    ::guest::wait_event_timeout_state((queue), ::guest::TaskState::Killable, ::guest::kNoTimeout, \
                                      [&] { return bool(condition); })
// ns: nanoseconds; the result is the time left, 0 when it ran out.
#define wait_event_interruptible_timeout(queue, condition, ns)                          \
    ::guest::wait_event_timeout_state((queue), ::guest::TaskState::Interruptible, (ns), \
                                      [&] { return bool(condition); })

namespace guest {

// Something that happens once: vfork's child is done, a thread has started.
struct completion {
    bool done = false;
    wait_queue_head wait;
};
void complete(completion& what);
void wait_for_completion(completion& what, const char* where = __builtin_FUNCTION());
// RestartSys if a fatal signal came first.
Result<void> wait_for_completion_killable(completion& what, const char* where = __builtin_FUNCTION());

}  // namespace guest
