// /proc/<pid>/smaps and smaps_rollup: what the areas of an address space hold in memory.
#include "guest/fs/path.hpp"
#include "guest/fs/proc/pid_files.hpp"
#include "guest/fs/proc/pid_maps.hpp"
#include "guest/lib/spinlock.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/walk.hpp"

namespace guest {

namespace {

// A page that n entries map counts 1/n, in units so small that the sum is right.
constexpr unsigned kPssShift = 12;

// Bytes.
struct MemSize {
    uint64_t size = 0, resident = 0, referenced = 0, anonymous = 0;
    uint64_t shared_clean = 0, shared_dirty = 0, private_clean = 0, private_dirty = 0;
    uint64_t pss = 0, pss_anon = 0, pss_file = 0, pss_shmem = 0, pss_dirty = 0,
             pss_locked = 0;  // << kPssShift

    void add_page(const page& frame, pte_t entry, uint64_t mappings, bool locked) {
        const bool dirty = entry.dirty() || frame.dirty != 0;
        resident += kPageSize;
        if (entry.young()) referenced += kPageSize;
        if (is_anonymous(&frame)) anonymous += kPageSize;
        const uint64_t share = (kPageSize << kPssShift) / mappings;
        pss += share;
        (is_anonymous(&frame) ? pss_anon : frame.is_shmem ? pss_shmem : pss_file) += share;
        if (dirty) pss_dirty += share;
        if (locked) pss_locked += share;
        uint64_t& kind =
            mappings > 1 ? (dirty ? shared_dirty : shared_clean) : (dirty ? private_dirty : private_clean);
        kind += kPageSize;
    }
};

void gather(MemSize& sum, const vm_area_struct& vma) {
    mm_struct& mm = *vma.vm_mm;
    sum.size += vma.vm_end - vma.vm_start;
    for_each_pte_table(mm, vma.vm_start, vma.vm_end, [&](const pte_t* pte, VirtAddr at, VirtAddr end) {
        const spinlock_guard guard(mm.page_table_lock);
        for (; at < end; at += kPageSize, ++pte) {
            const pte_t entry = read_pte(pte);
            if (!entry.present()) continue;
            const page* frame = phys_to_page(entry.frame());
            if (is_zero_page(frame)) continue;
            sum.add_page(*frame, entry, page_mapcount(frame, pte), (vma.vm_flags & VM_LOCKED) != 0);
        }
    });
}

void put(seq_file& m, const char* label, uint64_t bytes) { m.printf("%s%8lu kB\n", label, bytes >> 10); }

enum class Part { Area, Rollup };

void put_sizes(seq_file& m, const MemSize& sum, Part part) {
    put(m, "Rss:            ", sum.resident);
    put(m, "Pss:            ", sum.pss >> kPssShift);
    put(m, "Pss_Dirty:      ", sum.pss_dirty >> kPssShift);
    if (part == Part::Rollup) {
        put(m, "Pss_Anon:       ", sum.pss_anon >> kPssShift);
        put(m, "Pss_File:       ", sum.pss_file >> kPssShift);
        put(m, "Pss_Shmem:      ", sum.pss_shmem >> kPssShift);
    }
    put(m, "Shared_Clean:   ", sum.shared_clean);
    put(m, "Shared_Dirty:   ", sum.shared_dirty);
    put(m, "Private_Clean:  ", sum.private_clean);
    put(m, "Private_Dirty:  ", sum.private_dirty);
    put(m, "Referenced:     ", sum.referenced);
    put(m, "Anonymous:      ", sum.anonymous);
    for (const char* label :
         {"KSM:            ", "LazyFree:       ", "AnonHugePages:  ", "ShmemPmdMapped: ", "FilePmdMapped:  ",
          "Shared_Hugetlb: ", "Private_Hugetlb:", "Swap:           ", "SwapPss:        "}) {
        put(m, label, 0);
    }
    put(m, "Locked:         ", sum.pss_locked >> kPssShift);
}

void put_flags(seq_file& m, uint64_t flags) {
    struct Name {
        uint64_t bit;
        const char* text;
    };
    static constexpr Name kNames[] = {
        {VM_READ, "rd"},      {VM_WRITE, "wr"},     {VM_EXEC, "ex"},       {VM_SHARED, "sh"},
        {VM_MAYREAD, "mr"},   {VM_MAYWRITE, "mw"},  {VM_MAYEXEC, "me"},    {VM_MAYSHARE, "ms"},
        {VM_GROWSDOWN, "gd"}, {VM_LOCKED, "lo"},    {VM_IO, "io"},         {VM_SEQ_READ, "sr"},
        {VM_RAND_READ, "rr"}, {VM_DONTCOPY, "dc"},  {VM_DONTEXPAND, "de"}, {VM_LOCKONFAULT, "lf"},
        {VM_ACCOUNT, "ac"},   {VM_NORESERVE, "nr"}, {VM_WIPEONFORK, "wf"}, {VM_DONTDUMP, "dd"},
        {VM_SOFTDIRTY, "sd"},
    };
    m.puts("VmFlags:");
    for (const Name& name : kNames) {
        if ((flags & name.bit) != 0) m.printf(" %s", name.text);
    }
    m.puts(" \n");
}

}  // namespace

Result<> smaps_show(proc_text& m, task_struct&) {
    const auto mm = mmget_not_zero(m.mm);
    if (!mm) return {};
    const path root = reader_root();
    const read_guard guard(mm->mmap_sem);
    for (const vm_area_struct& vma : mm->mmap) {
        MemSize sum;
        gather(sum, vma);
        show_map_vma(m, vma, root);
        put(m, "Size:           ", sum.size);
        put(m, "KernelPageSize: ", kPageSize);
        put(m, "MMUPageSize:    ", kPageSize);
        put_sizes(m, sum, Part::Area);
        m.puts("THPeligible:           0\n");
        put_flags(m, vma.vm_flags);
    }
    return {};
}

Result<> smaps_rollup_show(proc_text& m, task_struct&) {
    const auto mm = mmget_not_zero(m.mm);
    if (!mm) return Errno::Srch;
    const read_guard guard(mm->mmap_sem);
    MemSize sum;
    VirtAddr first, last;
    for (const vm_area_struct& vma : mm->mmap) {
        if (last.is_null()) first = vma.vm_start;
        last = vma.vm_end;
        gather(sum, vma);
    }
    m.printf("%08lx-%08lx ---p 00000000 00:00 0 ", first.raw(), last.raw());
    m.pad_to(73);
    m.puts("[rollup]\n");
    put_sizes(m, sum, Part::Rollup);
    return {};
}

}  // namespace guest
