// Making allocations fail on purpose, to see that every failure is undone.
#pragma once

#include <stdint.h>

namespace guest {

// Each `every`-th allocation by a program fails; 0: none. (failslab=N on the command line.) Process 1 is
// spared: a machine without it ends.
void set_failslab(uint64_t every);
// Failures that were made.
[[nodiscard]] uint64_t failslab_failures();

// Asked by the allocators for each allocation. Also counts task_struct::fail_nth down.
[[nodiscard]] bool should_fail_alloc();

}  // namespace guest
