// mlock and its family.
#include "guest/mm/mlock.hpp"

#include "guest/kernel/sched.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

constexpr int kMlockOnFault = 1;
constexpr int kMclCurrent = 1, kMclFuture = 2, kMclOnFault = 4;

uint64_t memlock_pages() { return rlimit(abi::Rlimit::MemLock) >> kPageShift; }

// The pages that [from, from + bytes) touches. Inval: it goes over the end of the address space.
Result<> widen_to_pages(VirtAddr& from, uint64_t& bytes) {
    const uint64_t widened = page_align_up(bytes + from.page_offset());
    from = from.align_down();
    if (from + widened < from) return Errno::Inval;
    bytes = widened;
    return {};
}

// POSIX wants other errors of mlock than page faults give.
Result<long> populate_locked(VirtAddr from, uint64_t bytes) {
    const Result<> done = mm_populate(from, bytes);
    if (done) return 0;
    if (done.error() == Errno::Fault) return Errno::NoMem;
    if (done.error() == Errno::NoMem) return Errno::Again;
    return done.error();
}

Result<long> do_mlock(VirtAddr from, uint64_t bytes, uint64_t lock_flags) {
    if (!can_do_mlock()) return Errno::Perm;
    TRY(widen_to_pages(from, bytes));
    mm_struct& mm = *current()->mm;
    {
        const write_guard guard(mm.mmap_sem);
        // What is locked already does not count twice.
        const uint64_t locked = mm.locked_vm + (bytes >> kPageShift) - count_locked_pages(mm, from, bytes);
        if (locked > memlock_pages() && !capable(kCapIpcLock)) return Errno::NoMem;
        TRY(apply_vma_lock_flags(mm, from, bytes, lock_flags));
    }
    return populate_locked(from, bytes);
}

}  // namespace

Result<long> sys_mlock(VirtAddr from, uint64_t bytes) { return do_mlock(from, bytes, VM_LOCKED); }

Result<long> sys_mlock2(VirtAddr from, uint64_t bytes, int flags) {
    if ((flags & ~kMlockOnFault) != 0) return Errno::Inval;
    return do_mlock(from, bytes, flags == kMlockOnFault ? VM_LOCKED_MASK : VM_LOCKED);
}

Result<long> sys_munlock(VirtAddr from, uint64_t bytes) {
    TRY(widen_to_pages(from, bytes));
    mm_struct& mm = *current()->mm;
    const write_guard guard(mm.mmap_sem);
    TRY(apply_vma_lock_flags(mm, from, bytes, 0));
    return 0;
}

Result<long> sys_mlockall(int flags) {
    if (flags == 0 || flags == kMclOnFault || (flags & ~(kMclCurrent | kMclFuture | kMclOnFault)) != 0)
        return Errno::Inval;
    if (!can_do_mlock()) return Errno::Perm;
    mm_struct& mm = *current()->mm;
    const uint64_t lock_flags = (flags & kMclOnFault) != 0 ? VM_LOCKED_MASK : VM_LOCKED;
    const bool now = (flags & kMclCurrent) != 0;
    {
        const write_guard guard(mm.mmap_sem);
        if (now && mm.total_vm > memlock_pages() && !capable(kCapIpcLock)) return Errno::NoMem;
        mm.def_flags = (flags & kMclFuture) != 0 ? lock_flags : 0;
        if (now) apply_mlockall_flags(mm, lock_flags);
    }
    if (!now) return 0;
    // As on Linux, what cannot be brought in is left out.
    for (VirtAddr at(0);;) {
        VirtAddr start;
        uint64_t bytes = 0;
        {
            const read_guard guard(mm.mmap_sem);
            const vm_area_struct* vma = find_vma(mm, at);
            if (vma == nullptr) return 0;
            start = vma->vm_start;
            bytes = vma->vm_end - start;
        }
        (void)mm_populate(start, bytes).ok();
        if (fatal_signal_pending(current())) return Errno::Intr;
        at = start + bytes;
    }
}

Result<long> sys_munlockall() {
    mm_struct& mm = *current()->mm;
    const write_guard guard(mm.mmap_sem);
    mm.def_flags = 0;
    apply_mlockall_flags(mm, 0);
    return 0;
}

}  // namespace guest
