// mremap: mappings that grow, shrink, move, or are there a second time.
#include "guest/kernel/sched.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mlock.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/mm/overcommit.hpp"
#include "guest/mm/shared_tables.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// One call; lengths in bytes, whole pages.
struct Remap {
    VirtAddr from;
    uint64_t old_bytes;  // 0: the mapping of `from` is to be there twice
    uint64_t new_bytes;
    uint64_t flags;
    VirtAddr to;

    [[nodiscard]] bool has(uint64_t flag) const { return (flags & flag) != 0; }
    [[nodiscard]] VirtAddr old_end() const { return from + old_bytes; }
    // By how many pages the mapping grows.
    [[nodiscard]] uint64_t more_pages() const {
        return new_bytes > old_bytes ? (new_bytes - old_bytes) >> kPageShift : 0;
    }
};

Result<> check_parameters(const Remap& r) {
    constexpr uint64_t kKnown = abi::kMremapMayMove | abi::kMremapFixed | abi::kMremapDontUnmap;
    if ((r.flags & ~kKnown) != 0 || !r.from.is_aligned()) return Errno::Inval;
    if (r.new_bytes == 0 || r.new_bytes > kTaskSize.raw()) return Errno::Inval;
    if (!r.has(abi::kMremapFixed | abi::kMremapDontUnmap)) return {};
    if (!r.has(abi::kMremapMayMove)) return Errno::Inval;
    if (r.has(abi::kMremapDontUnmap) && r.old_bytes != r.new_bytes) return Errno::Inval;
    if (!r.to.is_aligned() || r.to > kTaskSize - r.new_bytes) return Errno::Inval;
    if (r.old_bytes > kTaskSize.raw()) return Errno::Inval;
    if (r.to < r.old_end() && r.from < r.to + r.new_bytes) return Errno::Inval;
    return {};
}

// The area of `from`, if it may become what is wanted: Fault, Inval, NoMem, Again.
Result<vm_area_struct*> vma_to_resize(mm_struct& mm, const Remap& r) {
    vm_area_struct* vma = find_vma(mm, r.from);
    if (vma == nullptr || !vma->contains(r.from)) return Errno::Fault;
    // A private mapping would not be there twice: the second one would be new and empty.
    if (r.old_bytes == 0 && (vma->vm_flags & (VM_SHARED | VM_MAYSHARE)) == 0) return Errno::Inval;
    if (r.has(abi::kMremapDontUnmap) && (vma->vm_flags & VM_DONTEXPAND) != 0) return Errno::Inval;
    if (r.old_bytes > vma->vm_end - r.from) return Errno::Fault;
    const uint64_t added = r.has(abi::kMremapDontUnmap) ? r.new_bytes >> kPageShift : r.more_pages();
    if (added == 0) return vma;
    const uint64_t pgoff = vma->pgoff_of(r.from);
    if (pgoff + (r.new_bytes >> kPageShift) < pgoff) return Errno::Inval;
    if ((vma->vm_flags & VM_DONTEXPAND) != 0) return Errno::Fault;
    if (r.more_pages() != 0) TRY(mlock_future_check(mm, vma->vm_flags, r.more_pages()));
    if (!may_expand_vm(mm, vma->vm_flags, added)) return Errno::NoMem;
    return vma;
}

void account(mm_struct& mm, const vm_area_struct& vma, int64_t pages) {
    vm_stat_account(mm, vma.vm_flags, pages);
    if ((vma.vm_flags & VM_LOCKED) != 0) mm.locked_vm += static_cast<uint64_t>(pages);
}

// The area at the new place, empty yet. NoMem.
Result<vm_area_struct*> copy_vma(mm_struct& mm, const vm_area_struct& vma, const Remap& r) {
    auto area = TRY(make_owned<vm_area_struct>(mm, vma));
    area->vm_pgoff = vma.pgoff_of(r.from);
    area->vm_start = r.to;
    area->vm_end = r.to + r.new_bytes;
    vm_area_struct* copy = area.leak();
    insert_vm_struct(mm, copy);
    account(mm, *copy, static_cast<int64_t>(copy->pages()));
    return copy;
}

// The old range, which is an area of its own, stays without its pages (MREMAP_DONTUNMAP): locks move on.
void leave_empty(mm_struct& mm, vm_area_struct* vma) {
    if ((vma->vm_flags & VM_LOCKED) != 0) mm.locked_vm -= vma->pages();
    vma->vm_flags &= ~VM_LOCKED_MASK;
    vma_merge(vma);
}

