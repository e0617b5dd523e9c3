// Memory locks: pages that are wanted in memory at all times. There is no swap, so that locking means to
// bring pages in, to count them in mm->locked_vm, and to keep to RLIMIT_MEMLOCK.
#pragma once

#include <stdint.h>

#include "guest/lib/result.hpp"
#include "guest/mm/mm_types.hpp"

namespace guest {

inline constexpr uint64_t VM_LOCKED_MASK = VM_LOCKED | VM_LOCKONFAULT;

// Whether current may lock anything at all.
[[nodiscard]] bool can_do_mlock();
// Whether `pages` more may be mapped with those flags: Again beyond RLIMIT_MEMLOCK if they are locked.
Result<> mlock_future_check(const mm_struct& mm, uint64_t vm_flags, uint64_t pages);

// The areas of [from, from + bytes) get lock_flags (of VM_LOCKED_MASK) and no others of that mask. NoMem
// where nothing is mapped: what lies before is changed. mmap_sem is held for writing.
Result<> apply_vma_lock_flags(mm_struct& mm, VirtAddr from, uint64_t bytes, uint64_t lock_flags);
void apply_mlockall_flags(mm_struct& mm, uint64_t lock_flags);
// Locked pages of [from, from + bytes). mmap_sem is held.
[[nodiscard]] uint64_t count_locked_pages(mm_struct& mm, VirtAddr from, uint64_t bytes);

// Brings the pages of current's address space in, but for areas that are to be locked as they are touched.
// NoMem, Fault, Intr (a fatal signal). mmap_sem is not held.
Result<> mm_populate(VirtAddr from, uint64_t bytes);

}  // namespace guest
