// What happens when no frame is left for a page of a program: the process that memory gains most by is
// killed.
#pragma once

#include <stdint.h>

namespace guest {

struct task_struct;

inline constexpr int64_t kOomUnkillable = INT64_MIN;

// How well it would do to kill the process of `task`: the pages that it would give back, and as many as its
// oom_score_adj says for a thousandth of memory each. tasklist_lock is held.
[[nodiscard]] int64_t oom_badness(const task_struct& task);

// A page fault of current's found no frame; current holds no lock of an address space. Has a process killed,
// unless one is on its way out, and waits until it gave something back. False: current is dying itself, and
// the fault need not be served. Panics if there is nobody to be killed.
[[nodiscard]] bool pagefault_out_of_memory();

}  // namespace guest
