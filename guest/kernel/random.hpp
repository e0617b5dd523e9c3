// Bytes that look random and repeat from run to run: a deterministic generator, as all time and input here
// is.
#pragma once

#include <stddef.h>

namespace guest {

void get_random_bytes(void* to, size_t bytes);

}  // namespace guest
