// Clearing, re-protecting and moving the entries of a range.
#include "guest/arch/tlb.hpp"
#include "guest/fs/address_space.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/bug.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/shared_tables.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/mm/walk.hpp"

namespace guest {

namespace {

// Takes one present entry out. page_table_lock is held.
void zap_pte(mmu_gather& gather, mm_struct& mm, pte_t* pte, VirtAddr at) {
    const pte_t old = has_bug(Bug::FreedWhileMapped) ? read_pte(pte) : ptep_get_and_clear(pte);
    gather.cleared(at);
    page* frame = phys_to_page(old.frame());
    if (is_zero_page(frame)) return;
    --mm.rss_of(frame);
    if (!is_anonymous(frame) && old.dirty()) frame->dirty = 1;
    page_remove_rmap(frame);
    --virt_to_page(pte)->inuse;
    if (!has_bug(Bug::RefcountLeak)) gather.remove_page(frame);
}

// The bits that change_protection keeps of an entry.
constexpr uint64_t kKeptBits = kPteFrameMask | _PAGE_ACCESSED | _PAGE_DIRTY_BITS;

pte_t with_rights(pte_t old, const vm_area_struct& vma) {
    const uint64_t kept = has_bug(Bug::DirtyBitDropped) ? kKeptBits & ~_PAGE_DIRTY : kKeptBits;
    uint64_t raw = (old.raw & kept) | vm_page_rights(vma.vm_flags);
    const bool may_write = (vma.vm_flags & VM_WRITE) != 0;
    const bool shared = (vma.vm_flags & VM_SHARED) != 0;
    // Private pages that were writable are this space's own. The others find out by a fault.
    const bool seen = old.soft_dirty() || !tracks_writes(vma);
    if (may_write && seen && (shared || old.write())) raw |= _PAGE_RW;
    return pte_t{raw};
}

bool weaker(pte_t fresh, pte_t old) {
    const uint64_t lost = old.raw & ~fresh.raw & (_PAGE_PRESENT | _PAGE_RW | _PAGE_USER);
    return lost != 0 || (fresh.raw & ~old.raw & _PAGE_NX) != 0;
}

}  // namespace

void zap_page_range(mmu_gather& gather, const vm_area_struct& vma, VirtAddr from, VirtAddr to, Unmap what) {
    mm_struct& mm = *vma.vm_mm;
    for_each_pte_table(mm, from, to, [&](pte_t* pte, VirtAddr at, VirtAddr end) {
        const spinlock_guard guard(mm.page_table_lock);
        for (; at < end; at += kPageSize, ++pte) {
            const pte_t entry = read_pte(pte);
            if (!entry.present()) continue;
            if (what == Unmap::FilePages && is_anonymous(phys_to_page(entry.frame()))) continue;
            BUG_ON(is_shared_table(virt_to_page(pte)));
            zap_pte(gather, mm, pte, at);
        }
    });
}

void change_protection(vm_area_struct& vma, VirtAddr from, VirtAddr to) {
    mm_struct& mm = *vma.vm_mm;
    VirtAddr flush_from = to;
    VirtAddr flush_to = from;
    for_each_pte_table(mm, from, to, [&](pte_t* pte, VirtAddr at, VirtAddr end) {
        const spinlock_guard guard(mm.page_table_lock);
        for (; at < end; at += kPageSize, ++pte) {
            const pte_t old = read_pte(pte);
            if (!old.present()) continue;
            const pte_t fresh = with_rights(old, vma);
            if (fresh == old) continue;
            set_pte(pte, fresh);
            if (!weaker(fresh, old)) continue;
            if (at < flush_from) flush_from = at;
            flush_to = at + kPageSize;
        }
    });
    if (flush_from < flush_to && !has_bug(Bug::MprotectWithoutFlush))
        flush_tlb_range(mm, flush_from, flush_to);
}

Result<> clear_soft_dirty(mm_struct& mm) {
    TRY(own_tables(mm, VirtAddr(0), kUserEnd));
    for (vm_area_struct& vma : mm.mmap) {
        vma.vm_flags &= ~VM_SOFTDIRTY;
        for_each_pte_table(mm, vma.vm_start, vma.vm_end, [&](pte_t* pte, VirtAddr at, VirtAddr end) {
            const spinlock_guard guard(mm.page_table_lock);
            for (; at < end; at += kPageSize, ++pte) {
                if (read_pte(pte).present()) ptep_clear_soft_dirty(pte);
            }
        });
    }
    flush_tlb_mm(mm);
    return {};
}

Result<> move_page_tables(vm_area_struct& from_vma, VirtAddr from, vm_area_struct& to_vma, VirtAddr to,
                          uint64_t bytes) {
    mm_struct& mm = *from_vma.vm_mm;
    for (uint64_t offset = 0; offset < bytes; offset += kPageSize) {
        pte_t* source = lookup_pte(mm, from + offset);
        if (source == nullptr || !read_pte(source).present()) continue;
        pte_t* target = pte_alloc_map(*to_vma.vm_mm, to + offset);
        if (target == nullptr) return Errno::NoMem;
        const spinlock_guard guard(mm.page_table_lock);
        const pte_t entry = ptep_get_and_clear(source);
        flush_tlb_page(mm, from + offset);
        // To whoever watches, what has come to an address is new there.
        set_pte(target, pte_t{entry.raw | _PAGE_SOFT_DIRTY});
        if (is_zero_page(phys_to_page(entry.frame()))) continue;
        --virt_to_page(source)->inuse;
        ++virt_to_page(target)->inuse;
    }
    return {};
}

void unmap_mapping_range(address_space& mapping, uint64_t index, uint64_t count, Unmap what) {
    const mutex_guard guard(mapping.i_mmap_mutex);
    const uint64_t limit = count > ~uint64_t{0} - index ? ~uint64_t{0} : index + count;
    for (list_head* node = mapping.i_mmap.next; node != &mapping.i_mmap; node = node->next) {
        const vm_area_struct& vma = *list_entry<vm_area_struct, &vm_area_struct::shared>(node);
        const uint64_t first = index > vma.vm_pgoff ? index - vma.vm_pgoff : 0;
        const uint64_t end = limit > vma.vm_pgoff ? limit - vma.vm_pgoff : 0;
        const uint64_t last = end < vma.pages() ? end : vma.pages();
        if (first >= last) continue;
        mmu_gather gather(*vma.vm_mm);
        zap_page_range(gather, vma, vma.vm_start + (first << kPageShift), vma.vm_start + (last << kPageShift),
                       what);
    }
}

}  // namespace guest
