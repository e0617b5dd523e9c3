// Stands in for the scheduler: the clock is all that the file layer asks it for.
#pragma once

#include <stdint.h>

namespace guest {

[[nodiscard]] uint64_t ktime_get_real();

}  // namespace guest
