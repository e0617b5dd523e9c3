// Rows of entries that cover one address after the other, folded.
#pragma once

#include <cstdint>
#include <vector>

namespace forkscope::analysis {

struct PageRange {
    uint64_t va = 0;          // of the first
    uint64_t count = 0;       // entries
    uint64_t page_bytes = 0;  // that each covers

    [[nodiscard]] uint64_t end() const { return va + count * page_bytes; }
};

// Entries mostly come in ascending order; then this is a list of maximal rows.
inline void add_page(std::vector<PageRange>& ranges, uint64_t va, uint64_t page_bytes) {
    if (!ranges.empty() && ranges.back().end() == va && ranges.back().page_bytes == page_bytes) {
        ++ranges.back().count;
        return;
    }
    ranges.push_back({va, 1, page_bytes});
}

[[nodiscard]] inline uint64_t pages_in(const std::vector<PageRange>& ranges) {
    uint64_t pages = 0;
    for (const PageRange& range : ranges) pages += range.count;
    return pages;
}

}  // namespace forkscope::analysis
