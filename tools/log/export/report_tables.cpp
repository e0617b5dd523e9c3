// Page tables around a fork, and costs, as JSON.
#include "tools/log/export/report_tables.hpp"

#include "tools/log/analysis/fork_tracker.hpp"
#include "tools/log/export/fork_costs.hpp"
#include "tools/log/export/tree_diff.hpp"
#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/verbs/fork_filter.hpp"

namespace forkscope::tools {

using analysis::Fork;
using analysis::ForkTracker;

namespace {

constexpr size_t kMostTreeRows = 1500;

// The child's tables come into the log all at once, when they are first loaded.
[[nodiscard]] uint64_t end_of_birth(log::Reader& reader, uint64_t event) {
    constexpr log::KindMask kBirth =
        log::mask_of(log::EventKind::TableLink) | log::mask_of(log::EventKind::PteFound);
    auto cursor = reader.events({.from_event = event});
    while (cursor.next())
        if ((log::mask_of(cursor.event().kind) & kBirth) == 0) return cursor.number();
    return reader.event_count();
}

[[nodiscard]] Json tree_json(const TreeDiff& diff) {
    Json rows = Json::array();
    for (const TreeRow& row : diff.rows) {
        const auto bits = [&](uint64_t entry) { return entry == 0 ? "" : bits_text(entry, row.level); };
        const auto target = [&](uint64_t entry) {
            return entry == 0 ? "" : hex(log::frame_of(entry, row.level));
        };
        rows.push_back({row.depth, row.level, hex(row.va), row.count, bits(row.before), bits(row.after),
                        target(row.before), target(row.after), row.links ? 1 : 0, row.same_target ? 1 : 0,
                        row.changed() ? 1 : 0, row.table_uses});
    }
    return {{"rows", std::move(rows)}, {"changed", diff.changed}, {"left_out", diff.left_out}};
}

[[nodiscard]] Json sheet_json(const std::string& file, const std::string& command_line,
                              const std::vector<Fork>& forks, const log::EventFilter& filter) {
    Json rows = Json::array();
    for (const ForkCosts& costs : fork_costs(forks, filter))
        rows.push_back({{"call", costs.call},
                        {"forks", costs.forks},
                        {"failed", costs.failed},
                        {"instructions", costs.instructions},
                        {"table_writes", costs.table_writes},
                        {"tables", costs.tables_allocated},
                        {"flushes", costs.flushes},
                        {"faults", costs.faults},
                        {"pages_copied", costs.pages_copied}});
    return {{"file", std::filesystem::path(file).filename().string()},
            {"command_line", command_line},
            {"rows", std::move(rows)}};
}

}  // namespace

Json trees_json(log::Reader& reader, const Fork& fork) {
    const uint64_t returned = fork.end ? fork.end->event + 1 : reader.event_count();
    const log::Replay before = log::replay_until(reader, fork.begin.event);
    const log::Replay after = log::replay_until(reader, returned);
    Json json;
    json["fork"] = fork.number;
    json["call"] = analysis::kind_of(fork);
    json["parent"] = fork.parent.label();
    json["child"] = fork.child.label();
    json["parent_tree"] =
        tree_json(diff_trees({&before, fork.parent.root}, {&after, fork.parent.root}, kMostTreeRows));
    json["child_tree"] = nullptr;
    if (fork.child.first_run && !fork.shares_memory()) {
        const log::Replay born = log::replay_until(reader, end_of_birth(reader, fork.child.first_run->event));
        json["child_tree"] =
            tree_json(diff_trees({&after, fork.parent.root}, {&born, fork.child.root}, kMostTreeRows));
    }
    return json;
}

Result<Json> costs_json(const ExportJob& job, const std::vector<Fork>& forks,
                        std::vector<std::string>& left_out) {
    Json sheets = Json::array();
    sheets.push_back(sheet_json(job.query.file, job.reader.meta().command_line, forks, job.filter));
    for (const std::string& file : job.query.with) {
        const auto other = TRY(log::Reader::open(file));
        Query query = job.query;
        query.file = file;
        TRY_VOID(require_kinds(*other, query, ForkTracker::kKinds));
        ForkTracker tracker;
        auto cursor = other->events({.kinds = ForkTracker::kKinds});
        while (cursor.next()) tracker.apply(cursor.event(), cursor.number());
        tracker.finish();
        sheets.push_back(sheet_json(file, other->meta().command_line, tracker.forks(), {}));
        if (!other->damage().none())
            left_out.push_back(fmt::format("'{}' is not whole: {}", file, other->damage().describe()));
    }
    return sheets;
}

}  // namespace forkscope::tools
