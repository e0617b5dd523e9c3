// Making and freeing page tables.
#include "guest/arch/pgtable.hpp"

#include "guest/lib/spinlock.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/bug.hpp"
#include "guest/mm/mmu_gather.hpp"
#include "guest/mm/shared_tables.hpp"

namespace guest {

namespace {

constexpr unsigned kUserSlots = kTableEntries / 2;

// Makes the table below `entry` if there is none; false without memory.
template <unsigned Level>
bool alloc_table(mm_struct& mm, table_entry<Level>* entry, uint64_t& count) {
    if (entry->present()) return true;
    const FrameUse use = has_bug(Bug::TableOfWrongUse) ? FrameUse::Anonymous : FrameUse::PageTable;
    page* table = alloc_zeroed_page(use);
    if (table == nullptr) return false;
    const spinlock_guard guard(mm.page_table_lock);
    // Another thread's fault may have been faster.
    if (entry->present()) {
        put_page(table);
        return true;
    }
    set_entry(entry, table_entry<Level>{page_to_phys(table).raw() | _PAGE_TABLE});
    ++count;
    return true;
}

// A range of addresses whose tables may go, because no area needs them any more.
struct FreeRange {
    mm_struct& mm;
    VirtAddr floor;
    VirtAddr ceiling;
    mmu_gather& gather;

    // Whether the span that one entry covers lies in the range.
    [[nodiscard]] bool covers(VirtAddr at, uint64_t span) const {
        const VirtAddr base = at.align_down(span);
        return base >= floor && ceiling - base >= span;
    }
    template <unsigned Level>
    void free_table(table_entry<Level>* entry, uint64_t& count) {
        const PhysAddr frame = entry->frame();
        set_entry(entry, table_entry<Level>{});
        --count;
        gather.remove_table(phys_to_page(frame));
    }
    void free_pmd_range(pud_t* pud, VirtAddr from, VirtAddr to) {
        for (VirtAddr at = from; at < to; at = pmd_addr_end(at, to)) {
            pmd_t* pmd = pmd_offset(pud, at);
            if (pmd->present() && covers(at, kPmdSize)) free_table(pmd, mm.nr_ptes);
        }
        if (covers(from, kPudSize)) free_table(pud, mm.nr_pmds);
    }
    void free_pud_range(pgd_t* pgd, VirtAddr from, VirtAddr to) {
        for (VirtAddr at = from; at < to; at = pud_addr_end(at, to)) {
            pud_t* pud = pud_offset(pgd, at);
            if (pud->present()) free_pmd_range(pud, at, pud_addr_end(at, to));
        }
        if (covers(from, kPgdSize)) free_table(pgd, mm.nr_puds);
    }
};

}  // namespace

uint64_t vm_page_rights(uint64_t vm_flags) {
    if ((vm_flags & (VM_READ | VM_WRITE | VM_EXEC)) == 0) return _PAGE_PROTNONE | _PAGE_USER | _PAGE_NX;
    return _PAGE_PRESENT | _PAGE_USER | ((vm_flags & VM_EXEC) != 0 ? 0 : _PAGE_NX);
}

pmd_t* lookup_pmd(const mm_struct& mm, VirtAddr at) {
    const pgd_t* pgd = pgd_offset(mm, at);
    if (!pgd->present()) return nullptr;
    const pud_t* pud = pud_offset(pgd, at);
    return pud->present() ? pmd_offset(pud, at) : nullptr;
}

pte_t* lookup_pte(const mm_struct& mm, VirtAddr at) {
    const pmd_t* pmd = lookup_pmd(mm, at);
    return pmd != nullptr && pmd->present() ? pte_offset(pmd, at) : nullptr;
}

pmd_t* pmd_alloc_map(mm_struct& mm, VirtAddr at) {
    pgd_t* pgd = pgd_offset(mm, at);
    if (!alloc_table(mm, pgd, mm.nr_puds)) return nullptr;
    pud_t* pud = pud_offset(pgd, at);
    return alloc_table(mm, pud, mm.nr_pmds) ? pmd_offset(pud, at) : nullptr;
}

pte_t* pte_alloc_map(mm_struct& mm, VirtAddr at) {
    pmd_t* pmd = pmd_alloc_map(mm, at);
    if (pmd == nullptr || !alloc_table(mm, pmd, mm.nr_ptes)) return nullptr;
    if (!pmd->write() && !own_table(mm, pmd, at)) return nullptr;
    return pte_offset(pmd, at);
}

pgd_t* pgd_alloc() {
    page* table = alloc_zeroed_page(FrameUse::PageTable);
    if (table == nullptr) return nullptr;
    auto* pgd = static_cast<pgd_t*>(page_address(table));
    memcpy(pgd + kUserSlots, init_mm.pgd + kUserSlots, kUserSlots * sizeof(pgd_t));
    return pgd;
}

void pgd_free(pgd_t* pgd) { put_page(virt_to_page(pgd)); }

void free_pgtables(mm_struct& mm, VirtAddr from, VirtAddr to, VirtAddr floor, VirtAddr ceiling,
                   mmu_gather& gather) {
    const spinlock_guard guard(mm.page_table_lock);
    FreeRange range{mm, floor, ceiling, gather};
    for (VirtAddr at = from; at < to; at = pgd_addr_end(at, to)) {
        pgd_t* pgd = pgd_offset(mm, at);
        if (pgd->present()) range.free_pud_range(pgd, at, pgd_addr_end(at, to));
    }
}

}  // namespace guest
