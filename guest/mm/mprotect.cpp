// mprotect: other rights for mappings that are there.
#include "guest/kernel/sched.hpp"
#include "guest/mm/area_walk.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/mm/overcommit.hpp"
#include "guest/mm/shared_tables.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr uint64_t kAccessFlags = VM_READ | VM_WRITE | VM_EXEC;

// bytes become whole pages.
Result<> check_range(VirtAddr from, uint64_t& bytes) {
    if (!from.is_aligned()) return Errno::Inval;
    const uint64_t rounded = page_align_up(bytes);
    if (rounded < bytes) return Errno::Inval;
    bytes = rounded;
    if (bytes > kTaskSize.raw() || from > kTaskSize - bytes) return Errno::NoMem;
    return {};
}

// A private area that becomes writable is promised its memory, and keeps it if the right goes again.
bool becomes_accountable(const vm_area_struct& vma, uint64_t wanted) {
    constexpr uint64_t kNever = VM_ACCOUNT | VM_WRITE | VM_SHARED | VM_NORESERVE;
    return (wanted & VM_WRITE) != 0 && (vma.vm_flags & kNever) == 0;
}

// Where PROT_GROWSDOWN begins: with the area, which must be one that grows. None grows upwards.
Result<VirtAddr> start_of_growing(mm_struct& mm, VirtAddr from, VirtAddr to, uint64_t prot) {
    const vm_area_struct* vma = find_vma(mm, from);
    if (vma == nullptr || vma->vm_start >= to) return Errno::NoMem;
    if ((prot & abi::kProtGrowsUp) != 0) return vma->vm_start > from ? Errno::NoMem : Errno::Inval;
    if ((vma->vm_flags & VM_GROWSDOWN) == 0) return Errno::Inval;
    return vma->vm_start;
}

struct Reach {
    VirtAddr end;          // nothing stands in the way before it
    uint64_t charged = 0;  // pages up to there that are to be promised
    Result<> then;         // what does
};

Reach how_far(mm_struct& mm, VirtAddr from, VirtAddr to, uint64_t wanted) {
    Reach reach{from, 0, {}};
    while (reach.end < to) {
        const vm_area_struct* vma = find_vma(mm, reach.end);
        const bool mapped = vma != nullptr && vma->vm_start <= reach.end;
        if (!mapped) {
            reach.then = Errno::NoMem;
            break;
        }
        if (denies_write_exec(mm, vma->vm_flags, wanted)) {
            reach.then = Errno::Access;
            break;
        }
        // VM_MAYREAD and its like stand four bits above VM_READ.
        if ((wanted & ~(vma->vm_flags >> 4)) != 0) {
            reach.then = Errno::Access;
            break;
        }
        const VirtAddr last = vma->vm_end < to ? vma->vm_end : to;
        const uint64_t pages = (last - reach.end) >> kPageShift;
        const uint64_t fresh = (vma->vm_flags & ~kAccessFlags) | wanted;
        reach.then = check_data_limit(mm, vma->vm_flags, fresh, pages);
        if (!reach.then) break;
        if (becomes_accountable(*vma, wanted)) reach.charged += pages;
        reach.end = last;
    }
    return reach;
}

// All of [from, to) is mapped and may have these rights.
Result<> protect(mm_struct& mm, VirtAddr from, VirtAddr to, uint64_t wanted, uint64_t charged) {
    VmPromise promise = TRY(VmPromise::make(&mm, charged));
    TRY(isolate_range(mm, from, to));
    TRY(own_tables(mm, from, to));
    promise.keep();
    change_areas(mm, from, to, [&](vm_area_struct& vma) {
        if ((vma.vm_flags & kAccessFlags) == wanted) return;
        vm_stat_account(mm, vma.vm_flags, -static_cast<int64_t>(vma.pages()));
        if (becomes_accountable(vma, wanted)) vma.vm_flags |= VM_ACCOUNT;
        vma.vm_flags = (vma.vm_flags & ~kAccessFlags) | wanted;
        vm_stat_account(mm, vma.vm_flags, static_cast<int64_t>(vma.pages()));
        change_protection(vma, vma.vm_start, vma.vm_end);
    });
    return {};
}

}  // namespace

Result<> do_mprotect(mm_struct& mm, VirtAddr from, uint64_t bytes, uint64_t prot) {
    constexpr uint64_t kGrows = abi::kProtGrowsDown | abi::kProtGrowsUp;
    if ((prot & kGrows) == kGrows) return Errno::Inval;
    TRY(check_range(from, bytes));
    if (bytes == 0) return {};
    if ((prot & ~(kAccessFlags | abi::kProtSem | kGrows)) != 0) return Errno::Inval;
    const VirtAddr to = from + bytes;
    if ((prot & kGrows) != 0) from = TRY(start_of_growing(mm, from, to, prot));
    const Reach reach = how_far(mm, from, to, prot & kAccessFlags);
    // Area by area, as Linux: what lies before the one that refuses is changed.
    if (reach.end > from) TRY(protect(mm, from, reach.end, prot & kAccessFlags, reach.charged));
    return reach.then;
}

}  // namespace guest
