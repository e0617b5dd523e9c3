// Making and removing mappings.
#include "guest/mm/mmap.hpp"

#include "guest/arch/pgtable.hpp"
#include "guest/fs/file.hpp"
#include "guest/fs/inode.hpp"
#include "guest/fs/mount.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mlock.hpp"
#include "guest/mm/overcommit.hpp"
#include "guest/mm/shared_tables.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr uint64_t kProtMask = abi::kProtRead | abi::kProtWrite | abi::kProtExec;
static_assert(abi::kProtRead == VM_READ && abi::kProtWrite == VM_WRITE && abi::kProtExec == VM_EXEC);

uint64_t calc_vm_flags(uint64_t prot, uint64_t flags) {
    uint64_t vm_flags = (prot & kProtMask) | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
    if ((flags & abi::kMapGrowsDown) != 0) vm_flags |= VM_GROWSDOWN;
    if ((flags & abi::kMapLocked) != 0) vm_flags |= VM_LOCKED;
    const bool may_overcommit = sysctl_overcommit.memory != Overcommit::Never;
    if ((flags & abi::kMapNoReserve) != 0 && may_overcommit) vm_flags |= VM_NORESERVE;
    return vm_flags;
}

// Adds what the file's open mode allows and what sharing means.
Result<uint64_t> file_vm_flags(const file& f, uint64_t vm_flags, uint64_t map_type) {
    if ((f.f_mode & file::kRead) == 0) return Errno::Access;
    if ((f.f_path.mnt->mnt_flags & MNT_NOEXEC) != 0) {
        if ((vm_flags & VM_EXEC) != 0) return Errno::Perm;
        vm_flags &= ~VM_MAYEXEC;
    }
    if (map_type == abi::kMapPrivate) return vm_flags;
    const bool writable = (f.f_mode & file::kWrite) != 0;
    if ((vm_flags & VM_WRITE) != 0 && !writable) return Errno::Access;
    vm_flags |= VM_SHARED | VM_MAYSHARE;
    return writable ? vm_flags : vm_flags & ~VM_MAYWRITE;
}

// Private memory that may be written is promised when it is mapped; shared memory when it is made.
bool accountable_mapping(uint64_t vm_flags) {
    return (vm_flags & (VM_WRITE | VM_SHARED | VM_NORESERVE)) == VM_WRITE;
}

// What mmap refuses of a file whatever is asked of it.
Result<> check_file_map(const file& f, uint64_t bytes, uint64_t flags, uint64_t pgoff) {
    constexpr uint64_t kMaxBytes = 0x7fffffffffffffff;
    if (abi::is_reg(f.node().i_mode) && (bytes > kMaxBytes || pgoff > (kMaxBytes - bytes) >> kPageShift))
        return Errno::Overflow;
    // MAP_SYNC is the one flag that MAP_SHARED_VALIDATE knows and no file here can do.
    const bool validates = (flags & abi::kMapType) == abi::kMapSharedValidate;
    if (validates && (flags & abi::kMapSync) != 0) return Errno::OpNotSupp;
    return {};
}

Result<VirtAddr> choose_address(mm_struct& mm, VirtAddr hint, uint64_t bytes, uint64_t flags) {
    if ((flags & (abi::kMapFixed | abi::kMapFixedNoReplace)) == 0) return get_unmapped_area(mm, hint, bytes);
    if (!hint.is_aligned()) return Errno::Inval;
    if (bytes > kTaskSize.raw() || hint > kTaskSize - bytes) return Errno::NoMem;
    if (hint < kMmapMinAddr && !capable(kCapSysAdmin)) return Errno::Perm;
    if ((flags & abi::kMapFixedNoReplace) != 0 && has_vma_in(mm, hint, hint + bytes)) return Errno::Exist;
    return hint;
}

// The tables of [from, to), from which every area is gone.
void free_tables_of(mm_struct& mm, VirtAddr from, VirtAddr to, mmu_gather& gather) {
    const vm_area_struct* next = find_vma(mm, from);
    const vm_area_struct* prev = next != nullptr ? mm.mmap.prev(*next) : mm.mmap.back();
    const VirtAddr floor = prev != nullptr ? prev->vm_end : VirtAddr(0);
    const VirtAddr ceiling = next != nullptr ? next->vm_start : kUserEnd;
    free_pgtables(mm, from, to, floor, ceiling, gather);
}

}  // namespace

