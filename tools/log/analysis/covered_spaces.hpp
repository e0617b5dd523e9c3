// For each address space, the pages that are read-only for copy-on-write, and which fork is answerable for
// them: the latest one in which that space took part. Keeps the counts of ForkSide that say what became of
// each page, so that they add up.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "emu/log/replay.hpp"
#include "tools/log/analysis/fork_book.hpp"

namespace forkscope::analysis {

// Start of the span of an entry -> its level.
using CoveredPages = std::unordered_map<uint64_t, uint8_t>;

class CoveredSpaces {
public:
    struct Cover {
        size_t fork = 0;  // place in the book
        Side side = Side::Parent;
        uint64_t va = 0;  // start of the span
        uint8_t level = 1;
        bool table = false;  // the entry links a table that both sides use
    };

    explicit CoveredSpaces(ForkBook& book) : book_(book) {}

    // After a fork: `fresh` pages and tables were protected in the parent's space; what was covered there
    // before is passed on to this fork.
    void parent_forked(size_t fork, uint64_t root, const CoveredPages& fresh,
                       const CoveredPages& fresh_tables);
    // The child's space starts with these.
    void child_starts(size_t fork, uint64_t root, const CoveredPages& pages, const CoveredPages& tables);
    // A page that is protected later: when a shared table is copied.
    void cover_later(uint64_t root, uint64_t va, uint8_t level);

    // A page of this space whose cover has just ended is mapped elsewhere in it, and still covered. False:
    // the space is gone.
    [[nodiscard]] bool cover_moved(uint64_t root, uint64_t va, uint8_t level);

    // Of the page at va, or of the table that maps it.
    [[nodiscard]] std::optional<Cover> find_page(uint64_t root, uint64_t va) const {
        return find(root, va, false);
    }
    [[nodiscard]] std::optional<Cover> find_table(uint64_t root, uint64_t va) const {
        return find(root, va, true);
    }
    // Roots whose entry for the table that maps va is covered.
    [[nodiscard]] std::vector<uint64_t> roots_with_table(uint64_t va) const;
    [[nodiscard]] const CoveredPages* pages(uint64_t root) const;
    [[nodiscard]] const CoveredPages* tables(uint64_t root) const;

    // The entry is no longer covered; `count` is the one of ForkSide that it goes to, if any.
    void end_cover(uint64_t root, const Cover& cover, uint64_t ForkSide::*count);

    // The space is gone, or another one has its root.
    void drop(uint64_t root) { leave(root, &ForkSide::unmapped); }
    // The end of the log.
    void finish();

private:
    struct Space {
        size_t fork = 0;
        Side side = Side::Parent;
        CoveredPages pages;
        CoveredPages tables;
    };
    [[nodiscard]] std::optional<Cover> find(uint64_t root, uint64_t va, bool table) const;
    void leave(uint64_t root, uint64_t ForkSide::*count);

    ForkBook& book_;
    std::unordered_map<uint64_t, Space> spaces_;
};

}  // namespace forkscope::analysis
