// The kernel's own page tables: all RAM in the direct map with 2 MiB pages, and the image with 4 KiB pages
// and no more rights than each part needs. They never change afterwards: every address space copies the top
// entries.
#include "guest/arch/cpu.hpp"
#include "guest/arch/pgtable.hpp"
#include "guest/mm/init.hpp"
#include "guest/mm/memblock.hpp"
#include "guest/mm/mm_types.hpp"

extern "C" char _text[], _etext[], _erodata[], _end[];

namespace guest {

constinit mm_struct init_mm;

namespace {

constexpr uint64_t kKernelTable = _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY;
// Accessed and dirty are set from the start: the hardware never has to.
constexpr uint64_t kKernelData = kKernelTable | _PAGE_GLOBAL | _PAGE_NX;
constexpr uint64_t kKernelRoData = (kKernelData & ~_PAGE_RW) & ~_PAGE_DIRTY;
constexpr uint64_t kKernelText = kKernelRoData & ~_PAGE_NX;

// The table that `entry` leads to, made if there is none.
template <unsigned Level>
table_entry<Level - 1>* boot_table(table_entry<Level>& entry) {
    if (entry.none()) {
        void* table = memblock_alloc(kPageSize, kPageSize, "page tables");
        entry.raw = virt_to_phys(table).raw() | kKernelTable;
    }
    return static_cast<table_entry<Level - 1>*>(phys_to_virt(entry.frame()));
}

pmd_t* boot_pmd(VirtAddr at) {
    pud_t* puds = boot_table(init_mm.pgd[table_index<4>(at)]);
    pmd_t* pmds = boot_table(puds[table_index<3>(at)]);
    return &pmds[table_index<2>(at)];
}

void map_direct(PhysAddr from, PhysAddr to) {
    for (PhysAddr at = from.align_down(kPmdSize); at < to; at += kPmdSize) {
        boot_pmd(kDirectMapBase + at.raw())->raw = at.raw() | kKernelData | _PAGE_PSE;
    }
}

void map_image(const char* from, const char* to, uint64_t rights) {
    for (VirtAddr at(reinterpret_cast<uint64_t>(from)); at < VirtAddr(reinterpret_cast<uint64_t>(to));
         at += kPageSize) {
        pte_t* ptes = boot_table(*boot_pmd(at));
        ptes[table_index<1>(at)].raw = (at - kKernelBase) | rights;
    }
}

}  // namespace

void paging_init() {
    init_mm.pgd = static_cast<pgd_t*>(memblock_alloc(kPageSize, kPageSize, "page tables"));
    for (unsigned i = 0; i < memblock_regions(); ++i) {
        const memblock_region region = memblock_ram(i);
        map_direct(region.base, region.base + region.size);
    }
    map_image(_text, _etext, kKernelText);
    map_image(_etext, _erodata, kKernelRoData);
    map_image(_erodata, _end, kKernelData);
    write_cr3(init_mm.root());
}

}  // namespace guest
