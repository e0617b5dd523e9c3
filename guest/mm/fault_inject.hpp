// Making allocations fail on purpose, to see that every failure is undone.
#pragma once

#include <stdint.h>

namespace guest {

// From the moment init starts: the `nth` allocation by a task fails, once. 0: none. (failslab=N)
void set_failslab(uint64_t nth);
// init is about to run.
void arm_failslab();
// Allocations that were counted since then.
[[nodiscard]] uint64_t failslab_count();

// Asked by the allocators for each allocation. task_struct::fail_nth counts the same for one task.
[[nodiscard]] bool should_fail_alloc();

}  // namespace guest
