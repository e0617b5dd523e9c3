// What the two files about POSIX timers share. tasklist_lock and the process's siglock are held for all.
#pragma once

#include "guest/kernel/posix_timers.hpp"

namespace guest {

// True if it was running.
bool posix_timer_stop(k_itimer& timer);
// It was stopped. Srch: the task whose CPU time it counts is gone.
Result<> posix_timer_start(k_itimer& timer, TimerStart start, uint64_t value);
[[nodiscard]] timer_setting posix_timer_left(const k_itimer& timer);

}  // namespace guest
