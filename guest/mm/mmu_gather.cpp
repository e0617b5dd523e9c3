// Taking pages out of an address space, and range flushes.
#include "guest/mm/mmu_gather.hpp"

#include "guest/mm/bug.hpp"

namespace guest {

namespace {
// Beyond this many pages one CR3 load is cheaper than an INVLPG each.
constexpr uint64_t kFlushCeiling = 33;
}  // namespace

void flush_tlb_range(const mm_struct& mm, VirtAddr from, VirtAddr to) {
    if ((to - from) >> kPageShift > kFlushCeiling) {
        flush_tlb_mm(mm);
        return;
    }
    for (VirtAddr at = from; at < to; at += kPageSize) flush_tlb_page(mm, at);
}

void mmu_gather::flush() {
    if (has_bug(Bug::MunmapWithoutFlush)) {
        // The frames go to others while the TLB still leads to them.
    } else if (from_ < to_) {
        flush_tlb_range(mm_, from_, to_);
    } else if (table_removed_) {
        flush_tlb_page(mm_, VirtAddr(0));
    }
    for (unsigned i = 0; i < count_; ++i) put_page(batch_[i]);
    count_ = 0;
    table_removed_ = false;
    from_ = VirtAddr(~uint64_t{0});
    to_ = VirtAddr(0);
}

}  // namespace guest
