// Page faults: anonymous memory, files, copy-on-write.
#include "guest/mm/memory.hpp"

#include "guest/arch/event_port.hpp"
#include "guest/arch/pgtable.hpp"
#include "guest/fs/address_space.hpp"
#include "guest/fs/file.hpp"
#include "guest/fs/inode.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/bug.hpp"
#include "guest/mm/fault_inject.hpp"
#include "guest/mm/init.hpp"
#include "guest/mm/oom_kill.hpp"
#include "guest/mm/vmstat.hpp"

namespace guest {

page* zero_page = nullptr;

void zero_page_init() {
    zero_page = alloc_zeroed_page(FrameUse::Zero);
    if (zero_page == nullptr) panic("too little memory: no frame for the zero page");
}

namespace {

// Everything about one fault that the handlers share.
struct Fault {
    vm_area_struct& vma;
    VirtAddr address;  // of the page
    FaultFlags flags;
    pte_t* pte;
    pte_t seen;  // what the entry held when the fault was looked at

    [[nodiscard]] mm_struct& mm() const { return *vma.vm_mm; }
    [[nodiscard]] uint64_t rights() const { return vm_page_rights(vma.vm_flags) | _PAGE_ACCESSED; }
    [[nodiscard]] bool writable() const { return (vma.vm_flags & VM_WRITE) != 0; }
    // Another thread handled the same fault meanwhile. page_table_lock is held.
    [[nodiscard]] bool changed() const { return read_pte(pte) != seen; }
};

// `pte`, which mapped nothing that counts, maps the frame now.
void count_page(mm_struct& mm, const pte_t* pte, const page* frame) {
    if (is_zero_page(frame)) return;
    ++virt_to_page(pte)->inuse;
    ++mm.rss_of(frame);
    if (mm.rss() > mm.hiwater_rss) mm.hiwater_rss = mm.rss();
}

// For a page that is the area's own. A debugger writes where the program may not: the entry stays read-only.
pte_t writable_entry(const Fault& fault, const page* frame) {
    const uint64_t write = fault.writable() ? _PAGE_RW : 0;
    return mk_pte(page_to_phys(frame), fault.rights() | write | _PAGE_DIRTY_BITS);
}

// The entry of the fault becomes `entry`, whose frame brings its own reference; false, and the frame is still
// the caller's, if somebody else was faster.
bool install_page(const Fault& fault, page* frame, pte_t entry) {
    const spinlock_guard guard(fault.mm().page_table_lock);
    if (fault.changed()) return false;
    page_add_rmap(frame);
    count_page(fault.mm(), fault.pte, frame);
    set_pte(fault.pte, entry);
    return true;
}

FaultResult do_anonymous_page(const Fault& fault) {
    if (!fault.flags.write) {
        const spinlock_guard guard(fault.mm().page_table_lock);
        if (!fault.changed()) set_pte(fault.pte, mk_pte(page_to_phys(zero_page), fault.rights()));
        return FaultResult::Ok;
    }
    page* frame = alloc_zeroed_page(FrameUse::Anonymous);
    if (frame == nullptr) return FaultResult::OutOfMemory;
    if (!install_page(fault, frame, writable_entry(fault, frame))) put_page(frame);
    return FaultResult::Ok;
}

void count_cow_copy() {
    ++current()->cow_copies;
    ++vm_events.cow_copies;
}

void announce_break(const Fault& fault, const page* old, const page* fresh) {
    announce(abi::Announcement::CowBreak, static_cast<uint64_t>(current()->pid), fault.address.raw(),
             page_to_phys(old).raw(), page_to_phys(fresh).raw());
}

// A write to a private mapping of a file whose page is not mapped yet: the copy is made at once.
FaultResult do_cow_fault(const Fault& fault, const page* source) {
    page* copy = alloc_page(FrameUse::Anonymous);
    if (copy == nullptr) return FaultResult::OutOfMemory;
    memcpy(page_address(copy), page_address(source), kPageSize);
    if (!install_page(fault, copy, writable_entry(fault, copy))) {
        put_page(copy);
        return FaultResult::Ok;
    }
    count_cow_copy();
    announce_break(fault, source, copy);
    return FaultResult::Ok;
}

FaultResult do_fault(const Fault& fault) {
    const bool shared = (fault.vma.vm_flags & VM_SHARED) != 0;
    address_space& mapping = *fault.vma.vm_file->f_mapping;
    for (;;) {
        Result<PageRef> found = filemap_fault(mapping, fault.vma.pgoff_of(fault.address));
        if (!found) return found.error() == Errno::NoMem ? FaultResult::OutOfMemory : FaultResult::BusError;
        PageRef frame = found.release_value();
        if (fault.flags.write && !shared) return do_cow_fault(fault, frame.get());
        uint64_t rights = fault.rights();
        if (shared && fault.writable() && (fault.flags.write || !tracks_writes(fault.vma)))
            rights |= _PAGE_RW;
        if (fault.flags.write) rights |= _PAGE_DIRTY_BITS;
        // Truncation takes a page out of the cache before it looks for mappings a second time.
        if (frame.get()->mapping != &mapping) continue;
        if (install_page(fault, frame.get(), mk_pte(page_to_phys(frame.get()), rights))) (void)frame.leak();
        // The first write through this entry stands for all that the kernel will not see.
        if (fault.flags.write) inode_update_mtime(fault.vma.vm_file->node());
        return FaultResult::Ok;
    }
}

// The last owner of a private page gets it back writable (row W3).
bool can_reuse(const page* frame) {
    return is_anonymous(frame) && (page_count(frame) == 1 || has_bug(Bug::ReuseWithTwoOwners));
}

// Makes the entry writable as it is. No flush: the fault itself made the CPU forget the old one.
FaultResult wp_page_reuse(const Fault& fault, page* frame) {
    const pte_t entry = pte_mkyoung(pte_mkdirty(fault.seen));
    set_pte(fault.pte, fault.writable() ? pte_mkwrite(entry) : entry);
    ++current()->cow_reuses;
    ++vm_events.cow_reuses;
    announce_break(fault, frame, frame);
    return FaultResult::Ok;
}

FaultResult wp_page_copy(const Fault& fault, page* old) {
    const bool from_zero = is_zero_page(old);
    page* copy = from_zero ? alloc_zeroed_page(FrameUse::Anonymous) : alloc_page(FrameUse::Anonymous);
    if (copy == nullptr) return FaultResult::OutOfMemory;
    spinlock_guard guard(fault.mm().page_table_lock);
    if (fault.changed()) {
        guard.unlock();
        put_page(copy);
        return FaultResult::Ok;
    }
    // The entry is as it was, so that the old frame still is ours to read.
    if (!from_zero) memcpy(page_address(copy), page_address(old), kPageSize);
    page_add_rmap(copy);
    if (!from_zero && !is_anonymous(old)) {
        --fault.mm().rss_of(old);
        --virt_to_page(fault.pte)->inuse;
    }
    if (!is_anonymous(old)) count_page(fault.mm(), fault.pte, copy);
    set_pte(fault.pte, writable_entry(fault, copy));
    if (!has_bug(Bug::NoFlushAfterCow)) flush_tlb_page(fault.mm(), fault.address);
    if (!from_zero) page_remove_rmap(old);
    guard.unlock();
    count_cow_copy();
    announce_break(fault, old, copy);
    if (!from_zero) put_page(old);
    return FaultResult::Ok;
}

// A write to a page that is mapped read-only although its area may be written.
FaultResult do_wp_page(const Fault& fault) {
    page* frame = phys_to_page(fault.seen.frame());
    {
        const spinlock_guard guard(fault.mm().page_table_lock);
        if (fault.changed()) return FaultResult::Ok;
        if ((fault.vma.vm_flags & VM_SHARED) != 0) {
            set_pte(fault.pte, pte_mkyoung(pte_mkdirty(pte_mkwrite(fault.seen))));
            return FaultResult::Ok;
        }
        if (can_reuse(frame)) return wp_page_reuse(fault, frame);
    }
    return wp_page_copy(fault, frame);
}

}  // namespace

FaultResult handle_mm_fault(vm_area_struct& vma, VirtAddr at, FaultFlags flags) {
    pte_t* pte = pte_alloc_map(*vma.vm_mm, at);
    if (pte == nullptr) return FaultResult::OutOfMemory;
    const Fault fault{vma, at.align_down(), flags, pte, read_pte(pte)};
    if (fault.seen.none()) return vma.vm_file ? do_fault(fault) : do_anonymous_page(fault);
    if (flags.write && !fault.seen.write()) return do_wp_page(fault);
    // The entry permits the access already: another thread's fault came first, or a mapping was made
    // accessible again and this entry still says PROT_NONE.
    if ((fault.seen.raw & _PAGE_PRESENT) == 0) {
        const spinlock_guard guard(vma.vm_mm->page_table_lock);
        const uint64_t kept = fault.seen.raw & _PAGE_DIRTY_BITS;
        if (!fault.changed()) set_pte(pte, mk_pte(fault.seen.frame(), fault.rights() | kept));
    }
    return FaultResult::Ok;
}

namespace {

// What the area lets through; a debugger may also read what may be made readable, and write what is private.
bool may_access(const vm_area_struct& vma, FaultFlags flags) {
    if ((vma.vm_flags & (flags.write ? VM_WRITE : VM_READ)) != 0) return true;
    if (!flags.force || (vma.vm_flags & VM_IO) != 0) return false;
    return flags.write ? vma.is_cow() : (vma.vm_flags & VM_MAYREAD) != 0;
}

// The page may be written as it is. What was forced is private, but its entry does not say so.
bool may_write_page(pte_t entry, FaultFlags flags) {
    return entry.write() || (flags.force && entry.soft_dirty() && can_reuse(phys_to_page(entry.frame())));
}

Result<page*> try_get_user_page(mm_struct& mm, VirtAddr at, FaultFlags flags) {
    const read_guard guard(mm.mmap_sem);
    vm_area_struct* vma = find_extend_vma(mm, at);
    if (vma == nullptr || !may_access(*vma, flags)) return Errno::Fault;
    for (;;) {
        {
            const spinlock_guard table_guard(mm.page_table_lock);
            const pmd_t* pmd = lookup_pmd(mm, at);
            if (pmd != nullptr && pmd->present()) {
                const pte_t entry = read_pte(pte_offset(pmd, at));
                if (entry.present() && (!flags.write || (may_write_page(entry, flags) && pmd->write()))) {
                    page* frame = phys_to_page(entry.frame());
                    get_page(frame);
                    return frame;
                }
            }
        }
        const FaultResult result = handle_mm_fault(*vma, at, flags);
        if (result != FaultResult::Ok)
            return result == FaultResult::OutOfMemory ? Errno::NoMem : Errno::Fault;
    }
}

}  // namespace

Result<page*> get_user_page(mm_struct& mm, VirtAddr at, FaultFlags flags) {
    for (;;) {
        const uint64_t injected = failslab_failures();
        Result<page*> frame = try_get_user_page(mm, at, flags);
        if (frame || frame.error() != Errno::NoMem || failslab_failures() != injected) return frame;
        if (!pagefault_out_of_memory()) return Errno::NoMem;
    }
}

}  // namespace guest
