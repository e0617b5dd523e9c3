// What an address space is: mm_struct and its areas.
#pragma once

#include <stdint.h>

#include "guest/arch/pgtable_types.hpp"
#include "guest/kernel/mutex.hpp"
#include "guest/lib/address.hpp"
#include "guest/lib/handle.hpp"
#include "guest/lib/list.hpp"
#include "guest/lib/refcount.hpp"
#include "guest/lib/tree.hpp"
#include "guest/mm/page.hpp"
#include "guest/mm/slab.hpp"

namespace guest {

struct file;
struct mm_struct;
void put_file(file* f);
using FileRef = Handle<file, put_file>;

// mm_struct::mdwe, as prctl has it.
inline constexpr uint32_t PR_MDWE_REFUSE_EXEC_GAIN = 1, PR_MDWE_NO_INHERIT = 2;

// vm_area_struct::vm_flags, Linux's values.
inline constexpr uint64_t VM_READ = 1, VM_WRITE = 2, VM_EXEC = 4, VM_SHARED = 8, VM_MAYREAD = 0x10,
                          VM_MAYWRITE = 0x20, VM_MAYEXEC = 0x40, VM_MAYSHARE = 0x80, VM_GROWSDOWN = 0x100,
                          VM_DENYWRITE = 0x800, VM_LOCKED = 0x2000, VM_IO = 0x4000, VM_SEQ_READ = 0x8000,
                          VM_RAND_READ = 0x10000, VM_DONTCOPY = 0x20000, VM_DONTEXPAND = 0x40000,
                          VM_LOCKONFAULT = 0x80000, VM_ACCOUNT = 0x100000, VM_NORESERVE = 0x200000,
                          VM_WIPEONFORK = 0x2000000, VM_DONTDUMP = 0x4000000, VM_SOFTDIRTY = 0x8000000;

// mm_struct::dumpable, Linux's values: by nobody but the privileged, or by its user.
inline constexpr int SUID_DUMP_DISABLE = 0, SUID_DUMP_USER = 1;

struct vm_area_struct;

// What whoever made an area wants to know of it: `open` of each copy of it (fork, a split, a move), `close`
// of the end of each. Either may sleep; mmap_sem is held, or nobody else uses the address space. Null:
// nothing.
struct vm_operations {
    void (*open)(vm_area_struct& vma) = nullptr;
    void (*close)(vm_area_struct& vma) = nullptr;
};

// One range of addresses with one set of rights. Guarded by vm_mm->mmap_sem.
struct vm_area_struct {
    KMEM_CACHED()
    vm_area_struct(mm_struct& mm, VirtAddr start, VirtAddr end, uint64_t flags)
        : vm_mm(&mm), vm_start(start), vm_end(end), vm_flags(flags) {}
    // As `other`, its file with a reference of its own; in no list yet.
    vm_area_struct(mm_struct& mm, const vm_area_struct& other);
    ~vm_area_struct();

    mm_struct* vm_mm;
    VirtAddr vm_start;
    VirtAddr vm_end;  // one past the last byte
    uint64_t vm_flags;
    uint64_t vm_pgoff = 0;  // of vm_start in the file, in pages
    FileRef vm_file;        // null for private anonymous memory
    const vm_operations* vm_ops = nullptr;
    list_head vm_list;  // mm->mmap, by address
    TreeNode vm_rb;     // mm->mm_rb, by address
    list_head shared;   // the file's address_space::i_mmap

    [[nodiscard]] uint64_t pages() const { return (vm_end - vm_start) >> kPageShift; }
    [[nodiscard]] bool contains(VirtAddr address) const { return address >= vm_start && address < vm_end; }
    [[nodiscard]] uint64_t pgoff_of(VirtAddr address) const {
        return vm_pgoff + ((address - vm_start) >> kPageShift);
    }
    // Writes go to a private copy.
    [[nodiscard]] bool is_cow() const { return (vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE; }
};

struct mm_struct {
    KMEM_CACHED()
    constexpr mm_struct() = default;

