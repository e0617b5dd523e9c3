// Frames and small objects: every frame is accounted for, once, and so is every object of a slab.
#include "guest/fs/address_space.hpp"
#include "guest/kernel/check.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mm_types.hpp"
#include "guest/mm/slab.hpp"

namespace guest {

namespace {

constexpr unsigned kUses = static_cast<unsigned>(FrameUse::Zero) + 1;

bool is_linked_well(const list_head& node) { return node.next->prev == &node && node.prev->next == &node; }

// An allocated block of one frame or more; `seen` says how many entries map or link it.
void check_allocated(check_report& report, page* frame) {
    const uint64_t at = page_to_phys(frame).raw();
    const int32_t count = page_count(frame), mapped = frame->_mapcount.load();
    if (count <= 0 || frame->head != frame) {
        report.fault("frame %lx is neither free nor in use", at);
        return;
    }
    int64_t known = frame->seen;
    if (frame->use == FrameUse::PageTable) {
        if (mapped != 0) report.fault("page table %lx is mapped %d times", at, mapped);
    } else if (mapped != static_cast<int64_t>(frame->seen)) {
        report.fault("frame %lx is mapped %u times, not %d", at, frame->seen, mapped);
    }
    if (frame->mapping != nullptr) {
        ++known;
        if (frame->use != FrameUse::PageCache || frame->mapping->pages.lookup(frame->index) != frame) {
            report.fault("frame %lx is not page %lu of its file", at, frame->index);
        }
    }
    if (count < known) report.fault("frame %lx has %d references, but %ld use it", at, count, known);
    const bool is_counted = frame->use == FrameUse::PageTable || frame->use == FrameUse::Anonymous ||
                            frame->use == FrameUse::PageCache;
    if (is_counted && count > known) ++report.held;
}

struct ObjectCount {
    check_report* report;
    const char* name;  // the cache that is asked for
    uint64_t objects;
};

void check_cache(const kmem_cache& cache, void* context) {
    auto& count = *static_cast<ObjectCount*>(context);
    count.report->objects += cache.objects;
    if (strcmp(cache.name, count.name) == 0) count.objects = cache.objects;
    for (const page& slab : cache.partial) {
        const uint64_t at = page_to_phys(&slab).raw();
        if (slab.slab != &cache || !is_linked_well(slab.lru)) {
            count.report->fault("slab %lx is in the list of %s, which is not its cache", at, cache.name);
            return;
        }
        const uint64_t capacity = (kPageSize << slab.order) / cache.object_size;
        uint64_t free = 0;
        for (void* object = slab.freelist; object != nullptr && free <= capacity; ++free) {
            if (virt_to_page(object)->head != &slab) break;
            object = *static_cast<void**>(object);
        }
        if (free == 0 || free + slab.inuse != capacity) {
            count.report->fault("slab %lx of %s: %lu free and %u used objects, not %lu", at, cache.name, free,
                                slab.inuse, capacity);
        }
    }
}

uint64_t objects_of(check_report& report, const char* cache) {
    check_report unused;
    ObjectCount count{&unused, cache, 0};
    for_each_kmem_cache(check_cache, &count);
    report.objects = unused.objects;
    return count.objects;
}

}  // namespace

void check_frames(check_report& report) {
    uint64_t used[kUses] = {}, free = 0, in_slabs = 0;
    for (uint64_t pfn = 0; pfn < max_pfn;) {
        page* frame = pfn_to_page(pfn);
        const uint64_t size = frame->is_reserved ? 1 : uint64_t{1} << frame->order;
        ++report.frames;
        if (frame->is_reserved) {
            // The kernel's own.
        } else if (frame->is_free_block) {
            free += size;
            if (page_count(frame) != 0 || frame->seen != 0 || pfn % size != 0 ||
                !is_linked_well(frame->lru)) {
                report.fault("free frame %lx is in use, or in no list", page_to_phys(frame).raw());
            }
        } else {
            check_allocated(report, frame);
            used[static_cast<unsigned>(frame->use)] += size;
            if (frame->use == FrameUse::Slab && frame->slab != nullptr) in_slabs += frame->inuse;
        }
        pfn += size;
    }
    if (free != nr_free_pages()) report.fault("%lu frames are free, not %lu", free, nr_free_pages());
    for (unsigned use = 0; use < kUses; ++use) {
        const uint64_t said = nr_pages_of(static_cast<FrameUse>(use));
        if (used[use] != said) report.fault("%lu frames are of use %u, not %lu", used[use], use, said);
    }
    if (in_slabs != nr_slab_objects())
        report.fault("%lu objects are in slabs, not %lu", in_slabs, nr_slab_objects());
}

void check_slabs(check_report& report) {
    ObjectCount count{&report, "vm_area_struct", 0};
    for_each_kmem_cache(check_cache, &count);
    if (count.objects < report.areas) {
        report.fault("%lu areas are in use, but only %lu exist", report.areas, count.objects);
    }
    const uint64_t spaces = objects_of(report, "mm_struct");
    // init_mm is no object of a slab, and not in the list.
    if (spaces != report.spaces)
        report.fault("%lu address spaces exist, %lu are listed", spaces, report.spaces);
}

}  // namespace guest
