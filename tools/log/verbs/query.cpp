// Options to filters.
#include "tools/log/verbs/query.hpp"

#include <algorithm>
#include <charconv>

#include "tools/log/analysis/task_table.hpp"

namespace forkscope::tools {

Result<uint64_t> parse_number(std::string_view text) {
    std::string digits;
    for (const char c : text)
        if (c != ',' && c != '_') digits += c;
    const bool is_hex = digits.starts_with("0x") || digits.starts_with("0X");
    const char* begin = digits.data() + (is_hex ? 2 : 0);
    const char* end = digits.data() + digits.size();
    uint64_t value = 0;
    const auto [stop, error] = std::from_chars(begin, end, value, is_hex ? 16 : 10);
    if (begin == end || stop != end || error != std::errc())
        return fail("'{}' is no number; write 1000000, 1,000,000 or 0xf4240", text);
    return value;
}

Result<log::VaRange> parse_range(std::string_view text) {
    const size_t dash = text.find('-');
    log::VaRange range;
    if (dash == std::string_view::npos) {
        const uint64_t va = TRY(parse_number(text));
        range = {va & ~kPageOffsetMask, va | kPageOffsetMask};
    } else {
        range = {TRY(parse_number(text.substr(0, dash))), TRY(parse_number(text.substr(dash + 1)))};
    }
    if (range.first > range.last) return fail("the range '{}' ends before it begins", text);
    return range;
}

namespace {

Result<log::KindMask> parse_kinds(std::string_view list) {
    log::KindMask kinds = 0;
    while (!list.empty()) {
        const size_t comma = std::min(list.find(','), list.size());
        const auto kind = log::kind_named(list.substr(0, comma));
        if (!kind) {
            std::string known;
            for (size_t i = 1; i < log::kKindNames.size(); ++i)
                known += (i > 1 ? ", " : "") + std::string(log::kKindNames[i]);
            return fail("'{}' is no kind of event; there are {}", list.substr(0, comma), known);
        }
        kinds |= log::mask_of(*kind);
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return kinds;
}

Result<uint32_t> find_task(const std::string& text, log::Reader& reader) {
    if (!text.empty() && text[0] >= '0' && text[0] <= '9') {
        const uint64_t tid = TRY(parse_number(text));
        if (tid > 0xffff'ffff) return fail("'{}' is no task: tids have 32 bits", text);
        return static_cast<uint32_t>(tid);
    }
    analysis::TaskTable tasks;
    auto cursor = reader.events({.kinds = analysis::TaskTable::kKinds});
    while (cursor.next()) tasks.apply(cursor.event(), cursor.number());
    std::vector<uint32_t> found;
    for (const analysis::Task& task : tasks.all()) {
        const bool named =
            task.name == text || task.first_name == text ||
            std::ranges::any_of(task.execs, [&](const auto& exec) { return exec.name == text; });
        if (named && std::ranges::find(found, task.tid) == found.end()) found.push_back(task.tid);
    }
    if (found.empty()) return fail("no task of this log is called '{}'", text);
    if (found.size() > 1) {
        std::string tids;
        for (const uint32_t tid : found) tids += fmt::format("{}{}", tids.empty() ? "" : ", ", tid);
        return fail("several tasks are called '{}'; name one by its number: {}", text, tids);
    }
    return found.front();
}

}  // namespace

Result<log::EventFilter> filter_of(const Query& query, log::Reader& reader) {
    log::EventFilter filter;
    if (!query.from.empty()) filter.from_icount = TRY(parse_number(query.from));
    if (!query.to.empty()) filter.to_icount = TRY(parse_number(query.to));
    if (filter.from_icount > filter.to_icount)
        return fail("--from {} is after --to {}", query.from, query.to);
    if (!query.kind.empty()) filter.kinds = TRY(parse_kinds(query.kind));
    if (!query.task.empty()) filter.task = TRY(find_task(query.task, reader));
    if (!query.va.empty()) filter.va = TRY(parse_range(query.va));
    if (!query.root.empty()) filter.root = TRY(parse_number(query.root)) & ~kPageOffsetMask;
    if (!query.level.empty()) {
        const uint64_t level = TRY(parse_number(query.level));
        if (level < 1 || level > 4) return fail("--level {}: levels are 1 (pages) to 4 (top)", query.level);
        filter.level = static_cast<uint8_t>(level);
    }
    return filter;
}

Result<> require_kinds(const log::Reader& reader, const Query& query, log::KindMask needed) {
    const log::KindMask lacking = needed & ~reader.meta().kinds;
    if (lacking == 0) return {};
    std::string names;
    for (size_t kind = 1; kind < log::kKindNames.size(); ++kind)
        if ((lacking & log::mask_of(static_cast<log::EventKind>(kind))) != 0)
            names += fmt::format("{}{}", names.empty() ? "" : ", ", log::kKindNames[kind]);
    return fail("'{}' was recorded without {}; expected a log with these kinds (run without --events)",
                query.file, names);
}

void print_reservations(log::Reader& reader, Output& out) {
    const std::string damage = reader.damage().describe();
    if (!damage.empty()) out.print("{} {}\n", out.paint(Style::Yellow, "This log is not whole:"), damage);
    const std::string unknown = reader.unknown().describe();
    if (!unknown.empty())
        out.print("{} {}\n", out.paint(Style::Yellow, "Not all of it is known here:"), unknown);
}

}  // namespace forkscope::tools
