// Which pages are shared for copy-on-write, space by space.
#include "tools/log/analysis/covered_spaces.hpp"

namespace forkscope::analysis {

void CoveredSpaces::parent_forked(size_t fork, uint64_t root, const CoveredPages& fresh,
                                  const CoveredPages& fresh_tables) {
    if (fresh.empty() && fresh_tables.empty() && !spaces_.contains(root)) return;
    const auto [found, is_new] = spaces_.try_emplace(root);
    Space& space = found->second;
    if (!is_new) book_.forks[space.fork].side(space.side).passed_on += space.pages.size();
    space.fork = fork;
    space.side = Side::Parent;
    space.pages.insert(fresh.begin(), fresh.end());
    space.tables.insert(fresh_tables.begin(), fresh_tables.end());
    book_.forks[fork].parent.covered = space.pages.size();
}

void CoveredSpaces::child_starts(size_t fork, uint64_t root, const CoveredPages& pages,
                                 const CoveredPages& tables) {
    drop(root);
    if (pages.empty() && tables.empty()) return;
    spaces_[root] = {fork, Side::Child, pages, tables};
    book_.forks[fork].child.covered = pages.size();
}

void CoveredSpaces::cover_later(uint64_t root, uint64_t va, uint8_t level) {
    const auto found = spaces_.find(root);
    if (found == spaces_.end() || !found->second.pages.emplace(va, level).second) return;
    ++book_.forks[found->second.fork].side(found->second.side).covered;
}

std::optional<CoveredSpaces::Cover> CoveredSpaces::find(uint64_t root, uint64_t va) const {
    const auto found = spaces_.find(root);
    if (found == spaces_.end()) return std::nullopt;
    const Space& space = found->second;
    for (const bool table : {false, true}) {
        const CoveredPages& pages = table ? space.tables : space.pages;
        if (pages.empty()) continue;
        for (uint8_t level = table ? 2 : 1; level <= 3; ++level) {
            const uint64_t start = va & ~(log::span_bytes(level) - 1);
            const auto page = pages.find(start);
            if (page != pages.end() && page->second == level)
                return Cover{space.fork, space.side, start, level, table};
        }
    }
    return std::nullopt;
}

const CoveredPages* CoveredSpaces::pages(uint64_t root) const {
    const auto found = spaces_.find(root);
    return found == spaces_.end() ? nullptr : &found->second.pages;
}

const CoveredPages* CoveredSpaces::tables(uint64_t root) const {
    const auto found = spaces_.find(root);
    return found == spaces_.end() ? nullptr : &found->second.tables;
}

void CoveredSpaces::end_cover(uint64_t root, const Cover& cover, uint64_t ForkSide::*count) {
    const auto found = spaces_.find(root);
    if (found == spaces_.end()) return;
    CoveredPages& pages = cover.table ? found->second.tables : found->second.pages;
    if (pages.erase(cover.va) == 0) return;
    ++(book_.forks[found->second.fork].side(found->second.side).*count);
}

void CoveredSpaces::leave(uint64_t root, uint64_t ForkSide::*count) {
    const auto found = spaces_.find(root);
    if (found == spaces_.end()) return;
    book_.forks[found->second.fork].side(found->second.side).*count += found->second.pages.size();
    spaces_.erase(found);
}

void CoveredSpaces::finish() {
    while (!spaces_.empty()) leave(spaces_.begin()->first, &ForkSide::untouched);
}

}  // namespace forkscope::analysis
