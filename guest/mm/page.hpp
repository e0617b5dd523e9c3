// struct page: what the kernel knows of one frame of RAM. There is one for every frame, in mem_map.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "guest/abi/event_port.hpp"
#include "guest/lib/address.hpp"
#include "guest/lib/atomic.hpp"
#include "guest/lib/list.hpp"

namespace guest {

struct address_space;
struct kmem_cache;

using abi::FrameUse;

// All RAM, mapped linearly; and where the kernel itself is linked.
inline constexpr VirtAddr kDirectMapBase{0xffff888000000000};
inline constexpr VirtAddr kKernelBase{0xffffffff80000000};

struct page {
    FrameUse use;        // of an allocated frame: what it was allocated for
    uint8_t order;       // of a free block in the buddy lists, or of the head of an allocated one
    bool is_free_block;  // head of a block in the buddy lists
    bool is_reserved;    // never handed out: firmware, kernel image, holes
    bool is_shmem;       // a page of tmpfs or of shared anonymous memory; stays so while it is mapped
    bool is_fallocated;  // in the page cache: an fallocate that is not over yet put it there
    Atomic<int32_t>
        _count;  // references: one a mapping, one for the page cache, one for whoever works with it
    Atomic<int32_t> _mapcount;  // page-table entries that map it
    list_head lru;              // free list, slab list or the owner's own list
    // Page cache: whose page this is and which one. Null for anonymous memory.
    address_space* mapping;
    uint64_t index;
    // Slab: free objects in it; head of the block that it is part of.
    void* freelist;
    page* head;
    kmem_cache* slab;
    // Objects in use in a slab; entries of a page table that map a counted frame.
    uint32_t inuse;
    uint32_t dirty;
    // The invariants checker's: entries that it found to map this frame.
    uint32_t seen;
};

extern page* mem_map;     // indexed by frame number
extern uint64_t max_pfn;  // frames that mem_map covers

[[nodiscard]] inline page* pfn_to_page(uint64_t pfn) { return mem_map + pfn; }
[[nodiscard]] inline uint64_t page_to_pfn(const page* frame) {
    return static_cast<uint64_t>(frame - mem_map);
}
[[nodiscard]] inline PhysAddr page_to_phys(const page* frame) {
    return PhysAddr(page_to_pfn(frame) << kPageShift);
}
[[nodiscard]] inline page* phys_to_page(PhysAddr pa) { return pfn_to_page(pa.page_number()); }

// Through the direct map. Valid for all RAM, always.
[[nodiscard]] inline void* phys_to_virt(PhysAddr pa) {
    return reinterpret_cast<void*>((kDirectMapBase + pa.raw()).raw());
}
[[nodiscard]] inline PhysAddr virt_to_phys(const void* direct) {
    return PhysAddr(reinterpret_cast<uint64_t>(direct) - kDirectMapBase.raw());
}
[[nodiscard]] inline void* page_address(const page* frame) { return phys_to_virt(page_to_phys(frame)); }
[[nodiscard]] inline page* virt_to_page(const void* direct) { return phys_to_page(virt_to_phys(direct)); }

// 2^order frames in a row with one reference, contents undefined; null when there is no such block. Never
// sleeps.
[[nodiscard]] page* alloc_pages(unsigned order, FrameUse use);
[[nodiscard]] inline page* alloc_page(FrameUse use) { return alloc_pages(0, use); }
// One frame of zeros.
[[nodiscard]] page* alloc_zeroed_page(FrameUse use);

void get_page(page* frame);
// The last reference frees the block.
void put_page(page* frame);
[[nodiscard]] inline int32_t page_count(const page* frame) { return frame->_count.load(); }

// A page-table entry begins or ends to map the frame.
void page_add_rmap(page* frame);
void page_remove_rmap(page* frame);

// Private memory of a program, as opposed to a page of a file or the zero page.
[[nodiscard]] inline bool is_anonymous(const page* frame) { return frame->use == FrameUse::Anonymous; }

// Exact, at any moment.
[[nodiscard]] uint64_t total_ram_pages();
[[nodiscard]] uint64_t nr_free_pages();
[[nodiscard]] uint64_t nr_pages_of(FrameUse use);
// Pages of files that some page-table entry maps.
[[nodiscard]] uint64_t nr_file_mapped();

}  // namespace guest
