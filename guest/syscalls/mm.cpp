// mmap and its family.
#include "guest/arch/pgtable.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/file.hpp"
#include "guest/fs/shmem.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mmap.hpp"
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
        return found;
    }
    const uint64_t type = flags & abi::kMapType;
    if (type != abi::kMapShared || bytes == 0 || page_align_up(bytes) == 0) return RefPtr<file>();
    return shmem_file_setup(static_cast<abi::loff_t>(page_align_up(bytes)));
}

// MAP_POPULATE: the pages are wanted at once. What fails is left to the faults.
void populate(VirtAddr from, uint64_t bytes, bool write) {
    const FaultFlags flags{write};
    for (VirtAddr at = from; at < from + bytes; at += kPageSize) {
        Result<page*> frame = get_user_page(current_mm(), at, flags);
        if (!frame) return;
        put_page(frame.value());
    }
}

}  // namespace

Result<long> sys_mmap(VirtAddr address, uint64_t bytes, uint64_t prot, uint64_t flags, int fd,
                      uint64_t offset) {
    if ((offset & ~kPageMask) != 0) return Errno::Inval;
    const RefPtr<file> backing = TRY(mmap_backing(bytes, flags, fd));
    mm_struct& mm = current_mm();
    const bool anonymous = (flags & abi::kMapAnonymous) != 0;
    VirtAddr start;
    {
        const write_guard guard(mm.mmap_sem);
        start = TRY(
            do_mmap(mm, backing.get(), address, bytes, prot, flags, anonymous ? 0 : offset >> kPageShift));
    }
    if ((flags & (abi::kMapPopulate | abi::kMapLocked)) != 0)
        populate(start, bytes, (prot & abi::kProtWrite) != 0);
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

Result<long> sys_mremap(VirtAddr address, uint64_t old_bytes, uint64_t new_bytes, uint64_t flags,
                        VirtAddr target) {
    const write_guard guard(current_mm().mmap_sem);
    return to_long(TRY(do_mremap(current_mm(), address, old_bytes, new_bytes, flags, target)));
}

Result<long> sys_madvise(VirtAddr address, uint64_t bytes, int advice) {
    const write_guard guard(current_mm().mmap_sem);
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

Result<long> sys_brk(VirtAddr end) {
    mm_struct& mm = current_mm();
    const write_guard guard(mm.mmap_sem);
    // Any failure leaves the break where it is, and says so by returning it.
    if (end < mm.start_brk || end > kTaskSize) return to_long(mm.brk);
    const VirtAddr old_top = mm.brk.align_up();
    const VirtAddr new_top = end.align_up();
    if (new_top < old_top) {
        if (!do_munmap(mm, new_top, old_top - new_top)) return to_long(mm.brk);
    } else if (new_top > old_top) {
        if (end - mm.start_brk > rlimit(abi::Rlimit::Data)) return to_long(mm.brk);
        // A page is left free above the heap.
        if (has_vma_in(mm, old_top, new_top + kPageSize)) return to_long(mm.brk);
        if (!do_brk(mm, old_top, new_top - old_top)) return to_long(mm.brk);
    }
    mm.brk = end;
    return to_long(end);
}

}  // namespace guest
