// The frame allocator: buddy lists, reference counts, exact statistics.
#include "guest/arch/event_port.hpp"
#include "guest/arch/percpu.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/panic.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/fault_inject.hpp"
#include "guest/mm/init.hpp"
#include "guest/mm/memblock.hpp"
#include "guest/mm/page.hpp"
#include "guest/mm/vmstat.hpp"

namespace guest {

constinit vm_event_state vm_events;
page* mem_map = nullptr;
uint64_t max_pfn = 0;

namespace {

constexpr unsigned kMaxOrder = 11;  // the largest block is 2^10 frames
constexpr unsigned kUses = 7;       // of FrameUse

struct Zone {
    spinlock_t lock;
    IntrusiveList<page, &page::lru> free_area[kMaxOrder];
    uint64_t free_pages = 0;
    uint64_t total_pages = 0;
    uint64_t used[kUses] = {};  // by FrameUse
};
constinit Zone zone;

void insert_free_block(page* block, unsigned order) {
    block->is_free_block = true;
    block->order = static_cast<uint8_t>(order);
    zone.free_area[order].push_front(*block);
}

void remove_free_block(page* block) {
    block->is_free_block = false;
    block->lru.unlink();
}

// Gives the block back, joined with its buddy as long as that is free too. The lock is held.
void free_block(page* block, unsigned order) {
    zone.free_pages += uint64_t{1} << order;
    uint64_t pfn = page_to_pfn(block);
    for (; order + 1 < kMaxOrder; ++order) {
        const uint64_t buddy_pfn = pfn ^ (uint64_t{1} << order);
        if (buddy_pfn + (uint64_t{1} << order) > max_pfn) break;
        page* buddy = pfn_to_page(buddy_pfn);
        if (!buddy->is_free_block || buddy->order != order) break;
        remove_free_block(buddy);
        pfn &= ~(uint64_t{1} << order);
    }
    insert_free_block(pfn_to_page(pfn), order);
}

// A block of that order, split off a larger one if need be. The lock is held.
page* take_block(unsigned order) {
    for (unsigned from = order; from < kMaxOrder; ++from) {
        page* block = zone.free_area[from].front();
        if (block == nullptr) continue;
        remove_free_block(block);
        while (from > order) {
            --from;
            insert_free_block(block + (uint64_t{1} << from), from);
        }
        zone.free_pages -= uint64_t{1} << order;
        return block;
    }
    return nullptr;
}

// The caller is who took or gave back the reference.
void announce_refs(const page* frame, int32_t count, const void* caller) {
    announce(abi::Announcement::FrameRefs, page_to_phys(frame).raw(),
             abi::refs_word(static_cast<uint32_t>(count), reinterpret_cast<uint64_t>(caller)));
}

void announce_block(const page* block, unsigned order, abi::Announcement what, const void* caller = nullptr) {
    if (!event_port_listens) return;
    const auto tid = static_cast<uint64_t>(current()->pid);
    for (uint64_t i = 0; i < uint64_t{1} << order; ++i) {
        const uint64_t frame = page_to_phys(block + i).raw();
        if (what == abi::Announcement::FrameAlloc) {
            announce(what, frame, static_cast<uint64_t>(block->use), tid);
        } else {
            announce(what, frame, abi::refs_word(0, reinterpret_cast<uint64_t>(caller)));
        }
    }
}

}  // namespace

void mem_init() {
    max_pfn = memblock_end().page_number();
    mem_map = static_cast<page*>(memblock_alloc(max_pfn * sizeof(page), kPageSize, "the frame table"));
    for (uint64_t pfn = 0; pfn < max_pfn; ++pfn) (new (mem_map + pfn) page)->is_reserved = true;
    // The allocator's lists are last in, first out: low memory is handed out first if it goes in last.
    for (unsigned i = memblock_regions(); i-- > 0;) {
        const memblock_region region = memblock_ram(i);
        zone.total_pages += region.size >> kPageShift;
        for (PhysAddr at = region.base + region.size; at > region.base;) {
            at -= kPageSize;
            if (memblock_is_reserved(at)) continue;
            page* frame = phys_to_page(at);
            frame->is_reserved = false;
            free_block(frame, 0);
        }
    }
}

namespace {

// Nobody was told of it yet.
page* take_pages(unsigned order, FrameUse use) {
    if (order >= kMaxOrder || should_fail_alloc()) return nullptr;
    spinlock_guard guard(zone.lock);
    page* block = take_block(order);
    if (block == nullptr) return nullptr;
    zone.used[static_cast<unsigned>(use)] += uint64_t{1} << order;
    vm_events.pgalloc += uint64_t{1} << order;
    guard.unlock();
    for (uint64_t i = 0; i < uint64_t{1} << order; ++i) block[i].head = block;
    block->use = use;
    block->order = static_cast<uint8_t>(order);
    block->_count.store(1);
    block->_mapcount.store(0);
    block->mapping = nullptr;
    block->index = 0;
    block->slab = nullptr;
    block->dirty = 0;
    block->inuse = 0;
    block->is_shmem = false;
    block->is_fallocated = false;
    return block;
}

}  // namespace

page* alloc_pages(unsigned order, FrameUse use) {
    page* block = take_pages(order, use);
    if (block != nullptr) announce_block(block, order, abi::Announcement::FrameAlloc);
    return block;
}

// A page table is watched from its announcement on: it is cleared before.
page* alloc_zeroed_page(FrameUse use) {
    page* frame = take_pages(0, use);
    if (frame == nullptr) return nullptr;
    memset(page_address(frame), 0, kPageSize);
    announce_block(frame, 0, abi::Announcement::FrameAlloc);
    return frame;
}

void get_page(page* frame) {
    const int32_t before = frame->_count.fetch_add(1);
    BUG_ON(before <= 0);
    announce_refs(frame, before + 1, __builtin_return_address(0));
}

void put_page(page* frame) {
    const void* caller = __builtin_return_address(0);
    const int32_t before = frame->_count.fetch_sub(1);
    BUG_ON(before <= 0);
    if (before > 1) {
        announce_refs(frame, before - 1, caller);
        return;
    }
    BUG_ON(frame->_mapcount.load() != 0 || frame->is_reserved || frame->head != frame);
    const unsigned order = frame->order;
    announce_block(frame, order, abi::Announcement::FrameFree, caller);
    const spinlock_guard guard(zone.lock);
    zone.used[static_cast<unsigned>(frame->use)] -= uint64_t{1} << order;
    vm_events.pgfree += uint64_t{1} << order;
    free_block(frame, order);
}

namespace {
constinit Atomic<uint64_t> file_mapped{0};
}  // namespace

void page_add_rmap(page* frame) {
    if (frame->_mapcount.fetch_add(1) == 0 && frame->use == FrameUse::PageCache) file_mapped.fetch_add(1);
}

void page_remove_rmap(page* frame) {
    const int32_t before = frame->_mapcount.fetch_sub(1);
    BUG_ON(before <= 0);
    if (before == 1 && frame->use == FrameUse::PageCache) file_mapped.fetch_sub(1);
}

uint64_t nr_file_mapped() { return file_mapped.load(); }
uint64_t total_ram_pages() { return zone.total_pages; }
uint64_t nr_free_pages() { return zone.free_pages; }
uint64_t nr_pages_of(FrameUse use) { return zone.used[static_cast<unsigned>(use)]; }

}  // namespace guest
