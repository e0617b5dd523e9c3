// Page faults, copy-on-write, and the walks that copy and clear ranges of page tables.
#pragma once

#include <stdint.h>

#include "guest/lib/result.hpp"
#include "guest/mm/mm_types.hpp"
#include "guest/mm/mmu_gather.hpp"

namespace guest {

struct address_space;

// What an access wants: more than one may hold.
struct FaultFlags {
    bool write = false;
    bool user = true;
    bool instruction = false;
    // A debugger's: the area's rights do not count, but what others see of the page does not change either.
    bool force = false;
};

// How a fault ended. Anything but Ok left the page tables as they were.
enum class FaultResult { Ok, OutOfMemory, BusError };

// Gives `at`, which vma permits to be accessed that way, a page-table entry that lets the access through.
// mmap_sem is held for reading.
FaultResult handle_mm_fault(vm_area_struct& vma, VirtAddr at, FaultFlags flags);

// The area of `at`, grown downwards to it if it is a stack that may, or null. mmap_sem is held for reading on
// entry and on return.
vm_area_struct* find_extend_vma(mm_struct& mm, VirtAddr at);

// fork: gives dst the entries of src's pages in vma, write-protecting both sides where writes must copy. Sets
// `protected_any` if an entry of src lost its write permission: src's TLB must be flushed before it goes on.
// Both mmap_sems are held for writing. NoMem leaves the entries made so far: dst is on its way to be
// unmapped.
Result<> copy_page_range(mm_struct& dst, mm_struct& src, const vm_area_struct& vma, bool& protected_any);

// Which pages of an area go: also private copies, or those of its file alone.
enum class Unmap { All, FilePages };

// Clears the entries of [from, to), which lies in vma. disown_tables() came before.
void zap_page_range(mmu_gather& gather, const vm_area_struct& vma, VirtAddr from, VirtAddr to,
                    Unmap what = Unmap::All);

// Unmaps the pages of a file from index on, up to `count` of them, wherever they are mapped. Truncation wants
// private copies to go as well.
void unmap_mapping_range(address_space& mapping, uint64_t index, uint64_t count = ~uint64_t{0},
                         Unmap what = Unmap::All);

// Whether a write to a page of vma that is not soft-dirty must fault, so that it is seen.
[[nodiscard]] inline bool tracks_writes(const vm_area_struct& vma) {
    return (vma.vm_flags & VM_SOFTDIRTY) == 0;
}
// Nothing in mm was written since (soft-dirty), for /proc/<pid>/clear_refs. mmap_sem is held for writing.
// NoMem leaves some pages and all areas as they were.
Result<> clear_soft_dirty(mm_struct& mm);

// Rights of the entries in [from, to) become those of vma's flags. own_tables() came before, here as below.
void change_protection(vm_area_struct& vma, VirtAddr from, VirtAddr to);
// Moves the entries of [from, from + bytes) to `to`. NoMem: how far it came is in `moved`, in bytes.
Result<> move_page_tables(vm_area_struct& from_vma, VirtAddr from, vm_area_struct& to_vma, VirtAddr to,
                          uint64_t bytes);

// One frame of zeros that is mapped read-only wherever anonymous memory was only read (row W6). It is not
// counted.
extern page* zero_page;
[[nodiscard]] inline bool is_zero_page(const page* frame) { return frame == zero_page; }

// How many parts a frame is divided into, of which the space (or place in one) that maps it by `pte` accounts
// for one: 1 if it is the only one. Each table that maps the frame has an equal part, divided among the
// table's sharers, so that all parts together make up the frame. Without shared tables these are all who map
// it.
[[nodiscard]] inline uint64_t page_mapcount(const page* frame, const pte_t* pte) {
    return static_cast<uint64_t>(frame->_mapcount.load()) *
           static_cast<uint64_t>(page_count(virt_to_page(pte)));
}

// The frame behind `at` after a fault for that access, referenced: for futexes and for reading another
// process. NoMem only if current is to die, or by injection. No lock of an address space is held.
Result<page*> get_user_page(mm_struct& mm, VirtAddr at, FaultFlags flags);

}  // namespace guest
