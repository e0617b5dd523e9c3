// fork=shared-tables (row W9): fork gives the child the parent's last-level page tables themselves instead of
// copies of their entries. The entries that link a shared table are read-only on both sides, so that the
// first write below one faults; the writer then gets a copy of that table, and the pages in it are shared as
// after an ordinary fork. A fork costs two writes for each 2 MiB, not for each page.
//
//   parent's pmd ---R/W=0---.                        parent's pmd ---R/W=0---> table
//                            >--- table              child's pmd  ---R/W=1---> copy of the table
//   child's pmd  ---R/W=0---'                        (leaf entries R/W=0 in both, each frame counted twice)
//
// Shared are tables that map private anonymous memory alone. Nobody changes an entry of a shared table, but
// for copying it: whoever wants to makes the table its own first, or drops it. A table's page_count() says
// how many entries link it; its `inuse` says how many counted frames it maps.
#pragma once

#include "guest/arch/pgtable.hpp"
#include "guest/lib/result.hpp"
#include "guest/mm/mmu_gather.hpp"

namespace guest {

// For the kernel command line; before the first fork.
void set_fork_shares_tables(bool on);
[[nodiscard]] bool fork_shares_tables();

[[nodiscard]] inline bool is_shared_table(const page* table) { return page_count(table) > 1; }

// fork: whether the whole span of the table for `at` may be shared. src's mmap_sem is held.
[[nodiscard]] bool can_share_table(mm_struct& src, VirtAddr at);
// Links src's table for `at`, which exists, into dst; false without memory. Sets `protected_any` if src lost
// write permission: its TLB must be flushed before it goes on. Both mmap_sems are held for writing.
bool share_table(mm_struct& dst, mm_struct& src, VirtAddr at, bool& protected_any);

// Makes the table that a read-only pmd entry links mm's own and the entry writable: by a copy if others use
// it too. False without memory. mmap_sem is held.
bool own_table(mm_struct& mm, pmd_t* pmd, VirtAddr at);
// The same for every shared table of [from, to). NoMem.
Result<> own_tables(mm_struct& mm, VirtAddr from, VirtAddr to);
// Before the entries of [from, to) are cleared: unlinks the shared tables that map nothing else, and copies
// those that do. NoMem; it cannot fail for all of user space. mmap_sem is held.
Result<> disown_tables(mm_struct& mm, VirtAddr from, VirtAddr to, mmu_gather& gather);

}  // namespace guest
