// Areas: the ordered set that an address space is, and what may be cut and joined.
#include "guest/fs/address_space.hpp"
#include "guest/fs/file.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/area_walk.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

DEFINE_KMEM_CACHE(vm_area_struct)

constinit uint64_t max_map_count = 65530;

address_space* file_mapping_of(const vm_area_struct& vma) { return vma.vm_file->f_mapping; }

namespace {

bool starts_before(const vm_area_struct& a, const vm_area_struct& b) { return a.vm_start < b.vm_start; }

void link_file(vm_area_struct& vma) {
    if (!vma.vm_file) return;
    address_space& mapping = *vma.vm_file->f_mapping;
    const mutex_guard guard(mapping.i_mmap_mutex);
    list_add_tail(vma.shared, mapping.i_mmap);
}

void unlink_file(vm_area_struct& vma) {
    if (!vma.vm_file) return;
    const mutex_guard guard(vma.vm_file->f_mapping->i_mmap_mutex);
    vma.shared.unlink();
}

// Whether b, which begins where a ends, is the same mapping going on.
bool can_merge(const vm_area_struct& a, const vm_area_struct& b) {
    return a.vm_end == b.vm_start && ((a.vm_flags ^ b.vm_flags) & ~VM_SOFTDIRTY) == 0 &&
           a.vm_file.get() == b.vm_file.get() && (!a.vm_file || a.vm_pgoff + a.pages() == b.vm_pgoff) &&
           (a.vm_flags & (VM_GROWSDOWN | VM_IO)) == 0 && (a.vm_ops == nullptr || a.vm_ops->close == nullptr);
}

// a grows over b, which goes away.
void absorb(vm_area_struct& a, vm_area_struct* b) {
    unlink_vma(b);
    a.vm_end = b->vm_end;
    a.vm_flags |= b->vm_flags & VM_SOFTDIRTY;
    delete b;
}

}  // namespace

vm_area_struct::vm_area_struct(mm_struct& mm, const vm_area_struct& other)
    : vm_mm(&mm),
      vm_start(other.vm_start),
      vm_end(other.vm_end),
      vm_flags(other.vm_flags),
      vm_pgoff(other.vm_pgoff),
      vm_ops(other.vm_ops) {
    if (other.vm_file) {
        other.vm_file->get();
        vm_file = FileRef(other.vm_file.get());
    }
    if (vm_ops != nullptr && vm_ops->open != nullptr) vm_ops->open(*this);
}

vm_area_struct::~vm_area_struct() {
    if (vm_ops != nullptr && vm_ops->close != nullptr) vm_ops->close(*this);
}

vm_area_struct* find_vma(mm_struct& mm, VirtAddr at) {
    vm_area_struct* cached = mm.mmap_cache;
    if (cached != nullptr && cached->contains(at)) return cached;
    vm_area_struct* found = mm.mm_rb.find_first([at](const vm_area_struct& vma) { return vma.vm_end > at; });
    if (found != nullptr) mm.mmap_cache = found;
    return found;
}

bool has_vma_in(mm_struct& mm, VirtAddr from, VirtAddr to) {
    const vm_area_struct* vma = find_vma(mm, from);
    return vma != nullptr && vma->vm_start < to;
}

bool fully_mapped(mm_struct& mm, VirtAddr from, VirtAddr to) {
    const vm_area_struct* vma = find_vma(mm, from);
    for (VirtAddr at = from; at < to; at = vma->vm_end, vma = mm.mmap.next(*vma)) {
        if (vma == nullptr || vma->vm_start > at) return false;
        if (vma->vm_end >= to) return true;
    }
    return true;
}

void insert_vm_struct(mm_struct& mm, vm_area_struct* vma) {
    vm_area_struct* next = find_vma(mm, vma->vm_start);
    BUG_ON(next != nullptr && next->vm_start < vma->vm_end);
    if (next != nullptr) {
        mm.mmap.insert_before(*next, *vma);
    } else {
        mm.mmap.push_back(*vma);
    }
    mm.mm_rb.insert(*vma, starts_before);
    ++mm.map_count;
    link_file(*vma);
}

void unlink_vma(vm_area_struct* vma) {
    mm_struct& mm = *vma->vm_mm;
    unlink_file(*vma);
    const vm_area_struct* next = mm.mmap.next(*vma);
    forget_gap_search(mm, next != nullptr ? next->vm_start : mm.mmap_base);
    --mm.map_count;
    mm.mmap.remove(*vma);
    mm.mm_rb.remove(*vma, starts_before);
    if (mm.mmap_cache == vma) mm.mmap_cache = nullptr;
}

