// `log tlb`: what the TLB could hold at a moment, and whether the tables still say the same.
#include "tools/log/analysis/tlb_view.hpp"

#include "emu/log/replay.hpp"
#include "tools/log/text/decode.hpp"
#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/event_text.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/verbs/omitted.hpp"
#include "tools/log/verbs/past.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::tools {

namespace {

using analysis::TlbEntry;

// Compared with the tables as they are at that moment.
enum class Agreement : uint8_t {
    Same,
    Stronger,  // the tables allow more: the TLB asks again, no flush is needed
    Stale,     // the tables allow less, or lead elsewhere: used, it would be wrong
};

[[nodiscard]] Agreement agreement(const TlbEntry& entry, const log::Replay& replay) {
    const log::Event& fill = entry.fill;
    const auto leaf = replay.leaf(fill.root, fill.va);
    if (!leaf) return Agreement::Stale;
    const uint64_t inside = fill.va & (log::span_bytes(leaf->level) - 1);
    const uint64_t frame =
        (log::frame_of(leaf->value, leaf->level) + inside) & ~(log::span_bytes(fill.level) - 1);
    const uint64_t lost = fill.a & ~leaf->value & (log::kEntryWritable | log::kEntryUser);
    const bool no_code = (~fill.a & leaf->value & log::kEntryNoExecute) != 0;
    if (frame != (fill.pa & ~(log::span_bytes(fill.level) - 1)) || lost != 0 || no_code)
        return Agreement::Stale;
    const uint64_t won = leaf->value & ~fill.a & (log::kEntryWritable | log::kEntryUser);
    const bool code = (fill.a & ~leaf->value & log::kEntryNoExecute) != 0;
    return won != 0 || code ? Agreement::Stronger : Agreement::Same;
}

[[nodiscard]] const char* name_of(Agreement agreement) {
    switch (agreement) {
        case Agreement::Same:
            return "as the tables";
        case Agreement::Stronger:
            return "weaker than the tables";
        case Agreement::Stale:
            return "STALE";
    }
    return "";
}

// Accessed and dirty bits are not what a translation is asked for.
[[nodiscard]] uint64_t rights(uint64_t entry) {
    return entry & ~(log::kEntryAddress | log::kEntryAccessed | log::kEntryDirty);
}

struct Row {
    TlbEntry first;
    Agreement agreement = Agreement::Same;
    uint64_t pages = 1;
    bool ascending = true;
    [[nodiscard]] uint64_t span() const { return log::span_bytes(first.fill.level); }
    [[nodiscard]] uint64_t end() const { return first.fill.va + pages * span(); }

    [[nodiscard]] bool take(const TlbEntry& next, Agreement next_agreement) {
        const log::Event& a = first.fill;
        const log::Event& b = next.fill;
        const bool alike = a.cpu == b.cpu && a.level == b.level && rights(a.a) == rights(b.a) &&
                           a.root == b.root && agreement == next_agreement &&
                           (a.flags & log::kGlobal) == (b.flags & log::kGlobal);
        if (!alike || b.va != end()) return false;
        ascending &= b.pa == a.pa + pages * span();
        ++pages;
        return true;
    }
};

[[nodiscard]] std::string row_text(const Row& row, const analysis::TaskTable& tasks) {
    const log::Event& e = row.first.fill;
    const bool global = (e.flags & log::kGlobal) != 0;
    std::string pages = counted(row.pages, "page");
    if (e.level != 1) pages += " of " + bytes_text(row.span());
    return fmt::format("{:#x}-{:#x}  {} -> {:#x}{}  {}  {}", e.va, row.end() - 1, pages, e.pa,
                       row.ascending ? "" : " and other frames",
                       bits_text(e.a & ~log::kEntryAddress, e.level),
                       global ? "global" : tasks.space_label(e.root));
}

[[nodiscard]] Json row_json(const Row& row) {
    const log::Event& e = row.first.fill;
    return {{"cpu", e.cpu},
            {"va", hex(e.va)},
            {"end", hex(row.end() - 1)},
            {"level", e.level},
            {"pages", row.pages},
            {"frame", hex(e.pa)},
            {"frames_ascend", row.ascending},
            {"bits", bits_text(e.a & ~log::kEntryAddress, e.level)},
            {"global", (e.flags & log::kGlobal) != 0},
            {"root", hex(e.root)},
            {"first_fill", {{"event", row.first.number}, {"icount", e.icount}}},
            {"tables", name_of(row.agreement)}};
}

}  // namespace

