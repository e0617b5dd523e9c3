// Comparing tables.
#include "tools/log/analysis/table_diff.hpp"

namespace forkscope::analysis {

namespace {

constexpr uint64_t kNoTable = ~uint64_t{0};

class Comparison {
public:
    Comparison(const log::Replay& before, const log::Replay& after, log::VaRange range, SpaceDiff& diff)
        : before_(before), after_(after), range_(range), diff_(diff) {}

    // The tables that cover the same addresses, or kNoTable.
    void tables(uint64_t old_frame, uint64_t new_frame, unsigned level, uint64_t table_va) {
        const log::ReplayTable* old_table = old_frame == kNoTable ? nullptr : before_.table(old_frame);
        const log::ReplayTable* new_table = new_frame == kNoTable ? nullptr : after_.table(new_frame);
        diff_.tables_before += old_table != nullptr ? 1 : 0;
        diff_.tables_after += new_table != nullptr ? 1 : 0;
        if (old_table == nullptr && new_table == nullptr) return;
        for (unsigned index = 0; index < log::kTableEntries; ++index) {
            const uint64_t va = log::entry_va(table_va, level, index);
            if (va > range_.last || va + (log::span_bytes(level) - 1) < range_.first) continue;
            const uint64_t was = old_table == nullptr ? 0 : old_table->entries[index];
            const uint64_t is = new_table == nullptr ? 0 : new_table->entries[index];
            entry(was, is, level, va);
        }
    }

private:
    // A leaf in the place of a table, or the reverse, is told as one change at its own level.
    void entry(uint64_t was, uint64_t is, unsigned level, uint64_t va) {
        if (was != is && (log::is_present(was) || log::is_present(is))) add(was, is, level, va);
        const bool old_links = log::links_table(was, level);
        const bool new_links = log::links_table(is, level);
        if (!old_links && !new_links) return;
        tables(old_links ? log::frame_of(was, level) : kNoTable,
               new_links ? log::frame_of(is, level) : kNoTable, level - 1, va);
    }

    void add(uint64_t was, uint64_t is, unsigned level, uint64_t va) {
        ++diff_.changed;
        DiffRow row;
        row.va = va;
        row.count = 1;
        row.level = level;
        row.before = was;
        row.after = is;
        row.links = log::links_table(was, level) || log::links_table(is, level);
        row.same_targets = log::is_present(was) && log::is_present(is) &&
                           log::frame_of(was, level) == log::frame_of(is, level);
        if (!diff_.rows.empty() && fold(diff_.rows.back(), row)) return;
        diff_.rows.push_back(row);
    }

    [[nodiscard]] static bool fold(DiffRow& last, const DiffRow& next) {
        const auto bits = [](uint64_t entry) { return entry & ~log::kEntryAddress; };
        if (last.links || next.links || last.level != next.level || last.end() != next.va) return false;
        if (bits(last.before) != bits(next.before) || bits(last.after) != bits(next.after)) return false;
        if (last.same_targets != next.same_targets) return false;
        ++last.count;
        return true;
    }

    const log::Replay& before_;
    const log::Replay& after_;
    log::VaRange range_;
    SpaceDiff& diff_;
};

}  // namespace

SpaceDiff diff_space(const log::Replay& before, const log::Replay& after, uint64_t root, SpaceChange change,
                     log::VaRange range) {
    SpaceDiff diff;
    diff.root = root;
    diff.change = change;
    Comparison comparison(before, after, range, diff);
    const auto compare = [&](bool old_one, bool new_one) {
        comparison.tables(old_one ? root : kNoTable, new_one ? root : kNoTable, log::kTopLevel, 0);
    };
    if (change == SpaceChange::Another) {
        compare(true, false);
        compare(false, true);
    } else {
        compare(change != SpaceChange::New, change != SpaceChange::Gone);
    }
    return diff;
}

std::vector<std::pair<uint64_t, SpaceChange>> spaces_between(const log::Replay& before,
                                                             const log::Replay& after,
                                                             const std::set<uint64_t>& reborn) {
    std::set<uint64_t> roots = before.roots();
    roots.insert(after.roots().begin(), after.roots().end());
    std::vector<std::pair<uint64_t, SpaceChange>> spaces;
    for (const uint64_t root : roots) {
        const bool was = before.roots().contains(root);
        const bool is = after.roots().contains(root);
        spaces.emplace_back(root, !was                    ? SpaceChange::New
                                  : !is                   ? SpaceChange::Gone
                                  : reborn.contains(root) ? SpaceChange::Another
                                                          : SpaceChange::Same);
    }
    return spaces;
}

}  // namespace forkscope::analysis
