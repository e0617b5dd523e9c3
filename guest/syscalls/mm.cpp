// mmap and its family.
#include "guest/arch/pgtable.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/file.hpp"
#include "guest/fs/shmem.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mlock.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/mm/overcommit.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

mm_struct& current_mm() { return *current()->mm; }

long to_long(VirtAddr address) { return static_cast<long>(address.raw()); }

// What stands behind the mapping: a file, a nameless one for shared anonymous memory, or nothing.
Result<RefPtr<file>> mmap_backing(uint64_t bytes, uint64_t flags, int fd) {
    if ((flags & abi::kMapAnonymous) == 0) {
        RefPtr<file> found = fget(*current()->files, fd);
        if (!found) return Errno::BadF;
        if ((flags & abi::kMapHugeTlb) != 0) return Errno::Inval;
        return found;
    }
    // There are no huge pages to reserve.
    if ((flags & abi::kMapHugeTlb) != 0) return Errno::Inval;
    const uint64_t type = flags & abi::kMapType;
    if (type != abi::kMapShared || bytes == 0 || page_align_up(bytes) == 0) return RefPtr<file>();
    const bool reserved = (flags & abi::kMapNoReserve) == 0 || sysctl_overcommit.memory == Overcommit::Never;
    return shmem_file_setup(static_cast<abi::loff_t>(page_align_up(bytes)),
                            reserved ? ShmemPromise::Whole : ShmemPromise::ByPage);
}

}  // namespace

Result<long> sys_mmap(VirtAddr address, uint64_t bytes, uint64_t prot, uint64_t flags, int fd,
                      uint64_t offset) {
    if ((offset & ~kPageMask) != 0) return Errno::Inval;
    const RefPtr<file> backing = TRY(mmap_backing(bytes, flags, fd));
    mm_struct& mm = current_mm();
    const bool anonymous = (flags & abi::kMapAnonymous) != 0;
    static_assert(abi::kMapLocked == VM_LOCKED);
    VirtAddr start;
    uint64_t vm_locks = 0;
    {
        const write_guard guard(mm.mmap_sem);
        vm_locks = mm.def_flags;
        start = TRY(
            do_mmap(mm, backing.get(), address, bytes, prot, flags, anonymous ? 0 : offset >> kPageShift));
    }
    // What fails of bringing pages in is left to the faults.
    const bool locked = ((vm_locks | flags) & (VM_LOCKED | abi::kMapPopulate)) != 0;
    if (locked) (void)mm_populate(start, bytes).ok();
    return to_long(start);
}

Result<long> sys_munmap(VirtAddr address, uint64_t bytes) {
    const write_guard guard(current_mm().mmap_sem);
    TRY(do_munmap(current_mm(), address, bytes));
    return 0;
}

Result<long> sys_mprotect(VirtAddr address, uint64_t bytes, uint64_t prot) {
    const write_guard guard(current_mm().mmap_sem);
    TRY(do_mprotect(current_mm(), address, bytes, prot));
    return 0;
}

// The CPU has no protection keys: no key can be had, and -1 is the one that is none.
Result<long> sys_pkey_mprotect(VirtAddr address, uint64_t bytes, uint64_t prot, int key) {
    if (key == -1 || bytes == 0) return sys_mprotect(address, bytes, prot);
    return Errno::Inval;
}
// Inval, not NoSpc, as Linux says without the feature: the first key can be had, but its rights cannot be
// set.
Result<long> sys_pkey_alloc(uint32_t, uint32_t) { return Errno::Inval; }
Result<long> sys_pkey_free(int) { return Errno::Inval; }

namespace {

// The area that remap_file_pages may replace [from, to) of: a shared one, or several of one file that join.
Result<vm_area_struct*> shared_areas(mm_struct& mm, VirtAddr from, VirtAddr to) {
    vm_area_struct* first = find_vma(mm, from);
    if (first == nullptr || first->vm_start > from || (first->vm_flags & VM_SHARED) == 0) return Errno::Inval;
    for (const vm_area_struct* vma = first; vma->vm_end < to;) {
        const vm_area_struct* next = mm.mmap.next(*vma);
        const bool joins = next != nullptr && next->vm_start == vma->vm_end &&
                           next->vm_file.get() == first->vm_file.get() && next->vm_flags == first->vm_flags;
        if (!joins) return Errno::Inval;
        vma = next;
    }
    return first;
}

}  // namespace

