// Memory locks.
#include "guest/mm/mlock.hpp"

#include "guest/kernel/sched.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// [at, end) lies in one area.
Result<> mlock_fixup(mm_struct& mm, vm_area_struct* vma, VirtAddr at, VirtAddr end, uint64_t lock_flags) {
    if ((vma->vm_flags & VM_LOCKED_MASK) == lock_flags || (vma->vm_flags & VM_IO) != 0) return {};
    TRY(isolate_range(mm, at, end));
    vma = find_vma(mm, at);
    const bool was_locked = (vma->vm_flags & VM_LOCKED) != 0;
    const bool is_locked = (lock_flags & VM_LOCKED) != 0;
    if (is_locked && !was_locked) mm.locked_vm += vma->pages();
    if (!is_locked && was_locked) mm.locked_vm -= vma->pages();
    vma->vm_flags = (vma->vm_flags & ~VM_LOCKED_MASK) | lock_flags;
    vma_merge(vma);
    return {};
}

// How to bring a page in: private pages that may be written get their own frame at once.
struct Wanted {
    bool skip = false;
    VirtAddr end;  // of the area
    FaultFlags flags;
};

Result<Wanted> look_at(mm_struct& mm, VirtAddr at) {
    const read_guard guard(mm.mmap_sem);
    const vm_area_struct* vma = find_vma(mm, at);
    if (vma == nullptr || vma->vm_start > at) return Errno::NoMem;
    Wanted wanted;
    wanted.end = vma->vm_end;
    wanted.skip = (vma->vm_flags & (VM_LOCKONFAULT | VM_IO)) != 0;
    wanted.flags.write = (vma->vm_flags & (VM_WRITE | VM_SHARED)) == VM_WRITE;
    // Memory that may be accessed in some way can be read in, whatever that way is.
    const bool accessible = (vma->vm_flags & (VM_READ | VM_WRITE | VM_EXEC)) != 0;
    wanted.flags.force = accessible && !wanted.flags.write;
    return wanted;
}

}  // namespace

bool can_do_mlock() { return rlimit(abi::Rlimit::MemLock) != 0 || capable(kCapIpcLock); }

Result<> mlock_future_check(const mm_struct& mm, uint64_t vm_flags, uint64_t pages) {
    if ((vm_flags & VM_LOCKED) == 0) return {};
    const uint64_t limit = rlimit(abi::Rlimit::MemLock) >> kPageShift;
    if (mm.locked_vm + pages > limit && !capable(kCapIpcLock)) return Errno::Again;
    return {};
}

Result<> apply_vma_lock_flags(mm_struct& mm, VirtAddr from, uint64_t bytes, uint64_t lock_flags) {
    const VirtAddr to = from + bytes;
    for (VirtAddr at = from; at < to;) {
        vm_area_struct* vma = find_vma(mm, at);
        if (vma == nullptr || vma->vm_start > at) return Errno::NoMem;
        const VirtAddr end = vma->vm_end < to ? vma->vm_end : to;
        TRY(mlock_fixup(mm, vma, at, end, lock_flags));
        at = end;
    }
    return {};
}

void apply_mlockall_flags(mm_struct& mm, uint64_t lock_flags) {
    for (vm_area_struct* vma = mm.mmap.front(); vma != nullptr;) {
        const VirtAddr end = vma->vm_end;
        // Whole areas: nothing is split, and so nothing fails.
        (void)mlock_fixup(mm, vma, vma->vm_start, end, lock_flags).ok();
        vma = find_vma(mm, end);
    }
}

uint64_t count_locked_pages(mm_struct& mm, VirtAddr from, uint64_t bytes) {
    const VirtAddr to = from + bytes;
    uint64_t pages = 0;
    for (const vm_area_struct* vma = find_vma(mm, from); vma != nullptr && vma->vm_start < to;
         vma = mm.mmap.next(*vma)) {
        if ((vma->vm_flags & VM_LOCKED) == 0) continue;
        const VirtAddr first = vma->vm_start > from ? vma->vm_start : from;
        const VirtAddr last = vma->vm_end < to ? vma->vm_end : to;
        pages += (last - first) >> kPageShift;
    }
    return pages;
}

Result<> mm_populate(VirtAddr from, uint64_t bytes) {
    mm_struct& mm = *current()->mm;
    const VirtAddr to = from + page_align_up(bytes);
    for (VirtAddr at = from; at < to;) {
        const Wanted wanted = TRY(look_at(mm, at));
        const VirtAddr end = wanted.end < to ? wanted.end : to;
        for (; !wanted.skip && at < end; at += kPageSize) {
            if (fatal_signal_pending(current())) return Errno::Intr;
            put_page(TRY(get_user_page(mm, at, wanted.flags)));
            cond_resched();
        }
        at = end;
    }
    return {};
}

}  // namespace guest
