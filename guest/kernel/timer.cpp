// Timers, in a list by time. There are few at once: sleepers, alarms.
#include "guest/kernel/timer.hpp"

#include "guest/kernel/sched.hpp"
#include "guest/lib/spinlock.hpp"

namespace guest {

namespace {
constinit spinlock_t timer_lock;
constinit IntrusiveList<timer_list, &timer_list::entry> timers;
}  // namespace

void add_timer(timer_list& timer) {
    const spinlock_guard guard(timer_lock);
    for (timer_list* other = timers.back(); other != nullptr; other = timers.prev(*other)) {
        if (other->expires <= timer.expires) {
            timers.insert_after(*other, timer);
            return;
        }
    }
    timers.push_front(timer);
}

bool del_timer(timer_list& timer) {
    const spinlock_guard guard(timer_lock);
    if (!timer_pending(timer)) return false;
    timer.entry.unlink();
    return true;
}

void run_timers() {
    const uint64_t now = ktime_get();
    for (;;) {
        timer_list* due = nullptr;
        {
            const spinlock_guard guard(timer_lock);
            due = timers.front();
            if (due == nullptr || due->expires > now) return;
            due->entry.unlink();
        }
        due->function(*due);
    }
}

}  // namespace guest