    IntrusiveList<vm_area_struct, &vm_area_struct::vm_list> mmap;
    IntrusiveTree<vm_area_struct, &vm_area_struct::vm_rb> mm_rb;
    vm_area_struct* mmap_cache = nullptr;  // the area that was looked up last
    pgd_t* pgd = nullptr;                  // the top table, in the direct map
    refcount_t mm_users;                   // tasks and others that use the areas; the last one unmaps all
    refcount_t mm_count;                   // users together count one; the last one frees pgd and this
    rw_semaphore mmap_sem;                 // areas and layout
    spinlock_t page_table_lock;            // every change of a user page-table entry

    uint64_t map_count = 0;   // areas
    uint64_t total_vm = 0;    // pages in all areas
    uint64_t hiwater_vm = 0;  // the most that these ever were
    uint64_t locked_vm = 0;   // pages under mlock
    uint64_t def_flags = 0;   // VM_LOCKED and the like of new areas, by mlockall
    uint64_t data_vm = 0, exec_vm = 0, stack_vm = 0;
    // Pages that are mapped, and page-table pages of each kind; under page_table_lock.
    uint64_t anon_rss = 0, file_rss = 0, shmem_rss = 0, hiwater_rss = 0;
    uint64_t nr_ptes = 0, nr_pmds = 0, nr_puds = 0;

    VirtAddr start_code, end_code, start_data, end_data;
    VirtAddr start_brk, brk, start_stack;
    VirtAddr arg_start, arg_end, env_start, env_end;
    VirtAddr mmap_base;  // areas without an address of their own go below it
    // Where the last search for a gap ended (null: nowhere yet); between there and mmap_base no gap is
    // larger.
    VirtAddr gap_search_end;
    uint64_t largest_gap_above = 0;
    FileRef exe_file;
    // Whether others of the same user may look into it (PR_SET_DUMPABLE).
    Atomic<int> dumpable{SUID_DUMP_USER};
    // PR_SET_MDWE: memory that was not executable does not become so. Kept by execve, and by fork unless it
    // says no.
    uint32_t mdwe = 0;
    bool thp_disabled = false;      // PR_SET_THP_DISABLE; there are no huge pages
    uint32_t dump_filter = 0x33;    // what a core file would hold: /proc/<pid>/coredump_filter
    uint32_t membarrier_state = 0;  // MEMBARRIER_CMD_REGISTER_* that were called
    static constexpr unsigned kAuxWords = 44;
    uint64_t saved_auxv[kAuxWords] = {};
    list_head mm_list;  // in all_spaces

    [[nodiscard]] PhysAddr root() const { return virt_to_phys(pgd); }
    [[nodiscard]] uint64_t rss() const { return anon_rss + file_rss + shmem_rss; }
    // Where a mapped page of that kind is counted.
    [[nodiscard]] uint64_t& rss_of(const page* frame) {
        return is_anonymous(frame) ? anon_rss : frame->is_shmem ? shmem_rss : file_rss;
    }
};

// Drops a user of the address space; the last one unmaps everything. May sleep.
void mmput(mm_struct* mm);
// Drops what keeps mm_struct and its top table themselves.
void mmdrop(mm_struct* mm);

// PR_SET_MDWE refuses to give an area of these flags those rights (VM_READ and so on).
[[nodiscard]] constexpr bool denies_write_exec(const mm_struct& mm, uint64_t vm_flags, uint64_t wanted) {
    if ((mm.mdwe & PR_MDWE_REFUSE_EXEC_GAIN) == 0 || (wanted & VM_EXEC) == 0) return false;
    return (wanted & VM_WRITE) != 0 || (vm_flags & VM_EXEC) == 0;
}

// The kernel's own address space: the upper half alone.
extern mm_struct init_mm;
// All others, also those that are being made or taken apart. Guarded by a lock of its own (fork_mm.cpp).
extern IntrusiveList<mm_struct, &mm_struct::mm_list> all_spaces;

}  // namespace guest
