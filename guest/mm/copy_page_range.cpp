// The heart of fork: the child gets the parent's page-table entries, and where a write must copy, both sides
// lose their write permission (rows W1, W5).
#include "guest/arch/tlb.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/bug.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/shared_tables.hpp"
#include "guest/mm/walk.hpp"

namespace guest {

namespace {

// One present entry. src's page_table_lock is held; nobody else sees dst.
void copy_one_pte(mm_struct& dst, pte_t* dst_pte, pte_t* src_pte, const vm_area_struct& vma,
                  bool& protected_any) {
    pte_t entry = read_pte(src_pte);
    if (vma.is_cow() && entry.write()) {
        if (!has_bug(Bug::ParentLeftWritable)) ptep_set_wrprotect(src_pte);
        entry = pte_wrprotect(read_pte(src_pte));
        protected_any = true;
    }
    // The child has neither read nor, in a shared mapping, written it.
    entry.raw &= ~_PAGE_ACCESSED;
    if ((vma.vm_flags & VM_SHARED) != 0) entry.raw &= ~_PAGE_DIRTY;
    page* frame = phys_to_page(entry.frame());
    if (!is_zero_page(frame)) {
        if (!has_bug(Bug::RefcountUnderflow)) get_page(frame);
        page_add_rmap(frame);
        ++virt_to_page(dst_pte)->inuse;
        ++dst.rss_of(frame);
    }
    set_pte(dst_pte, entry);
}

// Only tables with something in them are worth a table of the child's.
bool has_present_entry(const pte_t* pte, VirtAddr from, VirtAddr to) {
    for (VirtAddr at = from; at < to; at += kPageSize, ++pte) {
        if (read_pte(pte).present()) return true;
    }
    return false;
}

}  // namespace

Result<> copy_page_range(mm_struct& dst, mm_struct& src, const vm_area_struct& vma, bool& protected_any) {
    Result<> outcome;
    for_each_pte_table(src, vma.vm_start, vma.vm_end, [&](pte_t* src_pte, VirtAddr at, VirtAddr end) {
        if (!outcome) return;
        if ((fork_shares_tables() || has_bug(Bug::TableSharedByMistake)) && can_share_table(src, at)) {
            if (!share_table(dst, src, at, protected_any)) outcome = Errno::NoMem;
            return;
        }
        if (!has_present_entry(src_pte, at, end)) return;
        pte_t* dst_pte = pte_alloc_map(dst, at);
        if (dst_pte == nullptr) {
            outcome = Errno::NoMem;
            return;
        }
        {
            const spinlock_guard guard(src.page_table_lock);
            for (; at < end; at += kPageSize, ++src_pte, ++dst_pte) {
                if (read_pte(src_pte).present()) copy_one_pte(dst, dst_pte, src_pte, vma, protected_any);
            }
        }
        // Another thread of the caller may run now: it must not find writable entries in the TLB.
        if (!this_cpu().need_resched) return;
        if (protected_any && !has_bug(Bug::NoFlushAtFork)) flush_tlb_mm(src);
        protected_any = false;
        cond_resched();
    });
    dst.hiwater_rss = dst.rss();
    return outcome;
}

}  // namespace guest