Result<> log_tlb(log::Reader& reader, const Query& query, Output& out) {
    constexpr log::KindMask kFills =
        log::mask_of(log::EventKind::TlbFill) | log::mask_of(log::EventKind::Flush);
    TRY_VOID(
        require_kinds(reader, query, kFills | (log::Replay::kKinds & ~log::mask_of(log::EventKind::Audit))));
    const Moment at =
        query.at.empty() ? Moment{{}, ~uint64_t{0}} : TRY(parse_moment(query.at, reader.meta()));
    const uint64_t until = events_until(at, reader);
    Query without_time = query;
    without_time.from = without_time.to = "";
    const log::EventFilter filter = TRY(filter_of(without_time, reader));
    analysis::TlbView tlb;
    if (until != 0) {
        auto cursor = reader.events({.to_event = until - 1, .kinds = analysis::TlbView::kKinds});
        while (cursor.next()) tlb.apply(cursor.event(), cursor.number());
    }
    const log::Replay replay = log::replay_until(reader, until);
    const analysis::TaskTable tasks = tasks_before(reader, until);

    std::vector<Row> rows;
    std::array<uint64_t, 3> by_agreement{};
    uint64_t filtered = 0;
    for (const TlbEntry& entry : tlb.entries()) {
        if (!filter.passes(entry.fill)) {
            ++filtered;
            continue;
        }
        const Agreement how = agreement(entry, replay);
        ++by_agreement[static_cast<size_t>(how)];
        if (rows.empty() || !rows.back().take(entry, how)) rows.push_back({entry, how});
    }
    Omitted omitted;
    omitted.by_filter = filtered;
    const std::string when = moment_text(until, reader);
    Json list = Json::array();
    if (!query.json)
        out.print("What the TLB could hold {}: every fill that no flush has covered since.\n\n", when);
    for (const Row& row : rows) {
        if (!omitted.take(query.limit)) continue;
        if (query.json) {
            list.push_back(row_json(row));
            continue;
        }
        const Style style = row.agreement == Agreement::Stale  ? Style::Red
                            : row.agreement == Agreement::Same ? Style::Plain
                                                               : Style::Yellow;
        out.print("  {}  {}\n", row_text(row, tasks),
                  out.paint(style, row.agreement == Agreement::Same ? "" : name_of(row.agreement)));
    }
    const auto& counts = tlb.counts();
    const uint64_t entries = by_agreement[0] + by_agreement[1] + by_agreement[2];
    if (query.json) {
        Json json;
        json["at"] = when;
        json["entries"] = entries;
        json["stale"] = by_agreement[static_cast<size_t>(Agreement::Stale)];
        json["weaker"] = by_agreement[static_cast<size_t>(Agreement::Stronger)];
        json["rows"] = std::move(list);
        json["fills"] = counts.fills;
        json["dropped_by_page"] = counts.by_page;
        json["dropped_by_space"] = counts.by_space;
        json["dropped_by_all"] = counts.by_all;
        add_omitted(json, omitted, reader);
        out.print("{}\n", json_text(json, 1));
        return {};
    }
    out.print("\n{} in {}: {} stale, {} weaker than the tables (no flush needed).\n",
              counted(entries, "translation"), counted(rows.size(), "row"), by_agreement[2], by_agreement[1]);
    out.print(
        "Until then {} in all; dropped {} by INVLPG or a fault at the page, {} by CR3 loads, {} by "
        "switching paging or global pages.\n",
        counted(counts.fills, "fill"), grouped(counts.by_page), grouped(counts.by_space),
        grouped(counts.by_all));
    print_omitted(omitted, "row", "rows", query, reader, out);
    return {};
}

}  // namespace forkscope::tools