// The old range is an area of its own, or there is none.
Result<> move_pages(mm_struct& mm, vm_area_struct& vma, const Remap& r) {
    TRY(own_tables(mm, r.from, r.old_end()));
    vm_area_struct* copy = TRY(copy_vma(mm, vma, r));
    const uint64_t common = r.old_bytes < r.new_bytes ? r.old_bytes : r.new_bytes;
    const Result<> moved = move_page_tables(vma, r.from, *copy, r.to, common);
    if (!moved) {
        // Back again: the tables on that side still exist, so that this cannot fail.
        BUG_ON(!move_page_tables(*copy, r.to, vma, r.from, common));
        copy->vm_flags &= ~VM_ACCOUNT;  // the caller knows what was promised
        remove_vma(mm, copy);
        return moved.error();
    }
    return {};
}

// The pages that are moved are promised already.
Result<VmPromise> promise_more(mm_struct& mm, const vm_area_struct& vma, const Remap& r) {
    const bool counted = (vma.vm_flags & VM_ACCOUNT) != 0;
    const uint64_t more = r.has(abi::kMremapDontUnmap) ? r.new_bytes >> kPageShift : r.more_pages();
    return VmPromise::make(&mm, counted ? more : 0);
}

// The old range, which is an area of its own, moves to r.to.
Result<> move_area(mm_struct& mm, const Remap& r) {
    vm_area_struct* old = find_vma(mm, r.from);
    VmPromise promise = TRY(promise_more(mm, *old, r));
    TRY(move_pages(mm, *old, r));
    promise.keep();
    if (r.has(abi::kMremapDontUnmap)) {
        leave_empty(mm, old);
    } else {
        old->vm_flags &= ~VM_ACCOUNT;  // the promise went along
        remove_vma(mm, old);
    }
    return {};
}

// Moves the pages to a new area at r.to, which is free. NoMem leaves all as it was.
Result<> move_vma(mm_struct& mm, const Remap& r) {
    // Both ends of the old range may need a split, and the new one is an area, too.
    if (mm.map_count + 3 >= max_map_count) return Errno::NoMem;
    if (r.old_bytes == 0) return move_pages(mm, *find_vma(mm, r.from), r);
    // First what may fail: afterwards the old range can be given up without any memory.
    Errno why = Errno::NoMem;
    if (const Result<> cut = isolate_range(mm, r.from, r.old_end())) {
        const Result<> moved = move_area(mm, r);
        if (moved) return {};
        why = moved.error();
    }
    vma_merge(find_vma(mm, r.from));
    return why;
}

Result<VirtAddr> mremap_to(mm_struct& mm, Remap r) {
    if (r.has(abi::kMremapFixed)) {
        if (r.to < kMmapMinAddr && !capable(kCapSysAdmin)) return Errno::Perm;
        TRY(do_munmap(mm, r.to, r.new_bytes));
    }
    if (r.old_bytes > r.new_bytes) {
        TRY(do_munmap(mm, r.from + r.new_bytes, r.old_bytes - r.new_bytes));
        r.old_bytes = r.new_bytes;
    }
    TRY(vma_to_resize(mm, r));
    if (!r.has(abi::kMremapFixed)) r.to = TRY(get_unmapped_area(mm, r.to, r.new_bytes));
    TRY(move_vma(mm, r));
    return r.to;
}

// Whether vma, which ends where the old range ends, has room for as many pages more.
bool can_grow_in_place(mm_struct& mm, const vm_area_struct& vma, const Remap& r) {
    const uint64_t more = r.more_pages() << kPageShift;
    return vma.vm_end == r.old_end() && more <= kTaskSize - vma.vm_end &&
           !has_vma_in(mm, vma.vm_end, vma.vm_end + more);
}

}  // namespace

Result<VirtAddr> do_mremap(mm_struct& mm, VirtAddr from, uint64_t old_bytes, uint64_t new_bytes,
                           uint64_t flags, VirtAddr new_address) {
    Remap r{from, page_align_up(old_bytes), page_align_up(new_bytes), flags, new_address};
    TRY(check_parameters(r));
    const vm_area_struct* there = find_vma(mm, from);
    if (there == nullptr || !there->contains(from)) return Errno::Fault;
    if (r.has(abi::kMremapFixed | abi::kMremapDontUnmap)) return mremap_to(mm, r);
    if (r.old_bytes >= r.new_bytes) {
        if (r.old_bytes > r.new_bytes) TRY(do_munmap(mm, from + r.new_bytes, r.old_bytes - r.new_bytes));
        return from;
    }
    vm_area_struct* vma = TRY(vma_to_resize(mm, r));
    if (can_grow_in_place(mm, *vma, r)) {
        VmPromise promise = TRY(promise_more(mm, *vma, r));
        promise.keep();
        vma_resize(*vma, vma->vm_start, vma->vm_end + (r.more_pages() << kPageShift));
        account(mm, *vma, static_cast<int64_t>(r.more_pages()));
        vma_merge(vma);
        return from;
    }
    if (!r.has(abi::kMremapMayMove)) return Errno::NoMem;
    r.to = TRY(get_unmapped_area(mm, VirtAddr(0), r.new_bytes));
    TRY(move_vma(mm, r));
    return r.to;
}

}  // namespace guest
