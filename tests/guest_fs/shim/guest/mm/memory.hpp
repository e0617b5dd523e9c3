// Stands in for the part of memory management that truncation calls.
#pragma once

#include <stdint.h>

namespace guest {

struct address_space;
void unmap_mapping_range(address_space& mapping, uint64_t index, uint64_t count = ~uint64_t{0},
                         bool even_cows = true);

}  // namespace guest
