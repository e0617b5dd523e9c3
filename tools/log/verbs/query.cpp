// Options to filters.
#include "tools/log/verbs/query.hpp"

#include <algorithm>
#include <charconv>

#include "tools/log/analysis/task_table.hpp"
#include "tools/log/text/numbers.hpp"

namespace forkscope::tools {

std::string Query::filter_text() const {
    std::string text;
    const auto add = [&text](const char* option, const std::string& value) {
        if (!value.empty()) text += fmt::format("{}{} {}", text.empty() ? "" : " ", option, value);
    };
    add("--from", from);
    add(format.empty() ? "--to" : "--until", to);
    add("--task", task);
    add("--root", root);
    add("--va", va);
    add("--kind", kind);
    add("--level", level);
    return text;
}

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

namespace {

// Virtual nanoseconds a unit, or 0.
[[nodiscard]] double unit_of(std::string_view suffix) {
    return suffix == "ns" ? 1 : suffix == "us" ? 1e3 : suffix == "ms" ? 1e6 : suffix == "s" ? 1e9 : 0;
}

}  // namespace

Result<Moment> parse_moment(std::string_view text, const log::Meta& meta) {
    if (text == "start") return Moment{};
    if (text == "end") return Moment{{}, ~uint64_t{0}};
    if (text.starts_with('e')) {
        const auto event = parse_number(text.substr(1));
        if (event) return Moment{{}, *event};
    }
    const size_t letters = text.find_last_not_of("munsUMNS") + 1;
    if (const double unit = unit_of(text.substr(letters)); unit != 0 && !text.starts_with("0x")) {
        double value = 0;
        const auto [stop, error] = std::from_chars(text.data(), text.data() + letters, value);
        if (error == std::errc() && stop == text.data() + letters && value >= 0) {
            if (meta.instructions_per_second == 0)
                return fail("'{}': this log does not say how long an instruction takes; write instructions",
                            text);
            const double count = value * unit * static_cast<double>(meta.instructions_per_second) / 1e9;
            if (count < 1.8e19) return Moment{static_cast<uint64_t>(count), {}};
        }
    }
    const auto icount = parse_number(text);
    if (icount) return Moment{*icount, {}};
    return fail(
        "'{}' is no moment; write instructions (1,000,000), their time without waits (1.5ms), an event "
        "(e1234), start or "
        "end",
        text);
}

uint64_t events_until(const Moment& moment, log::Reader& reader) {
    if (moment.event) return *moment.event == ~uint64_t{0} ? *moment.event : *moment.event + 1;
    if (!moment.icount) return 0;
    if (*moment.icount == ~uint64_t{0}) return ~uint64_t{0};
    auto later = reader.events({.from_icount = *moment.icount + 1});
    return later.next() ? later.number() : ~uint64_t{0};
}

std::string moment_text(uint64_t events, log::Reader& reader) {
    if (events == 0) return "before the first event";
    const uint64_t last = std::min(events, reader.event_count()) - 1;
    auto cursor = reader.events({.from_event = last});
    if (!cursor.next()) {
        // Beyond what is left of the log.
        const log::Census census = reader.census();
        return fmt::format("at the end of the log, instruction {}", grouped(census.last_icount));
    }
    const uint64_t icount = cursor.event().icount;
    const std::string time = duration_text(icount, reader.meta().instructions_per_second);
    return fmt::format("after event {}, instruction {}{}{}", grouped(cursor.number()), grouped(icount),
                       time.empty() ? "" : fmt::format(", {} after reset", time),
                       events > last + 1 ? " (the end of the log)" : "");
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

// Those that have the number or, at any time, the name.
Result<std::vector<uint32_t>> find_tasks(const std::string& text, log::Reader& reader) {
    if (!text.empty() && text[0] >= '0' && text[0] <= '9') {
        const uint64_t tid = TRY(parse_number(text));
        if (tid > 0xffff'ffff) return fail("'{}' is no task: tids have 32 bits", text);
        return std::vector{static_cast<uint32_t>(tid)};
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
    return found;
}

}  // namespace

Result<log::EventFilter> filter_of(const Query& query, log::Reader& reader) {
    log::EventFilter filter;
    if (!query.from.empty()) {
        const Moment from = TRY(parse_moment(query.from, reader.meta()));
        filter.from_icount = from.icount.value_or(0);
        filter.from_event = from.event.value_or(0);
    }
    if (!query.to.empty()) {
        const Moment to = TRY(parse_moment(query.to, reader.meta()));
        filter.to_icount = to.icount.value_or(filter.to_icount);
        filter.to_event = to.event.value_or(filter.to_event);
    }
    if (filter.from_icount > filter.to_icount || filter.from_event > filter.to_event)
        return fail("--from {} is after --{} {}", query.from, query.format.empty() ? "to" : "until",
                    query.to);
    if (!query.kind.empty()) filter.kinds = TRY(parse_kinds(query.kind));
    if (!query.task.empty()) filter.tasks = TRY(find_tasks(query.task, reader));
    if (!query.va.empty()) filter.va = TRY(parse_range(query.va));
    if (!query.root.empty()) filter.root = TRY(parse_number(query.root)) & ~kPageOffsetMask;
    if (!query.level.empty()) {
        const uint64_t level = TRY(parse_number(query.level));
        if (level < 1 || level > 4) return fail("--level {}: levels are 1 (pages) to 4 (top)", query.level);
        filter.level = static_cast<uint8_t>(level);
    }
    return filter;
}

Result<uint32_t> one_task_of(const Query& query, log::Reader& reader) {
    const std::vector<uint32_t> tasks = TRY(find_tasks(query.task, reader));
    if (tasks.size() == 1) return tasks.front();
    constexpr size_t kNamed = 12;
    std::string tids;
    for (size_t i = 0; i < std::min(tasks.size(), kNamed); ++i)
        tids += fmt::format("{}{}", i == 0 ? "" : ", ", tasks[i]);
    if (tasks.size() > kNamed) tids += fmt::format(" and {} more", tasks.size() - kNamed);
    return fail("several tasks are called '{}'; name one by its number: {}", query.task, tids);
}

uint64_t events_filtered_out(const log::Reader& reader, uint64_t fitting) {
    return reader.readable_events() - std::min(reader.readable_events(), fitting);
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
    const auto clock = reader.meta().options.find("clock");
    if (clock != reader.meta().options.end() && clock->second == "host")
        out.print(
            "{} returns to user mode were not seen: no system call has a result, no TLB entry was found "
            "stale\n",
            out.paint(Style::Yellow, "Recorded with --fast:"));
}

}  // namespace forkscope::tools
