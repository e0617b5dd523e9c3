// Stacks that grow downwards on demand.
#include "guest/kernel/sched.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mlock.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/mm/overcommit.hpp"

namespace guest {

namespace {

// The stack whose first page lies above `at` grows down to it; false where a limit or a neighbour forbids it.
bool expand_downwards(vm_area_struct& vma, VirtAddr at) {
    mm_struct& mm = *vma.vm_mm;
    const VirtAddr start = at.align_down();
    const uint64_t pages = (vma.vm_start - start) >> kPageShift;
    if (vma.vm_end - start > rlimit(abi::Rlimit::Stack) || !may_expand_vm(mm, vma.vm_flags, pages))
        return false;
    if (!mlock_future_check(mm, vma.vm_flags, pages)) return false;
    if (start < kMmapMinAddr) return false;
    const vm_area_struct* prev = mm.mmap.prev(vma);
    if (prev != nullptr && (prev->vm_flags & VM_GROWSDOWN) == 0 &&
        start.raw() < prev->vm_end.raw() + kStackGuardGap) {
        return false;
    }
    if (prev != nullptr && start < prev->vm_end) return false;
    if (!security_vm_enough_memory(&mm, (vma.vm_flags & VM_ACCOUNT) != 0 ? pages : 0)) return false;
    vma_resize(vma, start, vma.vm_end);
    vm_stat_account(mm, vma.vm_flags, static_cast<int64_t>(pages));
    if ((vma.vm_flags & VM_LOCKED) != 0) mm.locked_vm += pages;
    return true;
}

}  // namespace

vm_area_struct* find_extend_vma(mm_struct& mm, VirtAddr at) {
    vm_area_struct* vma = find_vma(mm, at);
    if (vma == nullptr || vma->vm_start <= at) return vma;
    if ((vma->vm_flags & VM_GROWSDOWN) == 0) return nullptr;
    // Moving the lower border keeps the order of areas. Faults of other threads may do the same at this
    // moment, with the semaphore held for reading as here.
    const spinlock_guard guard(mm.page_table_lock);
    if (vma->vm_start <= at) return vma;
    return expand_downwards(*vma, at) ? vma : nullptr;
}

}  // namespace guest
