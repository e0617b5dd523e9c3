// Stands in for the scheduler: the clock, and that others may have a turn, is all that the file layer asks it
// for.
#pragma once

#include <stdint.h>

namespace guest {

[[nodiscard]] uint64_t ktime_get_real();
void cond_resched();

}  // namespace guest