Result<vm_area_struct*> split_vma(vm_area_struct* vma, VirtAddr at) {
    auto* upper = new (nothrow) vm_area_struct(*vma->vm_mm, *vma);
    if (upper == nullptr) return Errno::NoMem;
    upper->vm_pgoff = vma->pgoff_of(at);
    upper->vm_start = at;
    vma->vm_end = at;
    insert_vm_struct(*vma->vm_mm, upper);
    return upper;
}

vm_area_struct* vma_merge(vm_area_struct* vma) {
    mm_struct& mm = *vma->vm_mm;
    vm_area_struct* next = mm.mmap.next(*vma);
    if (next != nullptr && can_merge(*vma, *next)) absorb(*vma, next);
    vm_area_struct* prev = mm.mmap.prev(*vma);
    if (prev == nullptr || !can_merge(*prev, *vma)) return vma;
    absorb(*prev, vma);
    return prev;
}

void vma_resize(vm_area_struct& vma, VirtAddr start, VirtAddr end) {
    // The order among the areas stays the same, so that tree and list need no change.
    if (start > vma.vm_start) {
        vma.vm_pgoff += (start - vma.vm_start) >> kPageShift;
    } else {
        vma.vm_pgoff -= (vma.vm_start - start) >> kPageShift;
    }
    vma.vm_start = start;
    vma.vm_end = end;
}

Result<> isolate_range(mm_struct& mm, VirtAddr from, VirtAddr to, MapLimit limit) {
    const auto split = [&](vm_area_struct* vma, VirtAddr at) -> Result<> {
        if (limit == MapLimit::Counts && mm.map_count >= max_map_count) return Errno::NoMem;
        TRY(split_vma(vma, at));
        return {};
    };
    vm_area_struct* first = find_vma(mm, from);
    if (first != nullptr && first->vm_start < from) TRY(split(first, from));
    vm_area_struct* last = find_vma(mm, to - 1);
    if (last != nullptr && last->vm_start < to && last->vm_end > to) TRY(split(last, to));
    return {};
}

namespace {

// Private memory that may be written, but for stacks: what RLIMIT_DATA is about.
bool is_data_mapping(uint64_t vm_flags) {
    return (vm_flags & (VM_SHARED | VM_WRITE | VM_GROWSDOWN)) == VM_WRITE;
}

bool within(abi::Rlimit which, uint64_t used, uint64_t more) {
    const uint64_t limit = rlimit(which) >> kPageShift;
    return more <= limit && used <= limit - more;
}

}  // namespace

bool may_expand_vm(const mm_struct& mm, uint64_t vm_flags, uint64_t pages) {
    if (!within(abi::Rlimit::As, mm.total_vm, pages)) return false;
    if (!is_data_mapping(vm_flags) || within(abi::Rlimit::Data, mm.data_vm, pages)) return true;
    // Programs that set the soft limit to 0 mean the heap alone: for them the hard limit counts.
    const abi::RlimitPair limit = current()->signal->rlim[static_cast<unsigned>(abi::Rlimit::Data)];
    return limit.current == 0 && mm.data_vm + pages <= limit.maximum >> kPageShift;
}

Result<> check_data_limit(const mm_struct& mm, uint64_t old_flags, uint64_t new_flags, uint64_t pages) {
    if (is_data_mapping(old_flags) || !is_data_mapping(new_flags)) return {};
    if (within(abi::Rlimit::Data, mm.data_vm, pages)) return {};
    return Errno::NoMem;
}

void vm_stat_account(mm_struct& mm, uint64_t vm_flags, int64_t pages) {
    const auto change = static_cast<uint64_t>(pages);
    mm.total_vm += change;
    if (mm.total_vm > mm.hiwater_vm) mm.hiwater_vm = mm.total_vm;
    if ((vm_flags & VM_GROWSDOWN) != 0) {
        mm.stack_vm += change;
    } else if ((vm_flags & (VM_EXEC | VM_WRITE)) == VM_EXEC) {
        mm.exec_vm += change;
    } else if ((vm_flags & (VM_SHARED | VM_WRITE)) == VM_WRITE) {
        mm.data_vm += change;
    }
}

}  // namespace guest
