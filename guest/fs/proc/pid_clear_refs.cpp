// /proc/<pid>/clear_refs: which pages are used or written from now on shows in smaps as Referenced, and in
// smaps and pagemap as soft-dirty. Documentation/admin-guide/mm/soft-dirty.rst
#include "guest/arch/tlb.hpp"
#include "guest/fs/proc/pid_files.hpp"
#include "guest/mm/bug.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/shared_tables.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/mm/walk.hpp"

namespace guest {

namespace {

enum class Clear : int64_t { All = 1, Anonymous = 2, File = 3, SoftDirty = 4, PeakRss = 5 };

Result<> clear_young(mm_struct& mm, Clear what) {
    const read_guard guard(mm.mmap_sem);
    // Others that share a table have their own idea of what was used.
    TRY(own_tables(mm, VirtAddr(0), kUserEnd));
    for (const vm_area_struct& vma : mm.mmap) {
        if (what == Clear::Anonymous && vma.vm_file) continue;
        if (what == Clear::File && !vma.vm_file) continue;
        for_each_pte_table(mm, vma.vm_start, vma.vm_end, [&](pte_t* pte, VirtAddr at, VirtAddr end) {
            const spinlock_guard table_guard(mm.page_table_lock);
            for (; at < end; at += kPageSize, ++pte) {
                if (!read_pte(pte).present()) continue;
                if (read_pte(pte).young()) ptep_clear_young(pte);
                if (has_bug(Bug::DirtyClearedWithoutFlush)) ptep_clear_dirty(pte);
            }
        });
    }
    if (!has_bug(Bug::DirtyClearedWithoutFlush)) flush_tlb_mm(mm);
    return {};
}

Result<> clear_refs(mm_struct& mm, Clear what) {
    if (what == Clear::PeakRss) {
        mm.hiwater_rss = mm.rss();
        return {};
    }
    if (what != Clear::SoftDirty) return clear_young(mm, what);
    const write_guard guard(mm.mmap_sem);
    return clear_soft_dirty(mm);
}

}  // namespace

Result<size_t> clear_refs_write(task_struct& task, char* text, size_t bytes) {
    const int64_t number = TRY(proc_parse_int(text));
    if (number < static_cast<int64_t>(Clear::All) || number > static_cast<int64_t>(Clear::PeakRss))
        return Errno::Inval;
    const MmRef mm = get_task_mm(task);
    if (mm) TRY(clear_refs(*mm, static_cast<Clear>(number)));
    return bytes;
}

}  // namespace guest
