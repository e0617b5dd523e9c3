// Comparing a child's first tables with the parent's.
#include "tools/log/analysis/child_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace forkscope::analysis {

using log::Event;

void ChildTables::fork_ends() {
    if (--forks_under_way_ == 0) births_.clear();
}

void ChildTables::child_made(size_t fork, uint64_t root) {
    burst_over();
    Waiting waiting;
    waiting.fork = fork;
    waiting.parent_root = book_.forks[fork].parent.root;
    waiting.child_root = root;
    if (const CoveredPages* pages = spaces_.pages(waiting.parent_root)) waiting.covered = *pages;
    if (const CoveredPages* tables = spaces_.tables(waiting.parent_root)) waiting.covered_tables = *tables;
    if (root != 0) spaces_.child_starts(fork, root, waiting.covered, waiting.covered_tables);
    const auto born = births_.find(root);
    if (born != births_.end() && born->second.when.event > book_.forks[fork].begin.event) {
        settle(root, born->second, waiting);
        births_.erase(born);
        return;
    }
    if (waiting_.size() == kMaxWaiting && waiting_.front().child_root == 0) waiting_.erase(waiting_.begin());
    waiting_.push_back(std::move(waiting));
}

void ChildTables::space_gone(uint64_t root) {
    std::erase_if(waiting_, [root](const Waiting& w) { return w.child_root == root; });
}

void ChildTables::table_linked(const Event& e, uint64_t number) {
    if (forks_under_way_ == 0 && waiting_.empty()) return;
    const bool first = (e.flags & log::kFirstLink) != 0;
    if (e.level == log::kTopLevel && e.a == 0 && first) {
        burst_over();
        Birth& birth = births_[e.pa] = {};
        birth.when = {number, e.icount};
        birth.tables[log::kTopLevel] = 1;
        growing_ = e.pa;
        return;
    }
    if (!growing_ || e.space != *growing_ || e.level < 1 || e.level > log::kTopLevel) return;
    Birth& birth = births_.at(*growing_);
    if (first) {
        ++birth.tables[e.level];
    } else if (log::is_lower_half(e.va)) {
        birth.shared_tables.emplace(e.va, log::span_bytes(e.level + 1u));
    }
}

void ChildTables::entry_found(const Event& e) {
    if (!growing_ || e.space != *growing_ || !log::is_lower_half(e.va) || !log::is_leaf(e.b, e.level)) return;
    births_.at(*growing_).leaves.push_back({e.va, e.level, e.pa, e.b});
}

void ChildTables::entry_written(const Event& e) {
    const bool leaf = log::is_leaf(e.a, e.level) || log::is_leaf(e.b, e.level);
    if (!leaf || !log::is_lower_half(e.va)) return;
    // The child's, when its root is known to be one before the call is over.
    const auto born = births_.find(e.space);
    if (born != births_.end() && log::is_leaf(e.b, e.level) && !log::is_leaf(e.a, e.level))
        born->second.leaves.push_back({e.va, e.level, e.pa, e.b});
    for (Waiting& waiting : waiting_)
        if (waiting.parent_root == e.space) waiting.changed.emplace(e.va, e.a);
}

void ChildTables::table_unlinked(const Event& e) {
    if ((e.flags & log::kLastLink) == 0 || e.level < 1 || e.level > log::kTopLevel) return;
    const log::ReplayTable* table = replay_.table(e.pa);
    if (table == nullptr) return;
    for (Waiting& waiting : waiting_) {
        if (waiting.parent_root != e.space) continue;
        for (unsigned index = 0; index < log::kTableEntries; ++index)
            if (log::is_leaf(table->entries[index], e.level))
                waiting.changed.emplace(log::entry_va(e.va, e.level, index), table->entries[index]);
    }
}

