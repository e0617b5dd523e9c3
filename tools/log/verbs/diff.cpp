// `log diff`: what is different in the page tables between two moments.
#include "tools/log/analysis/fork_tracker.hpp"
#include "tools/log/analysis/table_diff.hpp"
#include "tools/log/analysis/table_rows.hpp"
#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/verbs/omitted.hpp"
#include "tools/log/verbs/past.hpp"
#include "tools/log/verbs/spaces.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::tools {

namespace {

using analysis::DiffRow;
using analysis::SpaceChange;
using analysis::SpaceDiff;

// How many events are in the past at each of the two moments.
struct Span {
    uint64_t from = 0;
    uint64_t to = 0;
    std::string note;
};

// The fork as it is known when its call is over and its child has run, or at the end of the log.
Result<analysis::Fork> find_fork(const std::string& text, log::Reader& reader, const Query& query) {
    const uint64_t number = TRY(parse_number(text));
    TRY_VOID(require_kinds(reader, query, analysis::ForkTracker::kKinds));
    analysis::ForkTracker tracker;
    const auto is_known = [&] {
        if (number == 0 || number > tracker.forks().size()) return false;
        const analysis::Fork& fork = tracker.forks()[number - 1];
        return fork.end && (fork.failed() || fork.shares_memory() || fork.child.first_run);
    };
    auto cursor = reader.events({.kinds = analysis::ForkTracker::kKinds});
    while (!is_known() && cursor.next()) tracker.apply(cursor.event(), cursor.number());
    if (number == 0 || number > tracker.forks().size())
        return fail("there is no fork {} in '{}', which has {}", number, query.file,
                    counted(tracker.forks().size(), "fork"));
    return tracker.forks()[number - 1];
}

Result<Span> span_of(const Query& query, log::Reader& reader) {
    if (!query.before_fork.empty() && !query.from.empty())
        return fail("--before-fork and --from both say where to begin; expected one of them");
    if (!query.after_fork.empty() && !query.to.empty())
        return fail("--after-fork and --to both say where to end; expected one of them");
    Span span{0, ~uint64_t{0}, ""};
    std::optional<analysis::Fork> fork;
    if (!query.before_fork.empty()) {
        fork = TRY(find_fork(query.before_fork, reader, query));
        span.from = fork->begin.event;
    } else if (!query.from.empty()) {
        span.from = events_until(TRY(parse_moment(query.from, reader.meta())), reader);
    }
    if (!query.after_fork.empty()) {
        if (query.after_fork != query.before_fork) fork = TRY(find_fork(query.after_fork, reader, query));
        if (!fork->end) return fail("the log ends inside fork {}", fork->number);
        span.to = fork->end->event + 1;
        if (fork->child.first_run && fork->child.first_run->event > fork->end->event)
            span.note = fmt::format(
                "The child's tables come into the log when they are first loaded, at instruction {}: --to {} "
                "shows them.",
                grouped(fork->child.first_run->icount), fork->child.first_run->icount);
    } else if (!query.to.empty()) {
        span.to = events_until(TRY(parse_moment(query.to, reader.meta())), reader);
    }
    if (span.from > span.to) return fail("the first moment is after the second one");
    return span;
}

// Roots that were given up in between.
std::set<uint64_t> roots_given_up(log::Reader& reader, const Span& span) {
    std::set<uint64_t> roots;
    if (span.to == 0) return roots;
    auto cursor = reader.events({.from_event = span.from,
                                 .to_event = span.to - 1,
                                 .kinds = log::mask_of(log::EventKind::TableUnlink)});
    while (cursor.next()) {
        const log::Event& e = cursor.event();
        if (e.level == log::kTopLevel && e.a == 0) roots.insert(e.pa);
    }
    return roots;
}

[[nodiscard]] const char* name_of(SpaceChange change) {
    switch (change) {
        case SpaceChange::Same:
            return "changed";
        case SpaceChange::New:
            return "new";
        case SpaceChange::Gone:
            return "gone";
        case SpaceChange::Another:
            return "another space with the same root";
    }
    return "";
}

[[nodiscard]] std::string row_text(const DiffRow& row) {
    if (row.links)
        return fmt::format("{:#x}  L{} table  {}", row.va, row.level - 1,
                           entry_change(row.before, row.after, row.level));
    const std::string range =
        fmt::format("{:#x}-{:#x}  {}{}", row.va, row.end() - 1, counted(row.count, "page"),
                    row.level == 1 ? "" : " of " + bytes_text(log::span_bytes(row.level)));
    if (row.count == 1) return fmt::format("{}  {}", range, entry_change(row.before, row.after, row.level));
    if (!log::is_present(row.before))
        return fmt::format("{}  mapped: {}", range, bits_text(row.after, row.level));
    if (!log::is_present(row.after))
        return fmt::format("{}  unmapped: {}", range, bits_text(row.before, row.level));
    return fmt::format(
        "{}  {} -> {} [{}]", range, bits_text(row.before, row.level), bits_text(row.after, row.level),
        row.same_targets
            ? entry_difference(row.before & ~log::kEntryAddress, row.after & ~log::kEntryAddress, row.level)
            : "other frames");
}

[[nodiscard]] Style style_of(const DiffRow& row) {
    if (!log::is_present(row.before)) return Style::Green;
    if (!log::is_present(row.after)) return Style::Red;
    return Style::Yellow;
}

[[nodiscard]] Json row_json(const DiffRow& row) {
    return {{"va", hex(row.va)},
            {"end", hex(row.end() - 1)},
            {"level", row.level},
            {"entries", row.count},
            {"links_table", row.links},
            {"before", hex(row.before)},
            {"after", hex(row.after)},
            {"same_targets", row.same_targets},
            {"change", row.count == 1 || row.same_targets ? entry_difference(row.before, row.after, row.level)
                       : !log::is_present(row.before)     ? "mapped"
                       : !log::is_present(row.after)      ? "unmapped"
                                                          : "other frames"}};
}

class Diff {
public:
    Diff(const Query& query, Output& out) : query_(query), out_(out) {}

