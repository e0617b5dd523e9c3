// Rows of the TLB in words.
#include "tools/panels/model/tlb_list.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/numbers.hpp"

namespace forkscope::panels {

using analysis::Agreement;
using analysis::TlbRow;

namespace {

// Low 48 bits: the rest repeats bit 47.
constexpr uint64_t kShown = 0xffff'ffff'ffff;

[[nodiscard]] TlbLine line_of(const TlbRow& row, const Moment& moment) {
    const log::Event& e = row.first.fill;
    TlbLine line;
    line.row = row;
    line.pages = row.pages == 1 && e.level == 1
                     ? fmt::format("{:012x}", e.va & kShown)
                     : fmt::format("{:012x} – {:012x}", e.va & kShown, (row.end() - 1) & kShown);
    const std::string size = e.level == 1 ? "" : " of " + tools::bytes_text(row.span());
    line.target = fmt::format("{}{} → {:x}{}", tools::counted(row.pages, "page"), size, e.pa,
                              row.ascending ? "" : " …");
    line.bits = tools::bits_text(e.a & ~log::kEntryAddress, e.level);
    line.space = (e.flags & log::kGlobal) != 0 ? "global" : moment.tasks().space_label(e.root);
    if (row.agreement != Agreement::Same) {
        const auto leaf = moment.tables().leaf(e.root, e.va);
        line.tables = leaf ? tools::entry_text(leaf->value, leaf->level) : "nothing is mapped there";
    }
    return line;
}

}  // namespace

TlbList tlb_at(const Moment& moment) {
    TlbList list;
    list.counts = moment.tlb().counts();
    std::vector<TlbRow> rows;
    for (const analysis::TlbEntry& entry : moment.tlb().entries()) {
        const Agreement how = analysis::agreement(entry.fill, moment.tables());
        ++list.by_agreement[static_cast<size_t>(how)];
        if (rows.empty() || !rows.back().take(entry, how)) rows.push_back({entry, how});
    }
    std::ranges::stable_sort(rows, std::greater<>(), &TlbRow::agreement);
    for (const TlbRow& row : rows) list.lines.push_back(line_of(row, moment));
    return list;
}

}  // namespace forkscope::panels