// As Linux since 4.0: a mapping of its own for the pages that are moved.
Result<long> sys_remap_file_pages(VirtAddr address, uint64_t bytes, uint64_t prot, uint64_t pgoff,
                                  uint64_t flags) {
    const VirtAddr from = address.align_down();
    bytes &= kPageMask;
    if (prot != 0 || from + bytes <= from || pgoff + (bytes >> kPageShift) < pgoff) return Errno::Inval;
    mm_struct& mm = current_mm();
    {
        const write_guard guard(mm.mmap_sem);
        const vm_area_struct* vma = TRY(shared_areas(mm, from, from + bytes));
        const RefPtr<file> backing(vma->vm_file.get());
        const uint64_t locked = (vma->vm_flags & VM_LOCKED) != 0 ? abi::kMapLocked : 0;
        TRY(do_mmap(mm, backing.get(), from, bytes, vma->vm_flags & (VM_READ | VM_WRITE | VM_EXEC),
                    abi::kMapShared | abi::kMapFixed | (flags & abi::kMapNonBlock) | locked, pgoff));
    }
    if ((flags & abi::kMapNonBlock) == 0) (void)mm_populate(from, bytes).ok();
    return 0;
}

Result<long> sys_mremap(VirtAddr address, uint64_t old_bytes, uint64_t new_bytes, uint64_t flags,
                        VirtAddr target) {
    mm_struct& mm = current_mm();
    VirtAddr start;
    bool locked = false;
    {
        const write_guard guard(mm.mmap_sem);
        start = TRY(do_mremap(mm, address, old_bytes, new_bytes, flags, target));
        const vm_area_struct* vma = find_vma(mm, start);
        locked = vma != nullptr && (vma->vm_flags & VM_LOCKED) != 0;
    }
    if (locked && new_bytes > old_bytes) (void)mm_populate(start, new_bytes).ok();
    return to_long(start);
}

Result<long> sys_madvise(VirtAddr address, uint64_t bytes, int advice) {
    TRY(do_madvise(current_mm(), address, bytes, advice));
    return 0;
}

// There is no disk to write to: shared mappings are the file's own frames.
Result<long> sys_msync(VirtAddr address, uint64_t bytes, uint32_t flags) {
    constexpr uint32_t kAsync = 1, kInvalidate = 2, kSync = 4;
    if ((flags & ~(kAsync | kInvalidate | kSync)) != 0 || (flags & (kAsync | kSync)) == (kAsync | kSync))
        return Errno::Inval;
    if (!address.is_aligned()) return Errno::Inval;
    const VirtAddr end = address + page_align_up(bytes);
    if (end < address) return Errno::NoMem;
    const read_guard guard(current_mm().mmap_sem);
    for (VirtAddr at = address; at < end;) {
        const vm_area_struct* vma = find_vma(current_mm(), at);
        if (vma == nullptr || vma->vm_start > at) return Errno::NoMem;
        if ((flags & kInvalidate) != 0 && (vma->vm_flags & VM_LOCKED) != 0) return Errno::Busy;
        at = vma->vm_end;
    }
    return 0;
}

Result<long> sys_mincore(VirtAddr address, uint64_t bytes, UserPtr<uint8_t> out) {
    if (!address.is_aligned()) return Errno::Inval;
    if (!access_ok(address, bytes)) return Errno::NoMem;
    for (uint64_t i = 0; i < pages_for(bytes); ++i) {
        uint8_t resident = 0;
        {
            const read_guard guard(current_mm().mmap_sem);
            const VirtAddr at = address + (i << kPageShift);
            const vm_area_struct* vma = find_vma(current_mm(), at);
            if (vma == nullptr || vma->vm_start > at) return Errno::NoMem;
            const pte_t* pte = lookup_pte(current_mm(), at);
            resident = pte != nullptr && read_pte(pte).present() ? 1 : 0;
        }
        TRY(put_user(out + i, resident));
    }
    return 0;
}

namespace {

// The break is `end` afterwards, or where it was: any failure leaves it there.
VirtAddr do_set_brk(mm_struct& mm, VirtAddr end) {
    const write_guard guard(mm.mmap_sem);
    if (end < mm.start_brk || end > kTaskSize) return mm.brk;
    const VirtAddr old_top = mm.brk.align_up();
    const VirtAddr new_top = end.align_up();
    if (new_top < old_top) {
        if (!do_munmap(mm, new_top, old_top - new_top)) return mm.brk;
    } else if (new_top > old_top) {
        const uint64_t data = (end - mm.start_brk) + (mm.end_data - mm.start_data);
        if (data > rlimit(abi::Rlimit::Data)) return mm.brk;
        // A page is left free above the heap.
        if (has_vma_in(mm, old_top, new_top + kPageSize)) return mm.brk;
        if (!do_brk(mm, old_top, new_top - old_top)) return mm.brk;
    }
    mm.brk = end;
    return end;
}

}  // namespace

Result<long> sys_brk(VirtAddr end) {
    mm_struct& mm = current_mm();
    const VirtAddr old_top = mm.brk.align_up();
    const VirtAddr now = do_set_brk(mm, end);
    const VirtAddr new_top = now.align_up();
    if ((mm.def_flags & VM_LOCKED) != 0 && new_top > old_top)
        (void)mm_populate(old_top, new_top - old_top).ok();
    return to_long(now);
}

}  // namespace guest
