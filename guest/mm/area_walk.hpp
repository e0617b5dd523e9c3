// Going through the areas of a range of addresses.
#pragma once

#include "guest/mm/mmap.hpp"

namespace guest {

// Whether areas cover all of [from, to).
[[nodiscard]] bool fully_mapped(mm_struct& mm, VirtAddr from, VirtAddr to);

// Calls change(vma) for each area in [from, to), which is cut out exactly, and then joins what became alike.
template <typename Change>
void change_areas(mm_struct& mm, VirtAddr from, VirtAddr to, Change&& change) {
    for (vm_area_struct* vma = find_vma(mm, from); vma != nullptr && vma->vm_start < to;) {
        change(*vma);
        vma = mm.mmap.next(*vma);
    }
    for (vm_area_struct* vma = find_vma(mm, from); vma != nullptr && vma->vm_start < to;) {
        vma = mm.mmap.next(*vma_merge(vma));
    }
}

// Calls visit(vma, first, last) for the part of each area that lies in [from, to), from the lowest on, until
// one fails: its error. A visit may cut and join areas, and let mmap_sem go if it takes it again. NoMem if
// nothing is mapped somewhere, as madvise tells it: all else is visited.
template <typename Visit>
Result<> for_each_area(mm_struct& mm, VirtAddr from, VirtAddr to, Visit&& visit) {
    bool whole = true;
    for (VirtAddr at = from; at < to;) {
        vm_area_struct* vma = find_vma(mm, at);
        if (vma == nullptr || vma->vm_start >= to) return Errno::NoMem;
        if (vma->vm_start > at) {
            whole = false;
            at = vma->vm_start;
        }
        const VirtAddr end = vma->vm_end < to ? vma->vm_end : to;
        TRY(visit(*vma, at, end));
        at = end;
    }
    return whole ? Result<>() : Result<>(Errno::NoMem);
}

}  // namespace guest
