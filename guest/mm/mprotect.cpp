// mprotect, mremap, madvise: changing mappings that are there.
#include "guest/kernel/sched.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mlock.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/mm/shared_tables.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr uint64_t kAccessFlags = VM_READ | VM_WRITE | VM_EXEC;

// The range check that these calls share; bytes become whole pages.
Result<> check_range(VirtAddr from, uint64_t& bytes) {
    if (!from.is_aligned()) return Errno::Inval;
    const uint64_t rounded = page_align_up(bytes);
    if (rounded < bytes) return Errno::Inval;
    bytes = rounded;
    if (bytes > kTaskSize.raw() || from > kTaskSize - bytes) return Errno::NoMem;
    return {};
}

// Whether areas cover all of [from, to).
bool fully_mapped(mm_struct& mm, VirtAddr from, VirtAddr to) {
    const vm_area_struct* vma = find_vma(mm, from);
    for (VirtAddr at = from; at < to; at = vma->vm_end, vma = mm.mmap.next(*vma)) {
        if (vma == nullptr || vma->vm_start > at) return false;
        if (vma->vm_end >= to) return true;
    }
    return true;
}

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

}  // namespace

Result<> do_mprotect(mm_struct& mm, VirtAddr from, uint64_t bytes, uint64_t prot) {
    TRY(check_range(from, bytes));
    if (bytes == 0) return {};
    if ((prot & ~(kAccessFlags | abi::kProtGrowsDown | abi::kProtGrowsUp)) != 0) return Errno::Inval;
    const VirtAddr to = from + bytes;
    if (!fully_mapped(mm, from, to)) return Errno::NoMem;
    const uint64_t wanted = prot & kAccessFlags;
    for (vm_area_struct* vma = find_vma(mm, from); vma != nullptr && vma->vm_start < to;
         vma = mm.mmap.next(*vma)) {
        // VM_MAYREAD and its like stand four bits above VM_READ.
        if ((wanted & ~(vma->vm_flags >> 4)) != 0) return Errno::Access;
        const VirtAddr first = vma->vm_start > from ? vma->vm_start : from;
        const VirtAddr last = vma->vm_end < to ? vma->vm_end : to;
        const uint64_t fresh = (vma->vm_flags & ~kAccessFlags) | wanted;
        TRY(check_data_limit(mm, vma->vm_flags, fresh, (last - first) >> kPageShift));
    }
    TRY(isolate_range(mm, from, to));
    TRY(own_tables(mm, from, to));
    change_areas(mm, from, to, [&](vm_area_struct& vma) {
        if ((vma.vm_flags & kAccessFlags) == wanted) return;
        vm_stat_account(mm, vma.vm_flags, -static_cast<int64_t>(vma.pages()));
        vma.vm_flags = (vma.vm_flags & ~kAccessFlags) | wanted;
        vm_stat_account(mm, vma.vm_flags, static_cast<int64_t>(vma.pages()));
        change_protection(vma, vma.vm_start, vma.vm_end);
    });
    return {};
}

namespace {

// Moves [from, from + old_bytes) to a new area of new_bytes at `to`, which is free.
Result<VirtAddr> move_vma(mm_struct& mm, vm_area_struct& vma, VirtAddr from, uint64_t old_bytes,
                          uint64_t new_bytes, VirtAddr to) {
    TRY(own_tables(mm, from, from + old_bytes));
    auto area = TRY(make_owned<vm_area_struct>(mm, vma));
    area->vm_pgoff = vma.pgoff_of(from);
    area->vm_start = to;
    area->vm_end = to + new_bytes;
    vm_area_struct* moved = area.leak();
    insert_vm_struct(mm, moved);
    const auto pages = static_cast<int64_t>(moved->pages());
    vm_stat_account(mm, moved->vm_flags, pages);
    if ((moved->vm_flags & VM_LOCKED) != 0) mm.locked_vm += moved->pages();
    const uint64_t common = old_bytes < new_bytes ? old_bytes : new_bytes;
    const Result<> outcome = move_page_tables(vma, from, *moved, to, common);
    if (!outcome) {
        // Back again: the tables on that side still exist, so that this cannot fail.
        (void)move_page_tables(*moved, to, vma, from, common);
        TRY(do_munmap(mm, to, new_bytes));
        return outcome.error();
    }
    TRY(do_munmap(mm, from, old_bytes));
    return to;
}

// Whether vma, which ends where the old range ends, has room for `more` bytes above.
bool can_grow_in_place(mm_struct& mm, const vm_area_struct& vma, VirtAddr old_end, uint64_t more) {
    return vma.vm_end == old_end && more <= kTaskSize - old_end && !has_vma_in(mm, old_end, old_end + more);
}

}  // namespace