void ChildTables::burst_over() {
    if (!growing_) return;
    const uint64_t root = *growing_;
    growing_.reset();
    const Birth& birth = births_.at(root);
    auto waiting = std::ranges::find_if(waiting_, [root](const Waiting& w) { return w.child_root == root; });
    if (waiting == waiting_.end()) {
        waiting = most_alike(birth);
        if (waiting != waiting_.end()) {
            waiting->child_root = root;
            book_.forks[waiting->fork].child.root = root;
            spaces_.child_starts(waiting->fork, root, waiting->covered, waiting->covered_tables);
        }
    }
    if (waiting != waiting_.end()) {
        settle(root, birth, *waiting);
        waiting_.erase(waiting);
        births_.erase(root);
    } else if (forks_under_way_ == 0) {
        births_.erase(root);
    }
}

// Of the children whose root nobody told, the one whose parent has most of these entries, and at least half.
std::vector<ChildTables::Waiting>::iterator ChildTables::most_alike(const Birth& birth) {
    auto best = waiting_.end();
    size_t best_count = std::max<size_t>(birth.leaves.size() / 2, 1);
    for (auto at = waiting_.begin(); at != waiting_.end(); ++at) {
        if (at->child_root != 0) continue;
        const auto count = static_cast<size_t>(std::ranges::count_if(
            birth.leaves, [&](const log::ReplayLeaf& leaf) { return same_as_parent(*at, leaf); }));
        if (count < best_count) continue;
        best = at;
        best_count = count;
    }
    return best;
}

bool ChildTables::same_as_parent(const Waiting& waiting, const log::ReplayLeaf& leaf) const {
    uint64_t value = 0;
    const auto changed = waiting.changed.find(leaf.va);
    if (changed != waiting.changed.end()) {
        value = changed->second;
    } else if (const auto now = replay_.leaf(waiting.parent_root, leaf.va); now && now->level == leaf.level) {
        value = now->value;
    }
    return log::is_leaf(value, leaf.level) &&
           log::frame_of(value, leaf.level) == log::frame_of(leaf.value, leaf.level);
}

// Pages that are covered since an earlier fork, in tables that this one shares.
uint64_t ChildTables::covered_by_shared_tables(const Birth& birth, const Waiting& waiting) {
    return static_cast<uint64_t>(std::ranges::count_if(waiting.covered, [&](const auto& page) {
        const auto after = birth.shared_tables.upper_bound(page.first);
        if (after == birth.shared_tables.begin()) return false;
        const auto& [start, bytes] = *std::prev(after);
        return page.first - start < bytes;
    }));
}

void ChildTables::settle(uint64_t, const Birth& birth, const Waiting& waiting) {
    Fork& fork = book_.forks[waiting.fork];
    ForkDetails* details = book_.details(waiting.fork);
    fork.child.first_run = birth.when;
    fork.tables_allocated = birth.tables;
    fork.tables_shared = birth.shared_tables.size();
    uint64_t covered = covered_by_shared_tables(birth, waiting);
    for (const log::ReplayLeaf& leaf : birth.leaves) {
        if (!same_as_parent(waiting, leaf)) {
            ++fork.entries_different;
            continue;
        }
        ++fork.entries_copied;
        if (details != nullptr) add_page(details->copied_ranges, leaf.va, log::span_bytes(leaf.level));
        const bool is_covered = waiting.covered.contains(leaf.va);
        covered += is_covered ? 1u : 0u;
        if (!log::is_writable(leaf.value)) {
            ++fork.copied_read_only;
        } else if (is_covered) {
            ++fork.left_writable;
        }
    }
    if (fork.left_writable != 0)
        book_.note(
            waiting.fork,
            fmt::format("{} entries were made read-only in the parent but are writable in the child: both "
                        "can reach the same frames, and the child's writes will show in the parent",
                        fork.left_writable));
    if (covered < waiting.covered.size())
        book_.note(waiting.fork,
                   fmt::format("{} pages are read-only for copy-on-write in the parent, but the child's "
                               "tables do not have them",
                               waiting.covered.size() - covered));
}

}  // namespace forkscope::analysis
