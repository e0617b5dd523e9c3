// `log stats`: counts of everything, and whether the log is complete.
#include <algorithm>
#include <optional>

#include "emu/log/event_names.hpp"
#include "emu/log/replay.hpp"
#include "tools/log/analysis/event_stats.hpp"
#include "tools/log/analysis/task_table.hpp"
#include "tools/log/text/decode.hpp"
#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/json.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::tools {

namespace {

using analysis::ActorStats;
using analysis::EventStats;

// Name and count, the biggest first.
using Rows = std::vector<std::pair<std::string, uint64_t>>;

template <typename Key, typename Name>
[[nodiscard]] Rows rows_of(const std::map<Key, uint64_t>& counts, Name&& name) {
    Rows rows;
    for (const auto& [key, count] : counts) rows.emplace_back(name(key), count);
    std::ranges::stable_sort(rows, std::ranges::greater(), &Rows::value_type::second);
    return rows;
}

template <size_t N, typename Name>
[[nodiscard]] Rows rows_of(const std::array<uint64_t, N>& counts, Name&& name) {
    Rows rows;
    for (size_t i = 0; i < N; ++i)
        if (counts[i] != 0) rows.emplace_back(name(i), counts[i]);
    return rows;
}

struct Section {
    const char* title;
    const char* key;
    Rows rows;
};

[[nodiscard]] std::vector<Section> sections_of(const EventStats& s) {
    return {
        {"Events", "kinds", rows_of(s.kinds, [](size_t kind) { return std::string(log::kKindNames[kind]); })},
        {"Page-table writes, by who", "write_causes",
         rows_of(s.causes, [](size_t cause) { return cause_text(static_cast<log::Cause>(cause)); })},
        {"Page-table writes, by what", "write_classes",
         rows_of(
             s.writes,
             [](size_t c) { return std::string(analysis::name_of(static_cast<analysis::WriteClass>(c))); })},
        {"Page-table writes, by level", "write_levels",
         rows_of(s.write_levels, [](size_t level) { return fmt::format("L{}", level); })},
        {"Page faults, by error code", "fault_errors",
         rows_of(s.fault_errors,
                 [](uint64_t code) {
                     return fmt::format("{} ({})", error_code_text(code), error_code_words(code));
                 })},
        {"Flushes", "flushes",
         rows_of(s.flushes, [](size_t kind) { return flush_text(static_cast<uint16_t>(kind)); })},
        {"TLB fills, by page size", "fill_sizes",
         rows_of(s.fill_levels,
                 [](size_t level) { return bytes_text(log::span_bytes(static_cast<unsigned>(level))); })},
        {"System calls", "syscalls", rows_of(s.syscalls, syscall_name)},
        {"Interrupts and exceptions", "interrupts", rows_of(s.interrupts, vector_text)},
        {"Announcements by the guest", "announcements", rows_of(s.announcements, announcement_name)},
    };
}

struct Actor {
    std::string label;
    ActorStats stats;
};

[[nodiscard]] std::vector<Actor> actors_of(const EventStats& s, const analysis::TaskTable& tasks) {
    std::vector<Actor> actors;
    for (const auto& [tid, stats] : s.tasks) actors.push_back({tasks.label(tid), stats});
    for (const auto& [root, stats] : s.roots) actors.push_back({analysis::party_label(0, {}, root), stats});
    std::ranges::stable_sort(actors, std::ranges::greater(), [](const Actor& a) { return a.stats.events; });
    return actors;
}

[[nodiscard]] std::string completeness_text(const log::ReplayReport& r) {
    if (r.audits == 0) return "not proved: the log holds no audit (record with --audit)";
    const std::string_view beside =
        r.other_paging ? "; not covered: what the guest did by 32-bit or PAE paging" : "";
    if (r.complete())
        return fmt::format(
            "proved: in {} the page tables rebuilt from this log alone equal those in guest RAM (the "
            "last: {} under {}){}",
            counted(r.audits, "audit"), counted(r.entries, "entry", "entries"), counted(r.roots, "root"),
            beside);
    return fmt::format("NOT complete: of {}, {} differ; {} in the events, {} found by the machine itself",
                       counted(r.audits, "audit"), r.unequal_audits,
                       counted(r.contradictions, "contradiction"),
                       counted(r.machine_differences, "difference"));
}

[[nodiscard]] Json completeness_json(const log::ReplayReport& r) {
    return {{"complete", r.complete()},
            {"audits", r.audits},
            {"unequal_audits", r.unequal_audits},
            {"machine_differences", r.machine_differences},
            {"contradictions", r.contradictions},
            {"other_paging", r.other_paging},
            {"entries", r.entries},
            {"roots", r.roots},
            {"described", r.described}};
}

struct Statistics {
    EventStats stats;
    analysis::TaskTable tasks;
    uint64_t filtered_out = 0;
    std::optional<log::Replay> replay;  // over the whole log, if nothing is filtered out
};

void print_text(const Statistics& r, const Query& query, log::Reader& reader, Output& out) {
    const EventStats& s = r.stats;
    const uint64_t limit = query.limit == 0 ? ~uint64_t{0} : query.limit;
    if (s.events == 0) {
        out.print("No event fits.\n");
        return;
    }
    const std::string time =
        duration_text(s.last_icount - s.first_icount, reader.meta().instructions_per_second);
    out.print("{} from instruction {} to {}{}\n", counted(s.events, "event"), grouped(s.first_icount),
              grouped(s.last_icount), time.empty() ? "" : fmt::format(", {}", time));
    for (const Section& section : sections_of(s)) {
        if (section.rows.empty()) continue;
        out.print("\n{}\n", out.paint(Style::Bold, section.title));
        uint64_t shown = 0;
        for (const auto& [name, count] : section.rows) {
            if (shown++ >= limit) continue;
            out.print("  {:>14}  {}\n", grouped(count), name);
        }
        if (shown > limit)
            out.print("  {:>14}  more rows left out by --limit {}\n", grouped(shown - limit), query.limit);
        if (std::string_view(section.key) == "fault_errors" && s.resolved != 0)
            out.print("  {:>14}  instructions from fault to access, on average over {}\n",
                      grouped(s.resolve_instructions / s.resolved), counted(s.resolved, "fault"));
    }

    out.print("\n{}\n", out.paint(Style::Bold,
                                  fmt::format("{:<24}{:>14}{:>12}{:>10}{:>12}{:>10}{:>10}", "Who", "events",
                                              "pte writes", "faults", "TLB fills", "flushes", "syscalls")));
    uint64_t shown = 0;
    const auto actors = actors_of(s, r.tasks);
    for (const Actor& a : actors) {
        if (shown++ >= limit) continue;
        out.print("{:<24}{:>14}{:>12}{:>10}{:>12}{:>10}{:>10}\n", a.label, grouped(a.stats.events),
                  grouped(a.stats.pte_writes), grouped(a.stats.faults), grouped(a.stats.fills),
                  grouped(a.stats.flushes), grouped(a.stats.syscalls));
    }
    if (shown > limit) out.print("{} more left out by --limit {}\n", grouped(shown - limit), query.limit);
    if (r.filtered_out != 0) out.print("{} did not fit the filter.\n", counted(r.filtered_out, "event"));
    if (!r.replay) return;
    out.print("\n{}\n  {}\n", out.paint(Style::Bold, "Is the log complete?"),
              completeness_text(r.replay->report()));
    for (const std::string& line : r.replay->report().described) out.print("  {}\n", line);
}

void print_json(const Statistics& r, log::Reader& reader, Output& out) {
    const EventStats& s = r.stats;
    Json json;
    json["events"] = s.events;
    json["first_icount"] = s.events == 0 ? 0 : s.first_icount;
    json["last_icount"] = s.last_icount;
    for (const Section& section : sections_of(s)) {
        Json& object = json[section.key] = Json::object();
        for (const auto& [name, count] : section.rows) object[name] = count;
    }
    json["faults_resolved"] = s.resolved;
    json["fault_instructions"] = s.resolve_instructions;
    json["actors"] = Json::array();
    for (const Actor& a : actors_of(s, r.tasks))
        json["actors"].push_back({{"who", a.label},
                                  {"events", a.stats.events},
                                  {"pte_writes", a.stats.pte_writes},
                                  {"faults", a.stats.faults},
                                  {"tlb_fills", a.stats.fills},
                                  {"flushes", a.stats.flushes},
                                  {"syscalls", a.stats.syscalls}});
    json["filtered_out"] = r.filtered_out;
    json["completeness"] = r.replay ? completeness_json(r.replay->report()) : Json(nullptr);
    json["damage"] = reader.damage().describe();
    json["unknown"] = reader.unknown().describe();
    out.print("{}\n", json_text(json, 1));
}

}  // namespace

Result<> log_stats(log::Reader& reader, const Query& query, Output& out) {
    const log::EventFilter filter = TRY(filter_of(query, reader));
    Statistics r;
    if (!query.has_filter() && log::can_replay(reader.meta())) r.replay.emplace();
    // Names are given by announcements, also by those that the filter leaves out.
    auto names = reader.events({.kinds = analysis::TaskTable::kKinds});
    while (names.next()) r.tasks.apply(names.event(), names.number());
    auto cursor = reader.events(filter);
    while (cursor.next()) {
        r.stats.add(cursor.event());
        if (r.replay) r.replay->apply(cursor.event(), cursor.number());
    }
    r.filtered_out = events_filtered_out(reader, r.stats.events);
    (void)reader.census();  // counts the events of unknown kinds
    if (query.json) {
        print_json(r, reader, out);
        return {};
    }
    print_text(r, query, reader, out);
    print_reservations(reader, out);
    return {};
}

}  // namespace forkscope::tools
