// Reading and changing page tables.
//
//   47       39 38       30 29       21 20       12 11          0
//  +-----------+-----------+-----------+-----------+-------------+
//  | pgd index | pud index | pmd index | pte index | page offset |
//  +-----------+-----------+-----------+-----------+-------------+
#pragma once

#include "guest/arch/pgtable_types.hpp"
#include "guest/mm/mm_types.hpp"
#include "guest/mm/page.hpp"

namespace guest {

class mmu_gather;

template <unsigned Level>
[[nodiscard]] constexpr unsigned table_index(VirtAddr at) {
    return static_cast<unsigned>(at.raw() >> (kPageShift + 9 * (Level - 1))) & (kTableEntries - 1);
}

// All stores to live entries go through these: one 8-byte store or exchange, so that hardware and other CPUs
// see the old or the new entry.
template <unsigned Level>
inline void set_entry(table_entry<Level>* at, table_entry<Level> value) {
    __atomic_store_n(&at->raw, value.raw, __ATOMIC_RELEASE);
}
inline void set_pte(pte_t* at, pte_t value) { set_entry(at, value); }
[[nodiscard]] inline pte_t read_pte(const pte_t* at) {
    return pte_t{__atomic_load_n(&at->raw, __ATOMIC_ACQUIRE)};
}
// Clears the entry; what was there, with the accessed and dirty bits of the last moment.
inline pte_t ptep_get_and_clear(pte_t* at) {
    return pte_t{__atomic_exchange_n(&at->raw, 0, __ATOMIC_SEQ_CST)};
}
inline void ptep_clear_young(pte_t* at) { __atomic_and_fetch(&at->raw, ~_PAGE_ACCESSED, __ATOMIC_SEQ_CST); }
// Hardware sets it again at the next write only once the TLB has forgotten the entry.
inline void ptep_clear_dirty(pte_t* at) { __atomic_and_fetch(&at->raw, ~_PAGE_DIRTY, __ATOMIC_SEQ_CST); }
// The next write faults and makes the page soft-dirty again.
inline void ptep_clear_soft_dirty(pte_t* at) {
    __atomic_and_fetch(&at->raw, ~(_PAGE_RW | _PAGE_SOFT_DIRTY), __ATOMIC_SEQ_CST);
}
inline void ptep_set_wrprotect(pte_t* at) { __atomic_and_fetch(&at->raw, ~_PAGE_RW, __ATOMIC_SEQ_CST); }

// The table that an entry leads to; the entry is present.
[[nodiscard]] inline pud_t* pgd_table(pgd_t entry) {
    return static_cast<pud_t*>(phys_to_virt(entry.frame()));
}
[[nodiscard]] inline pmd_t* pud_table(pud_t entry) {
    return static_cast<pmd_t*>(phys_to_virt(entry.frame()));
}
[[nodiscard]] inline pte_t* pmd_table(pmd_t entry) {
    return static_cast<pte_t*>(phys_to_virt(entry.frame()));
}

[[nodiscard]] inline pgd_t* pgd_offset(const mm_struct& mm, VirtAddr at) {
    return mm.pgd + table_index<4>(at);
}
[[nodiscard]] inline pud_t* pud_offset(const pgd_t* pgd, VirtAddr at) {
    return pgd_table(*pgd) + table_index<3>(at);
}
[[nodiscard]] inline pmd_t* pmd_offset(const pud_t* pud, VirtAddr at) {
    return pud_table(*pud) + table_index<2>(at);
}
[[nodiscard]] inline pte_t* pte_offset(const pmd_t* pmd, VirtAddr at) {
    return pmd_table(*pmd) + table_index<1>(at);
}

// Where the next entry of that level begins, or `end` if that comes first.
template <unsigned Shift>
[[nodiscard]] constexpr VirtAddr next_boundary(VirtAddr at, VirtAddr end) {
    const VirtAddr next = (at + (uint64_t{1} << Shift)).align_down(uint64_t{1} << Shift);
    return next < end ? next : end;
}
[[nodiscard]] constexpr VirtAddr pgd_addr_end(VirtAddr at, VirtAddr end) {
    return next_boundary<kPgdShift>(at, end);
}
[[nodiscard]] constexpr VirtAddr pud_addr_end(VirtAddr at, VirtAddr end) {
    return next_boundary<kPudShift>(at, end);
}
[[nodiscard]] constexpr VirtAddr pmd_addr_end(VirtAddr at, VirtAddr end) {
    return next_boundary<kPmdShift>(at, end);
}

[[nodiscard]] inline pte_t mk_pte(PhysAddr frame, uint64_t rights) { return pte_t{frame.raw() | rights}; }
[[nodiscard]] inline pte_t pte_mkwrite(pte_t entry) { return pte_t{entry.raw | _PAGE_RW}; }
[[nodiscard]] inline pte_t pte_wrprotect(pte_t entry) { return pte_t{entry.raw & ~_PAGE_RW}; }
[[nodiscard]] inline pte_t pte_mkdirty(pte_t entry) { return pte_t{entry.raw | _PAGE_DIRTY_BITS}; }
[[nodiscard]] inline pte_t pte_mkyoung(pte_t entry) { return pte_t{entry.raw | _PAGE_ACCESSED}; }

// The bits of an area's entries other than the frame. Write permission is left out: faults add it when the
// page may be written. PROT_NONE gives entries that are not present to the hardware.
[[nodiscard]] uint64_t vm_page_rights(uint64_t vm_flags);

// The entry for `at`, or null when a table on the way is missing.
[[nodiscard]] pte_t* lookup_pte(const mm_struct& mm, VirtAddr at);
[[nodiscard]] pmd_t* lookup_pmd(const mm_struct& mm, VirtAddr at);
// The entry for `at`, to be changed, with all tables on the way, made where missing; null without memory. Its
// table is mm's own. mmap_sem is held.
[[nodiscard]] pte_t* pte_alloc_map(mm_struct& mm, VirtAddr at);
[[nodiscard]] pmd_t* pmd_alloc_map(mm_struct& mm, VirtAddr at);

// A top table with the kernel's half filled in; null without memory.
[[nodiscard]] pgd_t* pgd_alloc();
void pgd_free(pgd_t* pgd);
// Frees the tables of [from, to) that lie wholly in [floor, ceiling), the space between the areas that stay.
void free_pgtables(mm_struct& mm, VirtAddr from, VirtAddr to, VirtAddr floor, VirtAddr ceiling,
                   mmu_gather& gather);

}  // namespace guest
