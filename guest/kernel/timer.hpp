// Timers: a function called once, from the timer interrupt, when its time has come.
#pragma once

#include <stdint.h>

#include "guest/lib/list.hpp"

namespace guest {

struct timer_list {
    uint64_t expires = 0;                           // ns, CLOCK_MONOTONIC
    void (*function)(timer_list& timer) = nullptr;  // interrupts off; may add the timer again
    void* data = nullptr;
    bool follows_realtime = false;  // a point in CLOCK_REALTIME: `expires` moves when that is set
    list_head entry;
};

// Not pending before. Fires at `expires` or soon after.
void add_timer(timer_list& timer);
// True if it was pending. It does not run afterwards.
bool del_timer(timer_list& timer);
[[nodiscard]] inline bool timer_pending(const timer_list& timer) { return timer.entry.is_linked(); }

// From the timer interrupt.
void run_timers();
// When the first one is due: ns, CLOCK_MONOTONIC; all bits set if there is none.
[[nodiscard]] uint64_t next_timer();
// CLOCK_REALTIME went forward by that much, or back.
void timers_clock_was_set(int64_t forward_ns);

}  // namespace guest
