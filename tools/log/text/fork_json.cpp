// Forks as JSON objects.
#include "tools/log/text/fork_json.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tools/log/text/decode.hpp"
#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/event_text.hpp"
#include "tools/log/text/numbers.hpp"

namespace forkscope::tools {

using analysis::CowBreak;
using analysis::Fork;
using analysis::ForkSide;
using analysis::When;

namespace {

[[nodiscard]] Json when_json(const When& when) { return {{"event", when.event}, {"icount", when.icount}}; }

template <typename T>
[[nodiscard]] Json maybe(const std::optional<T>& value, Json (*convert)(const T&)) {
    return value ? convert(*value) : Json(nullptr);
}

[[nodiscard]] Json side_json(const ForkSide& side) {
    Json json;
    json["task"] = side.tid;
    json["name"] = side.name;
    json["root"] = hex(side.root);
    json["shared_pages"] = side.covered;
    json["copies"] = side.copies;
    json["reuses"] = side.reuses;
    json["without_fault"] = side.without_fault;
    json["unmapped"] = side.unmapped;
    json["passed_on"] = side.passed_on;
    json["still_shared"] = side.untouched;
    json["write_faults"] = side.faults;
    json["table_copies"] = side.table_copies;
    json["table_only"] = side.table_only;
    json["not_mended"] = side.not_mended;
    json["unfinished"] = side.unfinished;
    json["bytes_copied"] = side.bytes_copied;
    json["first_run"] = maybe<When>(side.first_run, when_json);
    json["exec"] = nullptr;
    if (side.exec)
        json["exec"] = {
            {"when", when_json(side.exec->when)}, {"name", side.exec->name}, {"root", hex(side.exec->root)}};
    json["exit"] = nullptr;
    if (side.exit)
        json["exit"] = {{"when", when_json(side.exit->when)},
                        {"status", side.exit->status},
                        {"text", wait_status_text(side.exit->status)}};
    json["reap"] = nullptr;
    if (side.reap)
        json["reap"] = {
            {"when", when_json(side.reap->when)}, {"by", side.reap->by}, {"name", side.reaped_by}};
    return json;
}

[[nodiscard]] Json ranges_json(const std::vector<analysis::PageRange>& ranges) {
    Json list = Json::array();
    for (const analysis::PageRange& range : ranges)
        list.push_back({{"from", hex(range.va)},
                        {"to", hex(range.end() - 1)},
                        {"pages", range.count},
                        {"page_bytes", range.page_bytes}});
    return list;
}

[[nodiscard]] Json flush_json(const analysis::FlushSeen& flush) {
    Json json = {{"when", when_json(flush.when)}, {"how", flush_text(flush.how)}};
    if (flush.va != 0) json["va"] = hex(flush.va);
    return json;
}

[[nodiscard]] const char* outcome_name(analysis::Outcome outcome) {
    switch (outcome) {
        case analysis::Outcome::Copy:
            return "copy";
        case analysis::Outcome::Reuse:
            return "reuse";
        case analysis::Outcome::TableCopy:
            return "table-copy";
        case analysis::Outcome::NotMended:
            return "not-mended";
        case analysis::Outcome::Unfinished:
            return "unfinished";
    }
    return "";
}

[[nodiscard]] Json break_json(const CowBreak& b, const analysis::Symbolizer& symbols) {
    Json json;
    json["side"] = b.side == analysis::Side::Parent ? "parent" : "child";
    json["task"] = b.tid;
    json["name"] = b.name;
    json["root"] = hex(b.root);
    json["va"] = hex(b.va);
    json["fault"] = when_json(b.fault);
    json["error_code"] = b.error_code;
    json["error"] = error_code_text(b.error_code);
    json["rip"] = hex(b.fault_rip);
    json["cpl"] = b.fault_cpl;
    add_code(json, "code", "source", symbols, b.fault_rip, b.fault_cpl, b.program);
    json["outcome"] = outcome_name(b.outcome);
    json["old_table"] = nullptr;
    json["new_table"] = nullptr;
    if (b.table_entries) {
        json["old_table"] = hex(b.table_entries->first & log::kEntryAddress);
        json["new_table"] = hex(b.table_entries->second & log::kEntryAddress);
    }
    json["level"] = b.level;
    json["old_entry"] = hex(b.old_entry);
    json["new_entry"] = nullptr;
    if (b.upgrade.event != 0) {
        json["new_entry"] = hex(b.new_entry);
        json["old_frame"] = hex(log::frame_of(b.old_entry, b.level));
        json["new_frame"] = hex(log::frame_of(b.new_entry, b.level));
        json["upgrade"] = when_json(b.upgrade);
        add_code(json, "upgrade_code", "upgrade_source", symbols, b.upgrade_rip, b.upgrade_cpl, b.program);
        json["bytes_copied"] = b.bytes_copied();
    }
    json["invalidation"] = maybe<analysis::FlushSeen>(b.invalidation, flush_json);
    json["resolved"] = maybe<When>(b.resolved, when_json);
    json["announced"] = nullptr;
    if (b.announced)
        json["announced"] = {{"when", when_json(b.announced->when)},
                             {"old_frame", hex(b.announced->old_frame)},
                             {"new_frame", hex(b.announced->new_frame)}};
    return json;
}

}  // namespace

Json fork_json(const Fork& f) {
    Json json;
    json["fork"] = f.number;
    json["call"] = kind_of(f);
    json["source"] = f.source == analysis::ForkSource::Announced ? "announced" : "system-call";
    json["cpu"] = f.cpu;
    json["begin"] = when_json(f.begin);
    json["end"] = maybe<When>(f.end, when_json);
    json["flags"] = f.flags;
    json["flags_text"] = clone_flags_text(f.flags);
    json["result"] = f.result;
    json["error"] = f.failed() ? Json(errno_text(f.result)) : Json(nullptr);
    json["write_protected"] = f.write_protected;
    json["tables_protected"] = f.tables_protected;
    json["flushes"] = f.flushes;
    json["unflushed"] = f.unflushed;
    json["other_writes"] = f.other_writes;
    json["kernel_writes"] = f.kernel_writes;
    json["child_seen"] = f.child.first_run.has_value();
    json["tables_allocated"] = f.tables_allocated_in_all();
    json["tables_by_level"] = {f.tables_allocated[1], f.tables_allocated[2], f.tables_allocated[3],
                               f.tables_allocated[4]};
    json["tables_shared"] = f.tables_shared;
    json["entries_copied"] = f.entries_copied;
    json["entries_copied_read_only"] = f.copied_read_only;
    json["entries_left_writable"] = f.left_writable;
    json["entries_different"] = f.entries_different;
    json["parent"] = side_json(f.parent);
    json["child"] = f.end && !f.failed() ? side_json(f.child) : Json(nullptr);
    json["notes"] = f.notes;
    json["notes_left_out"] = f.notes_left_out;
    return json;
}

Json story_json(const StoryView& view) {
    const analysis::ForkDetails& d = view.fork.details;
    Json json = fork_json(view.fork);
    json["protected_ranges"] = ranges_json(d.protected_ranges);
    json["protected_by"] = nullptr;
    if (d.first_protect)
        add_code(json, "protected_by", "protected_by_source", view.symbols, d.protect_rip, 0, "");
    json["copied_ranges"] = ranges_json(d.copied_ranges);
    json["flushes_seen"] = Json::array();
    for (const analysis::FlushSeen& flush : d.flushes) json["flushes_seen"].push_back(flush_json(flush));
    json["breaks"] = Json::array();
    const size_t shown =
        view.break_limit == 0 ? d.breaks.size() : std::min<size_t>(d.breaks.size(), view.break_limit);
    for (size_t i = 0; i < shown; ++i) json["breaks"].push_back(break_json(d.breaks[i], view.symbols));
    json["breaks_left_out"] = d.breaks.size() - shown + d.breaks_left_out;
    return json;
}

}  // namespace forkscope::tools
