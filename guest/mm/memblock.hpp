// Memory before there is a frame allocator: which ranges are RAM and which of them are taken.
#pragma once

#include <stdint.h>

#include "guest/lib/address.hpp"

namespace guest {

struct memblock_region {
    PhysAddr base;
    uint64_t size = 0;  // bytes
};

void memblock_add(PhysAddr base, uint64_t size);
void memblock_reserve(PhysAddr base, uint64_t size);
// Zeroed, in the direct map. align: bytes, a power of two. Panics, naming `what`, if there is no room.
void* memblock_alloc(uint64_t size, uint64_t align, const char* what);

[[nodiscard]] unsigned memblock_regions();
[[nodiscard]] memblock_region memblock_ram(unsigned i);
[[nodiscard]] bool memblock_is_reserved(PhysAddr frame);
// Bytes of RAM in all.
[[nodiscard]] uint64_t memblock_total();
// One past the last byte of RAM.
[[nodiscard]] PhysAddr memblock_end();

}  // namespace guest
