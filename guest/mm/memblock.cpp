// Memory before there is a frame allocator.
#include "guest/mm/memblock.hpp"

#include "guest/lib/panic.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/page.hpp"

namespace guest {

namespace {

constexpr unsigned kMaxRegions = 64;
// The boot page tables map this much.
constexpr PhysAddr kBootMapEnd{uint64_t{4} << 30};

struct RegionTable {
    memblock_region region[kMaxRegions];
    unsigned count = 0;

    void add(PhysAddr base, uint64_t size) {
        if (count == kMaxRegions) panic("the memory map has more than %u ranges", kMaxRegions);
        region[count++] = memblock_region{base, size};
    }
};
constinit RegionTable ram;
constinit RegionTable reserved;

// The end of a reserved range that [base, base + size) touches, or null if it touches none.
PhysAddr conflict_end(PhysAddr base, uint64_t size) {
    for (unsigned i = 0; i < reserved.count; ++i) {
        const memblock_region& r = reserved.region[i];
        if (base < r.base + r.size && r.base < base + size) return r.base + r.size;
    }
    return PhysAddr(0);
}

}  // namespace

void memblock_add(PhysAddr base, uint64_t size) {
    // Whole frames only.
    const PhysAddr first = base.align_up();
    const PhysAddr end = (base + size).align_down();
    if (first < end) ram.add(first, end - first);
}

void memblock_reserve(PhysAddr base, uint64_t size) {
    const PhysAddr first = base.align_down();
    const PhysAddr end = (base + size).align_up();
    if (first < end) reserved.add(first, end - first);
}

void* memblock_alloc(uint64_t size, uint64_t align, const char* what) {
    for (unsigned i = 0; i < ram.count; ++i) {
        const PhysAddr end = ram.region[i].base + ram.region[i].size;
        PhysAddr at = ram.region[i].base.align_up(align);
        while (at + size <= end && at + size <= kBootMapEnd) {
            const PhysAddr taken = conflict_end(at, size);
            if (taken.is_null()) {
                memblock_reserve(at, size);
                return memset(phys_to_virt(at), 0, size);
            }
            at = taken.align_up(align);
        }
    }
    panic("too little memory: %lu KiB of RAM leave no room for %s (%lu KiB)", memblock_total() >> 10, what,
          size >> 10);
}

unsigned memblock_regions() { return ram.count; }
memblock_region memblock_ram(unsigned i) { return ram.region[i]; }
bool memblock_is_reserved(PhysAddr frame) { return !conflict_end(frame, kPageSize).is_null(); }

uint64_t memblock_total() {
    uint64_t total = 0;
    for (unsigned i = 0; i < ram.count; ++i) total += ram.region[i].size;
    return total;
}

PhysAddr memblock_end() {
    PhysAddr end;
    for (unsigned i = 0; i < ram.count; ++i) {
        const PhysAddr its_end = ram.region[i].base + ram.region[i].size;
        if (its_end > end) end = its_end;
    }
    return end;
}

}  // namespace guest
