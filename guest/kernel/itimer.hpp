// Interval timers (setitimer, alarm): three of each process.
#pragma once

#include <stdint.h>

#include "guest/lib/result.hpp"

namespace guest {

struct signal_struct;
struct task_struct;

// Nanoseconds.
struct itimer_value {
    uint64_t interval = 0;
    uint64_t value = 0;  // until the next signal; 0: off
};

// which: ITIMER_REAL, _VIRTUAL or _PROF of current's process. Inval.
Result<itimer_value> do_getitimer(int which);
// The old value.
Result<itimer_value> do_setitimer(int which, const itimer_value& wanted);
// The process ends.
void itimers_exit(signal_struct& signal);

}  // namespace guest
