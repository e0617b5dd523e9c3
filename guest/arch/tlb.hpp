// The TLB: what has to be forgotten after page tables changed, and which tables the CPU uses.
//
// There is no PCID and no user page is global: loading CR3 forgets all of user space. Tables that are not
// loaded need no flush, since loading them is one.
#pragma once

#include "guest/arch/cpu.hpp"
#include "guest/arch/percpu.hpp"
#include "guest/mm/mm_types.hpp"

namespace guest {

inline void flush_tlb_mm(const mm_struct& mm) {
    if (this_cpu().active_mm == &mm) write_cr3(mm.root());
}
inline void flush_tlb_page(const mm_struct& mm, VirtAddr at) {
    if (this_cpu().active_mm == &mm) asm volatile("invlpg (%0)" : : "r"(at.raw()) : "memory");
}
// Page by page, or everything when that is cheaper.
void flush_tlb_range(const mm_struct& mm, VirtAddr from, VirtAddr to);

// Makes next's tables the CPU's. Interrupts are off.
inline void switch_mm(mm_struct& next) {
    PerCpu& cpu = this_cpu();
    if (cpu.active_mm == &next) return;
    cpu.active_mm = &next;
    write_cr3(next.root());
}

}  // namespace guest
