// Rows of the tree in words.
#include "tools/panels/model/tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/numbers.hpp"

namespace forkscope::panels {

using analysis::TableRow;

namespace {

class Builder {
public:
    Builder(const Moment& moment, const analysis::Symbolizer& symbols, const analysis::FrameUsers& users,
            const TreeChoice& choice, TreeModel& model)
        : moment_(moment),
          symbols_(symbols),
          users_(users),
          glow_(moment, choice.glow_window),
          model_(model) {}

    void rows(log::VaRange range) {
        for (const TableRow& row : analysis::table_rows(moment_.tables(), model_.root, range, users_)) {
            if (model_.rows.size() == kMostTreeRows) {
                ++model_.rows_left_out;
                continue;
            }
            model_.rows.push_back(make(row));
        }
    }

    // Cleared entries of this space stand in no row.
    void gone(log::VaRange range) {
        for (const auto& [address, change] : glow_.changes()) {
            const log::Event& e = change.event;
            if (e.space != model_.root || log::is_present(e.b) || !log::is_present(change.before)) continue;
            if (e.va < range.first || e.va > range.last) continue;
            model_.gone.push_back(
                {change.number,
                 fmt::format("L{} {:x}  {}", e.level, e.va, tools::entry_change(change.before, e.b, e.level)),
                 change.glow});
        }
        std::ranges::sort(model_.gone, std::greater<>(), &TreeChange::number);
    }

private:
    [[nodiscard]] TreeRow make(const TableRow& row) const {
        TreeRow result;
        result.row = row;
        const auto entry = moment_.tables().entry(model_.root, row.va, row.level);
        result.entry = entry ? entry->entry_pa : 0;
        result.bits = tools::bits_text(row.bits, row.level);
        if (row.links) {
            result.text = fmt::format("{:012x}", row.va & 0xffff'ffff'ffff);
            result.target = fmt::format("L{} table {:x}", row.level - 1, row.target);
            if (row.table_uses > 1) result.shared = fmt::format("linked {} times", row.table_uses);
        } else {
            result.text = row.count == 1 ? fmt::format("{:012x}", row.va & 0xffff'ffff'ffff)
                                         : fmt::format("{:012x} – {:012x}", row.va & 0xffff'ffff'ffff,
                                                       (row.end() - 1) & 0xffff'ffff'ffff);
            result.target = target_text(row);
            result.shared = sharers(row);
            result.code = code_text(row);
        }
        mark_changes(result);
        return result;
    }

    [[nodiscard]] static std::string target_text(const TableRow& row) {
        const uint64_t span = log::span_bytes(row.level);
        const std::string pages =
            tools::counted(row.count, "page") + (row.level == 1 ? "" : " of " + tools::bytes_text(span));
        if (row.count == 1) return fmt::format("{} → {:x}", pages, row.target);
        return fmt::format("{} → {:x}{}", pages, row.target, row.ascending ? " …" : ", …");
    }

    [[nodiscard]] std::string sharers(const TableRow& row) const {
        std::string text;
        size_t others = 0;
        for (const uint32_t user : row.users) {
            const uint64_t other = users_.roots()[user];
            if (other == model_.root) continue;
            if (others++ == 0) text = "with " + moment_.tasks().space_label(other);
        }
        if (others > 1) text += fmt::format(" and {} more", others - 1);
        return text;
    }

    [[nodiscard]] std::string code_text(const TableRow& row) const {
        if ((row.bits & log::kEntryNoExecute) != 0) return "";
        const unsigned cpl = log::is_lower_half(row.va) ? 3 : 0;
        const auto [first, last] =
            symbols_.names_between(row.va, row.end() - 1, cpl, moment_.tasks().program_in(model_.root));
        if (first == nullptr) return "";
        return first == last ? first->name : fmt::format("{} … {}", first->name, last->name);
    }

    void mark_changes(TreeRow& row) const {
        if (row.entry == 0 || glow_.changes().empty()) return;
        const Change* latest = nullptr;
        for (uint64_t i = 0; i < row.row.count; ++i) {
            const Change* change = glow_.of(row.entry + i * log::kEntryBytes);
            if (change == nullptr) continue;
            ++row.changed;
            if (latest == nullptr || change->number > latest->number) latest = change;
        }
        if (latest == nullptr) return;
        row.glow = latest->glow;
        row.event = latest->number;
        row.change = tools::entry_difference(latest->before, latest->event.b, latest->event.level);
    }

    const Moment& moment_;
    const analysis::Symbolizer& symbols_;
    const analysis::FrameUsers& users_;
    Glow glow_;
    TreeModel& model_;
};

// Of the wanted space, or of the last event's, or any.
[[nodiscard]] uint64_t choose_root(const Moment& moment, uint64_t wanted) {
    const auto& roots = moment.tables().roots();
    if (roots.contains(wanted)) return wanted;
    const RecentEvents& recent = moment.recent();
    for (size_t i = recent.size(); i > 0; --i)
        if (const uint64_t root = recent.at(i - 1).event.root; roots.contains(root)) return root;
    return roots.empty() ? 0 : *roots.begin();
}

}  // namespace

TreeModel tree_of(const Moment& moment, const analysis::Symbolizer& symbols,
                  const analysis::FrameUsers& users, const TreeChoice& choice) {
    TreeModel model;
    for (const uint64_t root : moment.tables().roots())
        model.spaces.push_back({root, moment.tasks().space_label(root)});
    model.root = choose_root(moment, choice.root);
    if (model.root == 0) return model;
    model.label = moment.tasks().space_label(model.root);
    const log::VaRange range = choice.kernel ? log::VaRange{} : analysis::kUserHalf;
    model.size = analysis::size_of(moment.tables(), model.root, range);
    Builder builder(moment, symbols, users, choice, model);
    builder.rows(range);
    builder.gone(range);
    return model;
}

std::string explain_entry(uint64_t bits, unsigned level) {
    struct Said {
        uint64_t mask;
        const char* set;
        const char* clear;
    };
    constexpr std::array<Said, 7> kSaid = {{
        {log::kEntryPresent, "P   present: the CPU may use this entry",
         "P=0 not present: any use is a page fault"},
        {log::kEntryWritable, "W   writable",
         "W=0 read-only: a write is a page fault (after a fork: copy-on-write)"},
        {log::kEntryUser, "U   user code may use it", "U=0 the kernel alone may use it"},
        {log::kEntryAccessed, "A   accessed: the CPU has used it since the bit was cleared",
         "A=0 not used since the bit was cleared"},
        {log::kEntryDirty, "D   dirty: the page was written", ""},
        {log::kEntryGlobal, "G   global: a change of address space leaves it in the TLB", ""},
        {log::kEntryNoExecute, "NX  no code may run from it", "NX=0 code may run from it"},
    }};
    std::string text;
    for (const Said& said : kSaid) {
        const char* line = (bits & said.mask) != 0 ? said.set : said.clear;
        if (*line != 0) text += fmt::format("{}{}", text.empty() ? "" : "\n", line);
    }
    if (level > 1 && (bits & log::kEntryPageSize) != 0)
        text += fmt::format("\nPS  a large page of {}", tools::bytes_text(log::span_bytes(level)));
    return text;
}

}  // namespace forkscope::panels