    void space(const SpaceDiff& diff, const std::string& who) {
        if (diff.change == SpaceChange::Same && diff.changed == 0) {
            ++unchanged;
            return;
        }
        if (query_.json) {
            Json json;
            json["root"] = hex(diff.root);
            json["who"] = who;
            json["space"] = name_of(diff.change);
            json["changed_entries"] = diff.changed;
            json["tables_before"] = diff.tables_before;
            json["tables_after"] = diff.tables_after;
            json["rows"] = Json::array();
            for (const DiffRow& row : diff.rows)
                if (omitted.take(query_.limit)) json["rows"].push_back(row_json(row));
            spaces.push_back(std::move(json));
            return;
        }
        const std::string tables =
            diff.tables_before == diff.tables_after
                ? counted(diff.tables_after, "table")
                : fmt::format("{} -> {}", grouped(diff.tables_before), counted(diff.tables_after, "table"));
        out_.print("\n{}  {}, {}, {} different\n",
                   out_.paint(Style::Bold, fmt::format("{}, root {:#x}", who, diff.root)),
                   name_of(diff.change), tables, counted(diff.changed, "entry", "entries"));
        for (const DiffRow& row : diff.rows) {
            if (!omitted.take(query_.limit)) continue;
            const char sign = style_of(row) == Style::Green ? '+' : style_of(row) == Style::Red ? '-' : '~';
            out_.print("  {}\n", out_.paint(style_of(row), fmt::format("{} {}", sign, row_text(row))));
        }
    }

    Omitted omitted;
    Json spaces = Json::array();
    uint64_t unchanged = 0;

private:
    const Query& query_;
    Output& out_;
};

}  // namespace

Result<> log_diff(log::Reader& reader, const Query& query, Output& out) {
    TRY_VOID(require_kinds(reader, query, log::Replay::kKinds & ~log::mask_of(log::EventKind::Audit)));
    const Span span = TRY(span_of(query, reader));
    const log::VaRange range = query.va.empty() ? analysis::kUserHalf : TRY(parse_range(query.va));
    const log::Replay before = log::replay_until(reader, span.from);
    const log::Replay after = log::replay_until(reader, span.to);
    const analysis::TaskTable tasks_then = tasks_before(reader, span.from);
    const analysis::TaskTable tasks_now = tasks_before(reader, span.to);
    uint64_t only = 0;
    if (!query.root.empty()) {
        only = TRY(parse_number(query.root)) & ~kPageOffsetMask;
    } else if (!query.task.empty()) {
        const uint32_t tid = TRY(one_task_of(query, reader));
        only = root_of(tasks_now, tid) != 0 ? root_of(tasks_now, tid) : root_of(tasks_then, tid);
        if (only == 0) return fail("task {} has no address space at either moment", tid);
    }
    const std::string from = moment_text(span.from, reader);
    const std::string to = moment_text(span.to, reader);
    if (!query.json) out.print("Page tables {}\n        and {}.\n", from, to);
    Diff diff(query, out);
    for (const auto& [root, change] : analysis::spaces_between(before, after, roots_given_up(reader, span))) {
        if (only != 0 && root != only) continue;
        const auto& tasks = change == SpaceChange::Gone ? tasks_then : tasks_now;
        diff.space(analysis::diff_space(before, after, root, change, range), tasks.space_label(root));
    }
    if (query.json) {
        Json json;
        json["from"] = from;
        json["to"] = to;
        json["spaces"] = std::move(diff.spaces);
        json["unchanged_spaces"] = diff.unchanged;
        json["note"] = span.note;
        add_omitted(json, diff.omitted, reader);
        out.print("{}\n", json_text(json, 1));
        return {};
    }
    if (diff.omitted.shown + diff.omitted.by_limit == 0) out.print("\nNo entry is different.\n");
    if (diff.unchanged != 0)
        out.print("\n{} without a difference.\n", counted(diff.unchanged, "address space"));
    if (diff.omitted.by_limit != 0)
        out.print("{} shown, {} more left out by --limit {} (--limit 0 shows all).\n",
                  counted(diff.omitted.shown, "row"), grouped(diff.omitted.by_limit), query.limit);
    if (!span.note.empty()) out.print("{}\n", span.note);
    if (query.va.empty())
        out.print("{}\n", out.paint(Style::Dim,
                                    "The kernel's half is left out (--va "
                                    "0xffff800000000000-0xffffffffffffffff)."));
    print_reservations(reader, out);
    return {};
}

}  // namespace forkscope::tools
