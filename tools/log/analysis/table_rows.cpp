// Walking tables.
#include "tools/log/analysis/table_rows.hpp"

#include <algorithm>

namespace forkscope::analysis {

FrameUsers::FrameUsers(const log::Replay& replay) : roots_(replay.roots().begin(), replay.roots().end()) {
    for (uint32_t i = 0; i < roots_.size(); ++i) {
        replay.visit_leaves(roots_[i], kUserHalf, [&](const log::ReplayLeaf& leaf) {
            auto& users = users_[log::frame_of(leaf.value, leaf.level)];
            if (users.empty() || users.back() != i) users.push_back(i);
        });
    }
}

const std::vector<uint32_t>& FrameUsers::of(uint64_t frame) const {
    static const std::vector<uint32_t> kNone;
    const auto found = users_.find(frame);
    return found == users_.end() ? kNone : found->second;
}

namespace {

class Walk {
public:
    Walk(const log::Replay& replay, log::VaRange range, const FrameUsers& users)
        : replay_(replay), range_(range), users_(users) {}

    void table(uint64_t frame, unsigned level, uint64_t table_va, unsigned depth) {
        const log::ReplayTable* table = replay_.table(frame);
        if (table == nullptr) return;
        bool fresh = true;  // nothing to fold with yet
        for (unsigned index = 0; index < log::kTableEntries; ++index) {
            const uint64_t value = table->entries[index];
            const uint64_t va = log::entry_va(table_va, level, index);
            const bool outside = va > range_.last || va + (log::span_bytes(level) - 1) < range_.first;
            if (!log::is_present(value) || outside) continue;
            TableRow row;
            row.depth = depth;
            row.level = level;
            row.va = va;
            row.count = 1;
            row.bits = value & ~log::kEntryAddress;
            row.target = log::frame_of(value, level);
            row.links = log::links_table(value, level);
            if (row.links) {
                const log::ReplayTable* linked = replay_.table(row.target);
                row.table_uses = linked == nullptr ? 0 : linked->references[level - 1];
                rows.push_back(row);
                this->table(row.target, level - 1, va, depth + 1);
                fresh = true;
                continue;
            }
            if (log::is_lower_half(va)) row.users = users_.of(row.target);
            if (fresh || !fold(rows.back(), row)) rows.push_back(std::move(row));
            fresh = false;
        }
    }

    std::vector<TableRow> rows;

private:
    [[nodiscard]] static bool fold(TableRow& last, const TableRow& next) {
        if (last.end() != next.va || last.bits != next.bits || last.users != next.users) return false;
        last.ascending &= last.target + last.count * log::span_bytes(last.level) == next.target;
        ++last.count;
        return true;
    }

    const log::Replay& replay_;
    log::VaRange range_;
    const FrameUsers& users_;
};

void measure(const log::Replay& replay, uint64_t frame, unsigned level, uint64_t table_va, log::VaRange range,
             SpaceSize& size) {
    const log::ReplayTable* table = replay.table(frame);
    if (table == nullptr) return;
    ++size.tables[level];
    for (unsigned index = 0; index < log::kTableEntries; ++index) {
        const uint64_t value = table->entries[index];
        const uint64_t va = log::entry_va(table_va, level, index);
        const uint64_t span = log::span_bytes(level);
        if (!log::is_present(value) || va > range.last || va + (span - 1) < range.first) continue;
        if (log::is_leaf(value, level)) {
            ++size.leaves;
            size.bytes += span;
        } else if (level > 1) {
            measure(replay, log::frame_of(value, level), level - 1, va, range, size);
        }
    }
}

}  // namespace

std::vector<TableRow> table_rows(const log::Replay& replay, uint64_t root, log::VaRange range,
                                 const FrameUsers& users) {
    Walk walk(replay, range, users);
    walk.table(root, log::kTopLevel, 0, 0);
    return std::move(walk.rows);
}

SpaceSize size_of(const log::Replay& replay, uint64_t root, log::VaRange range) {
    SpaceSize size;
    measure(replay, root, log::kTopLevel, 0, range, size);
    return size;
}

}  // namespace forkscope::analysis
