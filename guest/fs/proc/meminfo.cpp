// /proc/meminfo, vmstat and slabinfo: where memory is. All counts are exact at the moment of reading, the
// page that holds this text included.
#include "guest/fs/address_space.hpp"
#include "guest/fs/proc/root_files.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/overcommit.hpp"
#include "guest/mm/slab.hpp"
#include "guest/mm/vmstat.hpp"

namespace guest {

namespace {

// Pages.
void put(seq_file& m, const char* label, uint64_t pages) {
    m.printf("%s%8lu kB\n", label, pages * (kPageSize / 1024));
}

struct Label {
    const char* text;
    uint64_t pages;
};

}  // namespace

Result<> meminfo_show(proc_text& m) {
    // The first page of the text is there before anything is counted.
    const uint64_t total = total_ram_pages();
    put(m, "MemTotal:       ", total);
    const uint64_t free = nr_free_pages();
    const uint64_t cache = nr_pages_of(FrameUse::PageCache);
    const uint64_t slab = nr_pages_of(FrameUse::Slab);
    const uint64_t anon = nr_pages_of(FrameUse::Anonymous);
    const Label lines[] = {
        {"MemFree:        ", free},
        {"MemAvailable:   ", free},  // nothing can be written back to make room
        {"Buffers:        ", 0},
        {"Cached:         ", cache},
        {"SwapCached:     ", 0},
        {"Active:         ", anon},
        {"Inactive:       ", 0},
        {"Active(anon):   ", anon},
        {"Inactive(anon): ", 0},
        {"Active(file):   ", 0},
        {"Inactive(file): ", 0},
        {"Unevictable:    ", cache},
        {"Mlocked:        ", 0},
        {"SwapTotal:      ", 0},
        {"SwapFree:       ", 0},
        {"Dirty:          ", 0},
        {"Writeback:      ", 0},
        {"AnonPages:      ", anon},
        {"Mapped:         ", nr_file_mapped()},
        {"Shmem:          ", nr_shmem_pages()},
        {"KReclaimable:   ", 0},
        {"Slab:           ", slab},
        {"SReclaimable:   ", 0},
        {"SUnreclaim:     ", slab},
        {"KernelStack:    ", nr_pages_of(FrameUse::KernelStack)},
        {"PageTables:     ", nr_pages_of(FrameUse::PageTable)},
        {"CommitLimit:    ", vm_commit_limit()},
        {"Committed_AS:   ", vm_committed_pages()},
        {"VmallocTotal:   ", 0},
        {"VmallocUsed:    ", 0},
        {"VmallocChunk:   ", 0},
        {"HugePages_Total:", 0},
        {"DirectMap4k:    ", 0},
        {"DirectMap2M:    ", total},
    };
    for (const Label& line : lines) put(m, line.text, line.pages);
    return {};
}

Result<> vmstat_show(proc_text& m) {
    const Label lines[] = {
        {"nr_free_pages", nr_free_pages()},
        {"nr_anon_pages", nr_pages_of(FrameUse::Anonymous)},
        {"nr_mapped", nr_file_mapped()},
        {"nr_file_pages", nr_pages_of(FrameUse::PageCache)},
        {"nr_shmem", nr_shmem_pages()},
        {"nr_slab_unreclaimable", nr_pages_of(FrameUse::Slab)},
        {"nr_page_table_pages", nr_pages_of(FrameUse::PageTable)},
        {"nr_kernel_stack", nr_pages_of(FrameUse::KernelStack) * (kPageSize / 1024)},
        {"nr_zero_pages", nr_pages_of(FrameUse::Zero)},
        {"nr_other_pages", nr_pages_of(FrameUse::Other)},
        {"pgpgin", 0},
        {"pgpgout", 0},
        {"pswpin", 0},
        {"pswpout", 0},
        {"pgalloc_normal", vm_events.pgalloc},
        {"pgfree", vm_events.pgfree},
        {"pgfault", vm_events.pgfault},
        {"pgmajfault", 0},
        {"oom_kill", vm_events.oom_kill},
        {"cow_copies", vm_events.cow_copies},
        {"cow_reuses", vm_events.cow_reuses},
    };
    for (const Label& line : lines) m.printf("%s %lu\n", line.text, line.pages);
    return {};
}

namespace {

void put_cache(const kmem_cache& cache, void* to) {
    auto& m = *static_cast<seq_file*>(to);
    const uint64_t pages_each = cache.slabs != 0 ? cache.slab_pages / cache.slabs : 1;
    const uint64_t objects_each = pages_each * kPageSize / cache.object_size;
    m.printf("%-17s %6lu %6lu %6zu %4lu %4lu : tunables %4u %4u %4u : slabdata %6lu %6lu %6u\n", cache.name,
             cache.objects, cache.slabs * objects_each, cache.object_size, objects_each, pages_each, 0u, 0u,
             0u, cache.slabs, cache.slabs, 0u);
}

}  // namespace

Result<> slabinfo_show(proc_text& m) {
    m.puts("slabinfo - version: 2.1\n");
    m.puts("# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>");
    m.puts(" : tunables <limit> <batchcount> <sharedfactor>");
    m.puts(" : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
    for_each_kmem_cache(put_cache, static_cast<seq_file*>(&m));
    return {};
}

}  // namespace guest
