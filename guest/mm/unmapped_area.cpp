// Where a new area goes: the highest gap that is large enough. Every search goes on where the last one ended,
// so that a program with tens of thousands of areas does not pass them all at each mmap.
#include "guest/mm/mmap.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// The last area that begins below `at`, or null; at is not 0.
const vm_area_struct* area_below(mm_struct& mm, VirtAddr at) {
    const vm_area_struct* found = find_vma(mm, at - 1);
    if (found == nullptr) return mm.mmap.back();
    return found->vm_start < at ? found : mm.mmap.prev(*found);
}

}  // namespace

void forget_gap_search(mm_struct& mm, VirtAddr gap_end) {
    if (mm.gap_search_end.is_null() || gap_end <= mm.gap_search_end) return;
    mm.gap_search_end = gap_end < mm.mmap_base ? gap_end : VirtAddr(0);
}

Result<VirtAddr> get_unmapped_area(mm_struct& mm, VirtAddr hint, uint64_t bytes) {
    if (bytes > kTaskSize.raw()) return Errno::NoMem;
    hint = hint.align_up();
    if (!hint.is_null() && hint >= kMmapMinAddr && hint <= kTaskSize - bytes &&
        !has_vma_in(mm, hint, hint + bytes)) {
        return hint;
    }
    const bool goes_on = !mm.gap_search_end.is_null() && bytes > mm.largest_gap_above;
    VirtAddr end = goes_on ? mm.gap_search_end : mm.mmap_base;
    uint64_t passed = goes_on ? mm.largest_gap_above : 0;
    for (const vm_area_struct* vma = area_below(mm, end); vma != nullptr; vma = mm.mmap.prev(*vma)) {
        if (vma->vm_end <= end) {
            const uint64_t gap = end - vma->vm_end;
            if (gap >= bytes) break;
            if (gap > passed) passed = gap;
        }
        if (vma->vm_start < end) end = vma->vm_start;
    }
    if (end.raw() >= kMmapMinAddr.raw() + bytes) {
        mm.gap_search_end = end;
        mm.largest_gap_above = passed;
        return end - bytes;
    }
    // Nothing below: whatever is free above.
    VirtAddr start = mm.mmap_base;
    for (const vm_area_struct* vma = find_vma(mm, mm.mmap_base - 1); vma != nullptr;
         vma = mm.mmap.next(*vma)) {
        if (vma->vm_start >= start && vma->vm_start - start >= bytes) return start;
        if (vma->vm_end > start) start = vma->vm_end;
    }
    if (start <= kTaskSize && kTaskSize - start >= bytes) return start;
    return Errno::NoMem;
}

}  // namespace guest
