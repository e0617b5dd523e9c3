// Taking pages out of an address space: entries are cleared first, then the TLB is flushed, and only then are
// the frames given back, so that no CPU reaches a frame that belongs to somebody else.
#pragma once

#include "guest/arch/tlb.hpp"
#include "guest/mm/mm_types.hpp"
#include "guest/mm/page.hpp"

namespace guest {

class mmu_gather {
public:
    explicit mmu_gather(mm_struct& mm) : mm_(mm) {}
    mmu_gather(const mmu_gather&) = delete;
    mmu_gather& operator=(const mmu_gather&) = delete;
    ~mmu_gather() { flush(); }

    // The entry for `at` was cleared.
    void cleared(VirtAddr at) {
        if (from_ > at) from_ = at;
        if (to_ < at + kPageSize) to_ = at + kPageSize;
    }
    // The reference that a cleared entry held.
    void remove_page(page* frame) {
        if (count_ == kBatch) flush();
        batch_[count_++] = frame;
    }
    // A table page that was unlinked. INVLPG of any address forgets all paging-structure caches (Intel SDM
    // vol. 3A, 4.10.4.1 "Operations that Invalidate TLBs and Paging-Structure Caches").
    void remove_table(page* table) {
        table_removed_ = true;
        remove_page(table);
    }
    // Flushes and gives everything back.
    void flush();

private:
    static constexpr unsigned kBatch = 64;

    mm_struct& mm_;
    VirtAddr from_{~uint64_t{0}};
    VirtAddr to_{0};
    bool table_removed_ = false;
    unsigned count_ = 0;
    page* batch_[kBatch];
};

}  // namespace guest
