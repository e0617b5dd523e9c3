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

}  // namespace

namespace {

// A private area that becomes writable is promised its memory, and keeps it if the right goes again.
bool becomes_accountable(const vm_area_struct& vma, uint64_t wanted) {
    constexpr uint64_t kNever = VM_ACCOUNT | VM_WRITE | VM_SHARED | VM_NORESERVE;
    return (wanted & VM_WRITE) != 0 && (vma.vm_flags & kNever) == 0;
}

}  // namespace

Result<> do_mprotect(mm_struct& mm, VirtAddr from, uint64_t bytes, uint64_t prot) {
    TRY(check_range(from, bytes));
    if (bytes == 0) return {};
    if ((prot & ~(kAccessFlags | abi::kProtGrowsDown | abi::kProtGrowsUp)) != 0) return Errno::Inval;
    const VirtAddr to = from + bytes;
    if (!fully_mapped(mm, from, to)) return Errno::NoMem;
    const uint64_t wanted = prot & kAccessFlags;
    uint64_t charged = 0;
    for (vm_area_struct* vma = find_vma(mm, from); vma != nullptr && vma->vm_start < to;
         vma = mm.mmap.next(*vma)) {
        // VM_MAYREAD and its like stand four bits above VM_READ.
        if ((wanted & ~(vma->vm_flags >> 4)) != 0) return Errno::Access;
        const VirtAddr first = vma->vm_start > from ? vma->vm_start : from;
        const VirtAddr last = vma->vm_end < to ? vma->vm_end : to;
        const uint64_t fresh = (vma->vm_flags & ~kAccessFlags) | wanted;
        if (becomes_accountable(*vma, wanted)) charged += (last - first) >> kPageShift;
        TRY(check_data_limit(mm, vma->vm_flags, fresh, (last - first) >> kPageShift));
    }
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

}  // namespace guest
