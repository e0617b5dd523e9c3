// madvise: what programs say of how they will use their memory.
#include "guest/fs/fallocate.hpp"
#include "guest/fs/file.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/area_walk.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mlock.hpp"
#include "guest/mm/shared_tables.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

using abi::Madvice;

// Linux without swapping out, huge pages, KSM and recovery from memory errors does not know the others.
bool is_known(Madvice advice) {
    switch (advice) {
        case Madvice::Normal:
        case Madvice::Random:
        case Madvice::Sequential:
        case Madvice::WillNeed:
        case Madvice::DontNeed:
        case Madvice::Free:
        case Madvice::Remove:
        case Madvice::DontFork:
        case Madvice::DoFork:
        case Madvice::DontDump:
        case Madvice::DoDump:
        case Madvice::WipeOnFork:
        case Madvice::KeepOnFork:
        case Madvice::Cold:
        case Madvice::PageOut:
        case Madvice::PopulateRead:
        case Madvice::PopulateWrite:
        case Madvice::DontNeedLocked:
            return true;
        default:
            return false;
    }
}

// --- Advice that sets or clears flags of areas.

bool is_anonymous_area(const vm_area_struct& vma) { return !vma.vm_file; }

Result<uint64_t> advised_flags(const vm_area_struct& vma, Madvice advice) {
    const uint64_t flags = vma.vm_flags;
    constexpr uint64_t kReading = VM_SEQ_READ | VM_RAND_READ;
    switch (advice) {
        case Madvice::Normal:
            return flags & ~kReading;
        case Madvice::Sequential:
            return (flags & ~kReading) | VM_SEQ_READ;
        case Madvice::Random:
            return (flags & ~kReading) | VM_RAND_READ;
        case Madvice::DontFork:
            return flags | VM_DONTCOPY;
        case Madvice::DoFork:
            if ((flags & VM_IO) != 0) return Errno::Inval;
            return flags & ~VM_DONTCOPY;
        case Madvice::WipeOnFork:
            // Only private anonymous memory can be wiped.
            if (!is_anonymous_area(vma) || (flags & VM_SHARED) != 0) return Errno::Inval;
            return flags | VM_WIPEONFORK;
        case Madvice::KeepOnFork:
            return flags & ~VM_WIPEONFORK;
        case Madvice::DontDump:
            return flags | VM_DONTDUMP;
        case Madvice::DoDump:
            if ((flags & (VM_IO | VM_DONTEXPAND)) != 0) return Errno::Inval;
            return flags & ~VM_DONTDUMP;
        default:
            return flags;
    }
}

Result<> set_flags(mm_struct& mm, vm_area_struct& vma, VirtAddr first, VirtAddr last, Madvice advice) {
    const uint64_t flags = TRY(advised_flags(vma, advice));
    if (flags == vma.vm_flags) return {};
    const Result<> cut = isolate_range(mm, first, last);
    vm_area_struct* part = find_vma(mm, first);
    if (cut) part->vm_flags = flags;
    vma_merge(part);
    // Unlike memory that is not mapped.
    if (!cut) return cut.error() == Errno::NoMem ? Errno::Again : cut.error();
    return {};
}

// --- Advice that gives pages back. There is no swap: what is cold stays where it is.

Result<> discard(mm_struct& mm, vm_area_struct& vma, VirtAddr first, VirtAddr last, Madvice advice) {
    if ((vma.vm_flags & VM_LOCKED) != 0 && advice != Madvice::DontNeedLocked) return Errno::Inval;
    if (advice == Madvice::Free && !is_anonymous_area(vma)) return Errno::Inval;
    mmu_gather gather(mm);
    TRY(disown_tables(mm, first, last, gather));
    zap_page_range(gather, vma, first, last);
    return {};
}

// A hole in the file behind the area. mmap_sem is held for reading, but not while the hole is made.
Result<> madvise_remove(mm_struct& mm, vm_area_struct& vma, VirtAddr first, VirtAddr last) {
    if ((vma.vm_flags & VM_LOCKED) != 0 || !vma.vm_file) return Errno::Inval;
    constexpr uint64_t kSharedMayWrite = VM_SHARED | VM_MAYWRITE;
    if ((vma.vm_flags & kSharedMayWrite) != kSharedMayWrite) return Errno::Access;
    RefPtr<file> f(vma.vm_file.get());
    const auto offset = static_cast<abi::loff_t>(vma.pgoff_of(first) << kPageShift);
    mm.mmap_sem.up_read();
    const Result<> outcome = vfs_fallocate(*f, abi::kFallocPunchHole | abi::kFallocKeepSize, offset,
                                           static_cast<abi::loff_t>(last - first));
    f = RefPtr<file>();
    mm.mmap_sem.down_read();
    return outcome ? Result<>() : Result<>(outcome.error());
}

// --- Advice that brings pages in.

Result<> populate(mm_struct& mm, VirtAddr from, VirtAddr to, Madvice advice) {
    FaultFlags flags;
    flags.write = advice == Madvice::PopulateWrite;
    for (VirtAddr at = from; at < to; at += kPageSize) {
        if (fatal_signal_pending(current())) return Errno::Intr;
        {
            const read_guard guard(mm.mmap_sem);
            const vm_area_struct* vma = find_vma(mm, at);
            if (vma == nullptr || vma->vm_start > at) return Errno::NoMem;
            const uint64_t right = flags.write ? VM_WRITE : VM_READ;
            if ((vma->vm_flags & right) == 0 || (vma->vm_flags & VM_IO) != 0) return Errno::Inval;
        }
        put_page(TRY(get_user_page(mm, at, flags)));
        cond_resched();
    }
    return {};
}

Result<> advise_by_areas(mm_struct& mm, VirtAddr from, VirtAddr to, Madvice advice) {
    const bool locked_refuses = advice == Madvice::Cold || advice == Madvice::PageOut;
    const bool discards =
        advice == Madvice::DontNeed || advice == Madvice::DontNeedLocked || advice == Madvice::Free;
    if (advice == Madvice::Remove) {
        const read_guard guard(mm.mmap_sem);
        return for_each_area(mm, from, to, [&](vm_area_struct& vma, VirtAddr first, VirtAddr last) {
            return madvise_remove(mm, vma, first, last);
        });
    }
    const write_guard guard(mm.mmap_sem);
    return for_each_area(mm, from, to, [&](vm_area_struct& vma, VirtAddr first, VirtAddr last) -> Result<> {
        if (discards) return discard(mm, vma, first, last, advice);
        if (locked_refuses && (vma.vm_flags & VM_LOCKED) != 0) return Errno::Inval;
        return set_flags(mm, vma, first, last, advice);
    });
}

}  // namespace

Result<> do_madvise(mm_struct& mm, VirtAddr from, uint64_t bytes, int advice) {
    const auto kind = static_cast<Madvice>(advice);
    if (!is_known(kind) || !from.is_aligned()) return Errno::Inval;
    const uint64_t whole = page_align_up(bytes);
    if (whole < bytes || from + whole < from) return Errno::Inval;
    if (whole == 0) return {};
    if (kind == Madvice::PopulateRead || kind == Madvice::PopulateWrite)
        return populate(mm, from, from + whole, kind);
    return advise_by_areas(mm, from, from + whole, kind);
}

}  // namespace guest
