// Timers, in a list by time. There are few at once: sleepers, alarms.
#include "guest/kernel/timer.hpp"

#include "guest/arch/clock_event.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/spinlock.hpp"

namespace guest {

namespace {
constinit spinlock_t timer_lock;
constinit IntrusiveList<timer_list, &timer_list::entry> timers;

// timer_lock is held.
void insert(timer_list& timer) {
    for (timer_list* other = timers.back(); other != nullptr; other = timers.prev(*other)) {
        if (other->expires <= timer.expires) {
            timers.insert_after(*other, timer);
            return;
        }
    }
    timers.push_front(timer);
}

}  // namespace

void add_timer(timer_list& timer) {
    const spinlock_guard guard(timer_lock);
    insert(timer);
    if (timers.front() == &timer) clock_event_at(timer.expires);
}

uint64_t next_timer() {
    const spinlock_guard guard(timer_lock);
    const timer_list* first = timers.front();
    return first != nullptr ? first->expires : ~uint64_t{0};
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

void timers_clock_was_set(int64_t forward_ns) {
    const spinlock_guard guard(timer_lock);
    IntrusiveList<timer_list, &timer_list::entry> moved;
    for (timer_list& timer : timers) {
        if (!timer.follows_realtime) continue;
        timer.entry.unlink();
        moved.push_back(timer);
    }
    while (timer_list* timer = moved.pop_front()) {
        const auto by = static_cast<uint64_t>(forward_ns < 0 ? -forward_ns : forward_ns);
        if (forward_ns < 0) {
            timer->expires = timer->expires < ~uint64_t{0} - by ? timer->expires + by : ~uint64_t{0};
        } else {
            timer->expires = timer->expires > by ? timer->expires - by : 0;
        }
        insert(*timer);
    }
    if (const timer_list* first = timers.front()) clock_event_at(first->expires);
}

uint64_t schedule_timeout(uint64_t ns, const char* where) {
    const uint64_t start = ktime_get();
    timer_list timer;
    timer.expires = ns > kNoTimeout - start ? kNoTimeout : start + ns;
    timer.data = current();
    timer.function = [](timer_list& due) { wake_up_process(static_cast<task_struct*>(due.data)); };
    add_timer(timer);
    schedule(where);
    del_timer(timer);
    const uint64_t passed = ktime_get() - start;
    return passed < ns ? ns - passed : 0;
}

}  // namespace guest
