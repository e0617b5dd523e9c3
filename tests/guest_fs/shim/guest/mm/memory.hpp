// Stands in for the part of memory management that truncation calls.
#pragma once

#include <stdint.h>

namespace guest {

struct address_space;
enum class Unmap { All, FilePages };
void unmap_mapping_range(address_space& mapping, uint64_t index, uint64_t count = ~uint64_t{0},
                         Unmap what = Unmap::All);

}  // namespace guest
