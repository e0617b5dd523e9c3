// Making allocations and steps of fork fail on purpose, to see that every failure is undone.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "guest/lib/result.hpp"

namespace guest {

// Each `every`-th allocation by a program fails; 0: none. (failslab=N on the command line.) Process 1 is
// spared: a machine without it ends.
void set_failslab(uint64_t every);
// Failures that were made.
[[nodiscard]] uint64_t failslab_failures();

// Asked by the allocators for each allocation. Also counts task_struct::fail_nth down.
[[nodiscard]] bool should_fail_alloc();

// The steps of copy_process that can be made to fail, in their order; a null pointer ends them.
extern const char* const fork_steps[];
// The element of fork_steps that is spelt like `name`, which need not end with a zero; or null.
[[nodiscard]] const char* find_fork_step(const char* name, size_t length);

// Each `every`-th fork by a program other than process 1 fails at that step, one of fork_steps or null.
// (fail_step=NAME,N.) A single one: task_struct::fail_step.
void set_fail_step(const char* step, uint64_t every);
// Called where copy_process comes to `step`; NoMem if it is to fail there.
[[nodiscard]] Result<> enter_fork_step(const char* step);

}  // namespace guest
