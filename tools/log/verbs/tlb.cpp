// `log tlb`: what the TLB could hold at a moment, and whether the tables still say the same.
#include "tools/log/analysis/tlb_rows.hpp"

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

using analysis::Agreement;
using Row = analysis::TlbRow;

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
    for (const analysis::TlbEntry& entry : tlb.entries()) {
        if (!filter.passes(entry.fill)) {
            ++filtered;
            continue;
        }
        const Agreement how = analysis::agreement(entry.fill, replay);
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
