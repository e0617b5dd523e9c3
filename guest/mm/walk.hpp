// Walking the entries of a range of user addresses.
#pragma once

#include "guest/arch/pgtable.hpp"

namespace guest {

// Calls visit(pmd_t* pmd, VirtAddr from, VirtAddr to) for each part of [from, to) whose last-level table
// exists; `pmd` links it. Parts do not cross a table. A visit may let others run.
template <typename Visit>
void for_each_pmd(const mm_struct& mm, VirtAddr from, VirtAddr to, Visit&& visit) {
    for (VirtAddr at = from; at < to;) {
        const pgd_t* pgd = pgd_offset(mm, at);
        if (!pgd->present()) {
            at = pgd_addr_end(at, to);
            continue;
        }
        const pud_t* pud = pud_offset(pgd, at);
        if (!pud->present()) {
            at = pud_addr_end(at, to);
            continue;
        }
        pmd_t* pmd = pmd_offset(pud, at);
        const VirtAddr next = pmd_addr_end(at, to);
        if (pmd->present()) visit(pmd, at, next);
        at = next;
    }
}

// The same with visit(pte_t* first, VirtAddr from, VirtAddr to): `first` is the entry of `from`.
template <typename Visit>
void for_each_pte_table(const mm_struct& mm, VirtAddr from, VirtAddr to, Visit&& visit) {
    for_each_pmd(mm, from, to,
                 [&](const pmd_t* pmd, VirtAddr at, VirtAddr end) { visit(pte_offset(pmd, at), at, end); });
}

}  // namespace guest
