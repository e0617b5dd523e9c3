// What the memory management did since boot, for /proc/vmstat.
#pragma once

#include <stdint.h>

namespace guest {

struct vm_event_state {
    uint64_t pgalloc = 0, pgfree = 0;         // frames
    uint64_t pgfault = 0;                     // page faults
    uint64_t oom_kill = 0;                    // processes killed for want of memory
    uint64_t cow_copies = 0, cow_reuses = 0;  // how writes to pages that were shared by a fork ended
};
extern vm_event_state vm_events;

}  // namespace guest
