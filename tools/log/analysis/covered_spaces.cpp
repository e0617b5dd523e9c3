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

bool CoveredSpaces::cover_moved(uint64_t root, uint64_t va, uint8_t level) {
    const auto found = spaces_.find(root);
    return found != spaces_.end() && found->second.pages.emplace(va, level).second;
}

std::optional<CoveredSpaces::Cover> CoveredSpaces::find(uint64_t root, uint64_t va, bool table) const {
    const auto found = spaces_.find(root);
    if (found == spaces_.end()) return std::nullopt;
    const Space& space = found->second;
    const CoveredPages& pages = table ? space.tables : space.pages;
    if (pages.empty()) return std::nullopt;
    for (uint8_t level = table ? 2 : 1; level <= 3; ++level) {
        const uint64_t start = va & ~(log::span_bytes(level) - 1);
        const auto page = pages.find(start);
        if (page != pages.end() && page->second == level)
            return Cover{space.fork, space.side, start, level, table};
    }
    return std::nullopt;
}

std::vector<uint64_t> CoveredSpaces::roots_with_table(uint64_t va) const {
    std::vector<uint64_t> roots;
    for (const auto& [root, space] : spaces_)
        if (space.tables.contains(va & ~(log::span_bytes(2) - 1))) roots.push_back(root);
    return roots;
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
    if (pages.erase(cover.va) == 0 || count == nullptr) return;
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