Result<VirtAddr> do_mremap(mm_struct& mm, VirtAddr from, uint64_t old_bytes, uint64_t new_bytes,
                           uint64_t flags, VirtAddr new_address) {
    if ((flags & ~(abi::kMremapMayMove | abi::kMremapFixed)) != 0) return Errno::Inval;
    const bool fixed = (flags & abi::kMremapFixed) != 0;
    if (fixed && (flags & abi::kMremapMayMove) == 0) return Errno::Inval;
    old_bytes = page_align_up(old_bytes);
    new_bytes = page_align_up(new_bytes);
    if (!from.is_aligned() || new_bytes == 0 || old_bytes == 0) return Errno::Inval;
    if (from >= kTaskSize || old_bytes > kTaskSize - from || new_bytes > kTaskSize.raw()) return Errno::Fault;

    if (fixed) {
        if (!new_address.is_aligned() || new_address > kTaskSize - new_bytes) return Errno::Inval;
        if (new_address < from + old_bytes && from < new_address + new_bytes) return Errno::Inval;
        TRY(do_munmap(mm, new_address, new_bytes));
    }
    if (!fixed && new_bytes <= old_bytes) {
        if (new_bytes < old_bytes) TRY(do_munmap(mm, from + new_bytes, old_bytes - new_bytes));
        return from;
    }
    vm_area_struct* vma = find_vma(mm, from);
    if (vma == nullptr || !vma->contains(from) || vma->vm_end < from + old_bytes) return Errno::Fault;
    if ((vma->vm_flags & VM_DONTEXPAND) != 0 && new_bytes > old_bytes) return Errno::Fault;
    const uint64_t more = new_bytes > old_bytes ? new_bytes - old_bytes : 0;
    TRY(mlock_future_check(mm, vma->vm_flags, more >> kPageShift));
    if (!may_expand_vm(mm, vma->vm_flags, more >> kPageShift)) return Errno::NoMem;
    if (!fixed && can_grow_in_place(mm, *vma, from + old_bytes, more)) {
        vma_resize(*vma, vma->vm_start, vma->vm_end + more);
        vm_stat_account(mm, vma->vm_flags, static_cast<int64_t>(more >> kPageShift));
        if ((vma->vm_flags & VM_LOCKED) != 0) mm.locked_vm += more >> kPageShift;
        vma_merge(vma);
        return from;
    }
    if ((flags & abi::kMremapMayMove) == 0) return Errno::NoMem;
    const VirtAddr to = fixed ? new_address : TRY(get_unmapped_area(mm, VirtAddr(0), new_bytes));
    return move_vma(mm, *vma, from, old_bytes, new_bytes, to);
}

namespace {

// The area flag that an advice sets or clears, if it is of that kind.
struct FlagAdvice {
    uint64_t set = 0;
    uint64_t clear = 0;
};

Result<FlagAdvice> flag_advice(int advice) {
    switch (static_cast<abi::Madvice>(advice)) {
        case abi::Madvice::DontFork:
            return FlagAdvice{VM_DONTCOPY, 0};
        case abi::Madvice::DoFork:
            return FlagAdvice{0, VM_DONTCOPY};
        case abi::Madvice::WipeOnFork:
            return FlagAdvice{VM_WIPEONFORK, 0};
        case abi::Madvice::KeepOnFork:
            return FlagAdvice{0, VM_WIPEONFORK};
        case abi::Madvice::Normal:
        case abi::Madvice::Random:
        case abi::Madvice::Sequential:
        case abi::Madvice::WillNeed:
        case abi::Madvice::Mergeable:
        case abi::Madvice::Unmergeable:
        case abi::Madvice::HugePage:
        case abi::Madvice::NoHugePage:
        case abi::Madvice::DontDump:
        case abi::Madvice::DoDump:
            return FlagAdvice{};
        default:
            return Errno::Inval;
    }
}

Result<> madvise_dontneed(mm_struct& mm, VirtAddr from, VirtAddr to) {
    mmu_gather gather(mm);
    for (vm_area_struct* vma = find_vma(mm, from); vma != nullptr && vma->vm_start < to;
         vma = mm.mmap.next(*vma)) {
        if ((vma->vm_flags & VM_LOCKED) != 0) return Errno::Inval;
        const VirtAddr first = vma->vm_start > from ? vma->vm_start : from;
        const VirtAddr last = vma->vm_end < to ? vma->vm_end : to;
        TRY(disown_tables(mm, first, last, gather));
        zap_page_range(gather, *vma, first, last);
    }
    return {};
}

}  // namespace

Result<> do_madvise(mm_struct& mm, VirtAddr from, uint64_t bytes, int advice) {
    const auto kind = static_cast<abi::Madvice>(advice);
    const bool discard = kind == abi::Madvice::DontNeed || kind == abi::Madvice::Free;
    const FlagAdvice change = discard ? FlagAdvice{} : TRY(flag_advice(advice));
    TRY(check_range(from, bytes));
    if (bytes == 0) return {};
    const VirtAddr to = from + bytes;
    const bool whole = fully_mapped(mm, from, to);
    if (discard) {
        TRY(madvise_dontneed(mm, from, to));
    } else if (change.set != 0 || change.clear != 0) {
        for (vm_area_struct* vma = find_vma(mm, from); vma != nullptr && vma->vm_start < to;
             vma = mm.mmap.next(*vma)) {
            // Only private anonymous memory can be wiped.
            if ((change.set & VM_WIPEONFORK) != 0 && (vma->vm_file || (vma->vm_flags & VM_SHARED) != 0))
                return Errno::Inval;
        }
        TRY(isolate_range(mm, from, to));
        change_areas(mm, from, to, [&](vm_area_struct& vma) {
            vma.vm_flags = (vma.vm_flags & ~change.clear) | change.set;
        });
    }
    if (!whole) return Errno::NoMem;
    return {};
}

}  // namespace guest
