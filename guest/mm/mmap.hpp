// Areas: finding, making, splitting, merging and removing them.
#pragma once

#include <stdint.h>

#include "guest/lib/result.hpp"
#include "guest/mm/mm_types.hpp"

namespace guest {

// Space that is kept free below a stack, so that it does not grow into its neighbour unseen.
inline constexpr uint64_t kStackGuardGap = 256 * kPageSize;
// The lowest address that a program may map.
inline constexpr VirtAddr kMmapMinAddr{0x10000};

// All of these want mmap_sem held, for writing if they change areas.

// The first area that ends above `at`, or null. It need not contain it.
[[nodiscard]] vm_area_struct* find_vma(mm_struct& mm, VirtAddr at);
// Whether an area has an address in [from, to).
[[nodiscard]] bool has_vma_in(mm_struct& mm, VirtAddr from, VirtAddr to);

// The page cache behind vma, which has a file.
[[nodiscard]] struct address_space* file_mapping_of(const vm_area_struct& vma);

// Takes vma out with what it maps. Its tables are mm's own, or hold nothing of it.
void remove_vma(mm_struct& mm, vm_area_struct* vma);
void insert_vm_struct(mm_struct& mm, vm_area_struct* vma);
// Out of mm and out of the file's list; not freed.
void unlink_vma(vm_area_struct* vma);
// Cuts vma at `at`, which lies inside: vma keeps what is below; the new area above is the result.
Result<vm_area_struct*> split_vma(vm_area_struct* vma, VirtAddr at);
// Joins vma with its neighbours where nothing tells them apart; the area that holds its addresses afterwards.
vm_area_struct* vma_merge(vm_area_struct* vma);
// New borders; the same first page of the file.
void vma_resize(vm_area_struct& vma, VirtAddr start, VirtAddr end);
// The most areas that an address space is to have: /proc/sys/vm/max_map_count. A mmap may exceed it by one.
extern uint64_t max_map_count;
// Whether a split keeps to that.
enum class MapLimit : uint8_t { Counts, Ignored };
// Splits at both ends so that areas begin at from and end at to, where there are any.
Result<> isolate_range(mm_struct& mm, VirtAddr from, VirtAddr to, MapLimit limit = MapLimit::Counts);

// `bytes` of free addresses: at `hint` if it is free, else the highest gap below mmap_base. NoMem.
Result<VirtAddr> get_unmapped_area(mm_struct& mm, VirtAddr hint, uint64_t bytes);
// An area went away: a gap now ends at gap_end, and the next search is to see it.
void forget_gap_search(mm_struct& mm, VirtAddr gap_end);

// An area of `file` (null: anonymous) from page pgoff on. prot and flags as mmap(2). The address.
Result<VirtAddr> do_mmap(mm_struct& mm, file* backing, VirtAddr hint, uint64_t bytes, uint64_t prot,
                         uint64_t flags, uint64_t pgoff);
Result<> do_munmap(mm_struct& mm, VirtAddr from, uint64_t bytes);
// Anonymous private memory at exactly [from, from + bytes), for brk and for programs' bss.
Result<> do_brk(mm_struct& mm, VirtAddr from, uint64_t bytes);
Result<> do_mprotect(mm_struct& mm, VirtAddr from, uint64_t bytes, uint64_t prot);
Result<VirtAddr> do_mremap(mm_struct& mm, VirtAddr from, uint64_t old_bytes, uint64_t new_bytes,
                           uint64_t flags, VirtAddr new_address);
// mmap_sem is not held: advice takes it in its own way.
Result<> do_madvise(mm_struct& mm, VirtAddr from, uint64_t bytes, int advice);

// Whether `pages` more with these flags may be mapped: RLIMIT_AS and RLIMIT_DATA.
[[nodiscard]] bool may_expand_vm(const mm_struct& mm, uint64_t vm_flags, uint64_t pages);
// RLIMIT_DATA again, where mprotect makes memory that was none into data. NoMem.
[[nodiscard]] Result<> check_data_limit(const mm_struct& mm, uint64_t old_flags, uint64_t new_flags,
                                        uint64_t pages);
// Books `pages` in (or, negative, out of) the totals of that kind of area.
void vm_stat_account(mm_struct& mm, uint64_t vm_flags, int64_t pages);

// A fresh address space with an empty user half, one user. NoMem.
Result<mm_struct*> mm_alloc();
// mmput's last user: unmaps everything.
void exit_mmap(mm_struct& mm);

}  // namespace guest
