// Walking two trees at once.
#include "tools/log/export/tree_diff.hpp"

#include "emu/log/entry_bits.hpp"

namespace forkscope::tools {

namespace {

// What is shown of an entry: nothing if it is not present, and no A and D, which the CPU sets by itself.
[[nodiscard]] uint64_t shown(uint64_t entry) {
    constexpr uint64_t kMarks = log::kEntryAccessed | log::kEntryDirty;
    return log::is_present(entry) ? entry & ~kMarks : 0;
}

class Walk {
public:
    Walk(const log::Replay* before, const log::Replay* after, size_t most, TreeDiff& diff)
        : before_(before), after_(after), most_(most), diff_(diff) {}

    // Frames of the tables that cover the same addresses; null: there is none.
    void tables(const log::ReplayTable* was, const log::ReplayTable* is, unsigned level, uint64_t table_va,
                unsigned depth) {
        fresh_ = true;
        for (unsigned index = 0; index < log::kTableEntries; ++index) {
            const uint64_t va = log::entry_va(table_va, level, index);
            if (!log::is_lower_half(va)) break;
            const uint64_t before = was == nullptr ? 0 : shown(was->entries[index]);
            const uint64_t after = is == nullptr ? 0 : shown(is->entries[index]);
            if (before != 0 || after != 0) entry(before, after, level, va, depth);
        }
        fresh_ = true;
    }

private:
    void entry(uint64_t before, uint64_t after, unsigned level, uint64_t va, unsigned depth) {
        const bool old_links = log::links_table(before, level);
        const bool new_links = log::links_table(after, level);
        TreeRow row{depth, level, va, 1, before, after, old_links || new_links, true, 0};
        row.same_target = log::frame_of(before, level) == log::frame_of(after, level);
        diff_.changed += row.changed() ? 1 : 0;
        const log::ReplayTable* was = old_links ? before_->table(log::frame_of(before, level)) : nullptr;
        const log::ReplayTable* is = new_links ? after_->table(log::frame_of(after, level)) : nullptr;
        if (is != nullptr) row.table_uses = is->references[level - 1];
        put(row);
        if (row.links) tables(was, is, level - 1, va, depth + 1);
    }

    void put(const TreeRow& row) {
        if (!fresh_ && fold(row)) return;
        fresh_ = row.links;
        last_ = row;
        kept_ = diff_.rows.size() < most_;
        if (kept_) {
            diff_.rows.push_back(row);
        } else {
            ++diff_.left_out;
        }
    }

    [[nodiscard]] bool fold(const TreeRow& next) {
        if (next.links) return false;
        const auto bits = [](uint64_t entry) { return entry & ~log::kEntryAddress; };
        if (last_.va + last_.count * log::span_bytes(last_.level) != next.va) return false;
        if (bits(last_.before) != bits(next.before) || bits(last_.after) != bits(next.after)) return false;
        if (last_.same_target != next.same_target) return false;
        ++last_.count;
        if (kept_) diff_.rows.back().count = last_.count;
        return true;
    }

    const log::Replay* before_;
    const log::Replay* after_;
    size_t most_;
    TreeDiff& diff_;
    bool fresh_ = true;  // there is nothing to fold with
    TreeRow last_;
    bool kept_ = true;  // the last row is in the list
};

[[nodiscard]] const log::ReplayTable* top(const Tree& tree) {
    return tree.tables == nullptr || tree.root == 0 ? nullptr : tree.tables->table(tree.root);
}

}  // namespace

TreeDiff diff_trees(const Tree& before, const Tree& after, size_t most) {
    TreeDiff diff;
    Walk(before.tables, after.tables, most, diff).tables(top(before), top(after), log::kTopLevel, 0, 0);
    return diff;
}

}  // namespace forkscope::tools