Result<VirtAddr> do_mmap(mm_struct& mm, file* backing, VirtAddr hint, uint64_t bytes, uint64_t prot,
                         uint64_t flags, uint64_t pgoff) {
    if (bytes == 0) return Errno::Inval;
    bytes = page_align_up(bytes);
    if (bytes == 0) return Errno::NoMem;
    if (pgoff + (bytes >> kPageShift) < pgoff) return Errno::Overflow;
    const uint64_t map_type = flags & abi::kMapType;
    if (map_type < abi::kMapShared || map_type > abi::kMapSharedValidate) return Errno::Inval;
    const bool anonymous = backing == nullptr || (flags & abi::kMapAnonymous) != 0;
    if (anonymous && map_type == abi::kMapSharedValidate) return Errno::Inval;

    if ((flags & abi::kMapLocked) != 0 && !can_do_mlock()) return Errno::Perm;
    // All that is new is soft-dirty, also where another area was before.
    uint64_t vm_flags = calc_vm_flags(prot, flags) | mm.def_flags | VM_SOFTDIRTY;
    if (backing != nullptr) {
        vm_flags = TRY(file_vm_flags(*backing, vm_flags, map_type));
        if (backing->f_op->mmap == nullptr) return Errno::NoDev;
        if ((vm_flags & VM_GROWSDOWN) != 0) return Errno::Inval;
    }
    if (denies_write_exec(mm, vm_flags, vm_flags)) return Errno::Access;
    if (mm.map_count > max_map_count) return Errno::NoMem;
    // What no address space has room for is that, and not too much for a file.
    const VirtAddr start = TRY(choose_address(mm, hint, bytes, flags));
    if (!anonymous) TRY(check_file_map(*backing, bytes, flags, pgoff));
    const uint64_t pages = bytes >> kPageShift;
    TRY(mlock_future_check(mm, vm_flags, pages));
    if ((flags & abi::kMapFixed) != 0) TRY(do_munmap(mm, start, bytes));
    if (!may_expand_vm(mm, vm_flags, pages)) return Errno::NoMem;
    if (accountable_mapping(vm_flags)) vm_flags |= VM_ACCOUNT;
    VmPromise promise = TRY(VmPromise::make(&mm, (vm_flags & VM_ACCOUNT) != 0 ? pages : 0));

    auto area = TRY(make_owned<vm_area_struct>(mm, start, start + bytes, vm_flags));
    if (backing != nullptr) {
        area->vm_pgoff = pgoff;
        backing->get();
        area->vm_file = FileRef(backing);
        TRY(backing->f_op->mmap(*backing, *area));
    }
    vm_area_struct* vma = area.leak();
    promise.keep();
    insert_vm_struct(mm, vma);
    vm_stat_account(mm, vm_flags, static_cast<int64_t>(pages));
    if ((vm_flags & VM_LOCKED) != 0) mm.locked_vm += pages;
    vma_merge(vma);
    return start;
}

namespace {

// Its tables stay.
void unmap_vma(mm_struct& mm, vm_area_struct* vma, mmu_gather& gather) {
    const uint64_t pages = vma->pages();
    vm_stat_account(mm, vma->vm_flags, -static_cast<int64_t>(pages));
    if ((vma->vm_flags & VM_LOCKED) != 0) mm.locked_vm -= pages;
    if ((vma->vm_flags & VM_ACCOUNT) != 0) vm_unacct_memory(pages);
    // Out of the file's list first, so that truncation does not meet a half-unmapped area.
    unlink_vma(vma);
    zap_page_range(gather, *vma, vma->vm_start, vma->vm_end);
    delete vma;
}

}  // namespace

void remove_vma(mm_struct& mm, vm_area_struct* vma) {
    const VirtAddr from = vma->vm_start;
    const VirtAddr to = vma->vm_end;
    mmu_gather gather(mm);
    unmap_vma(mm, vma, gather);
    free_tables_of(mm, from, to, gather);
}

Result<> do_munmap(mm_struct& mm, VirtAddr from, uint64_t bytes) {
    bytes = page_align_up(bytes);
    if (!from.is_aligned() || bytes == 0 || bytes > kTaskSize.raw() || from > kTaskSize - bytes)
        return Errno::Inval;
    const VirtAddr to = from + bytes;
    // A hole in the middle makes two of one. Cutting off an end, which splits as well for a moment, goes on
    // working.
    vm_area_struct* vma = find_vma(mm, from);
    if (vma != nullptr && vma->vm_start < from && vma->vm_end > to && mm.map_count >= max_map_count)
        return Errno::NoMem;
    TRY(isolate_range(mm, from, to, MapLimit::Ignored));
    vma = find_vma(mm, from);
    if (vma == nullptr || vma->vm_start >= to) return {};
    mmu_gather gather(mm);
    TRY(disown_tables(mm, from, to, gather));
    while (vma != nullptr && vma->vm_start < to) {
        vm_area_struct* next = mm.mmap.next(*vma);
        unmap_vma(mm, vma, gather);
        vma = next;
    }
    free_tables_of(mm, from, to, gather);
    return {};
}

Result<> do_brk(mm_struct& mm, VirtAddr from, uint64_t bytes) {
    TRY(do_mmap(mm, nullptr, from, bytes, abi::kProtRead | abi::kProtWrite,
                abi::kMapPrivate | abi::kMapFixed | abi::kMapAnonymous, 0));
    return {};
}

void exit_mmap(mm_struct& mm) {
    // Nobody runs on these tables any more: no flush is needed, whoever used them has loaded others since.
    BUG_ON(this_cpu().active_mm == &mm);
    mmu_gather gather(mm);
    BUG_ON(!disown_tables(mm, VirtAddr(0), kUserEnd, gather));
    while (vm_area_struct* vma = mm.mmap.front()) {
        if ((vma->vm_flags & VM_ACCOUNT) != 0) vm_unacct_memory(vma->pages());
        unlink_vma(vma);
        zap_page_range(gather, *vma, vma->vm_start, vma->vm_end);
        // From the bottom up: below is nothing any more, and tables exist only where areas are.
        const vm_area_struct* next = mm.mmap.front();
        const VirtAddr ceiling = next != nullptr ? next->vm_start : kUserEnd;
        free_pgtables(mm, vma->vm_start, vma->vm_end, VirtAddr(0), ceiling, gather);
        delete vma;
        cond_resched();
    }
    gather.flush();
    mm.total_vm = mm.locked_vm = 0;
    BUG_ON(mm.anon_rss != 0 || mm.file_rss != 0 || mm.shmem_rss != 0 || mm.nr_ptes != 0 || mm.nr_pmds != 0 ||
           mm.nr_puds != 0);
}

}  // namespace guest
