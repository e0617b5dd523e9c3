// Sharing last-level page tables at fork, and copying one on first need.
#include "guest/mm/shared_tables.hpp"

#include "guest/arch/tlb.hpp"
#include "guest/mm/bug.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/mm/walk.hpp"

namespace guest {

namespace {

constinit bool sharing = false;

// What keeps an area's entries from being shared: they belong to a file, others see what is written there, or
// the child is not to have them.
constexpr uint64_t kNotShared = VM_SHARED | VM_DONTCOPY | VM_WIPEONFORK | VM_IO;

[[nodiscard]] VirtAddr span_of(VirtAddr at) { return at.align_down(kPmdSize); }

// The entries of `old` for `copy`. From now on two tables use each frame: nobody may write to it. No flush:
// the entries that link `old` are read-only and were flushed when they became so.
void copy_entries(pte_t* copy, pte_t* old) {
    for (unsigned i = 0; i < kTableEntries; ++i) {
        if (!read_pte(&old[i]).present()) continue;
        if (read_pte(&old[i]).write()) ptep_set_wrprotect(&old[i]);
        const pte_t entry = read_pte(&old[i]);
        page* frame = phys_to_page(entry.frame());
        if (!is_zero_page(frame)) {
            get_page(frame);
            page_add_rmap(frame);
        }
        set_pte(&copy[i], entry);
    }
}

// Whether mm maps anything in the span of `at` outside [from, to).
bool maps_around(mm_struct& mm, VirtAddr at, VirtAddr from, VirtAddr to) {
    const VirtAddr begin = span_of(at);
    const VirtAddr end = begin + kPmdSize;
    return (begin < from && has_vma_in(mm, begin, from)) || (to < end && has_vma_in(mm, to, end));
}

// Takes the shared table out of mm. `gather` holds its reference and has to be flushed before others run: the
// last one to leave would take the table for shared still, and nobody would give back what it maps.
void drop_table(mm_struct& mm, pmd_t* pmd, VirtAddr at, mmu_gather& gather) {
    page* table = phys_to_page(pmd->frame());
    const spinlock_guard guard(mm.page_table_lock);
    mm.anon_rss -= table->inuse;
    --mm.nr_ptes;
    set_entry(pmd, pmd_t{});
    gather.cleared(span_of(at));
    gather.cleared(span_of(at) + (kPmdSize - kPageSize));
    gather.remove_table(table);
}

}  // namespace

void set_fork_shares_tables(bool on) { sharing = on; }
bool fork_shares_tables() { return sharing; }

bool can_share_table(mm_struct& src, VirtAddr at) {
    const VirtAddr end = span_of(at) + kPmdSize;
    for (const vm_area_struct* vma = find_vma(src, span_of(at)); vma != nullptr && vma->vm_start < end;
         vma = src.mmap.next(*vma)) {
        if (vma->vm_file || (vma->vm_flags & kNotShared) != 0) return false;
    }
    return true;
}

bool share_table(mm_struct& dst, mm_struct& src, VirtAddr at, bool& protected_any) {
    pmd_t* to = pmd_alloc_map(dst, at);
    if (to == nullptr) return false;
    if (to->present()) return true;  // it came with another area of the same span
    pmd_t* from = lookup_pmd(src, at);
    page* table = phys_to_page(from->frame());
    const spinlock_guard guard(src.page_table_lock);
    if (from->write() && !has_bug(Bug::TableSharedByMistake)) {
        set_entry(from, pmd_t{from->raw & ~_PAGE_RW});
        protected_any = true;
    }
    get_page(table);
    set_entry(to, *from);
    ++dst.nr_ptes;
    dst.anon_rss += table->inuse;
    return true;
}

bool own_table(mm_struct& mm, pmd_t* pmd, VirtAddr at) {
    page* old = phys_to_page(pmd->frame());
    if (!is_shared_table(old)) {
        const spinlock_guard guard(mm.page_table_lock);
        set_entry(pmd, pmd_t{pmd->raw | _PAGE_RW});
        return true;
    }
    page* copy = alloc_zeroed_page(FrameUse::PageTable);
    if (copy == nullptr) return false;
    {
        const spinlock_guard guard(mm.page_table_lock);
        copy_entries(static_cast<pte_t*>(page_address(copy)), static_cast<pte_t*>(page_address(old)));
        copy->inuse = old->inuse;
        set_entry(pmd, pmd_t{page_to_phys(copy).raw() | _PAGE_TABLE});
        // The pages are where they were, but the CPU may remember the old table itself, which its other users
        // will change (Intel SDM vol. 3A, 4.10.3 "Paging-Structure Caches").
        flush_tlb_page(mm, at);
    }
    put_page(old);
    return true;
}

Result<> own_tables(mm_struct& mm, VirtAddr from, VirtAddr to) {
    Result<> outcome;
    for_each_pmd(mm, from, to, [&](pmd_t* pmd, VirtAddr at, VirtAddr) {
        if (!outcome || !is_shared_table(phys_to_page(pmd->frame()))) return;
        if (!own_table(mm, pmd, at)) outcome = Errno::NoMem;
    });
    return outcome;
}

Result<> disown_tables(mm_struct& mm, VirtAddr from, VirtAddr to, mmu_gather& gather) {
    Result<> outcome;
    for_each_pmd(mm, from, to, [&](pmd_t* pmd, VirtAddr at, VirtAddr) {
        if (!outcome || !is_shared_table(phys_to_page(pmd->frame()))) return;
        if (!maps_around(mm, at, from, to)) {
            drop_table(mm, pmd, at, gather);
        } else if (!own_table(mm, pmd, at)) {
            outcome = Errno::NoMem;
        }
    });
    gather.flush();  // nothing above waits, taking a frame neither: others find exact counts
    return outcome;
}

}  // namespace guest
