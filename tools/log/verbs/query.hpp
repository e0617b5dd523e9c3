// What a user asks of a log: the file and the filters that the verbs have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emu/base/result.hpp"
#include "emu/log/reader.hpp"
#include "tools/log/text/output.hpp"

namespace forkscope::tools {

struct Query {
    std::string file;
    bool json = false;
    std::string from;  // a moment
    std::string to;    // the same, included; --until where --to is something else
    std::string at;    // the same
    std::string before_fork;
    std::string after_fork;
    std::string address;   // that the verb is about: virtual for `who`, physical for `frame`
    bool summary = false;  // instead of the list
    std::string task;      // tid or name
    std::string va;        // address or LO-HI
    std::string kind;      // list of names
    std::string level;     // 1..4
    std::string root;      // physical address
    std::string ram;       // the file of `run --save-ram`
    std::string checks = "all";
    std::string format;             // to export to
    std::string output;             // the file that is written; "-": standard output
    std::vector<std::string> with;  // further logs
    std::string fork;               // its number; empty: none named
    uint64_t limit = 0;             // 0: none

    [[nodiscard]] bool has_filter() const {
        return !(from.empty() && to.empty() && task.empty() && va.empty() && kind.empty() && level.empty() &&
                 root.empty());
    }
    // "--task sh --kind flush": the filters as they were given; "" if there is none.
    [[nodiscard]] std::string filter_text() const;
};

// A point of a log: by instruction count, or by the number of an event; with neither, before everything.
struct Moment {
    std::optional<uint64_t> icount;
    std::optional<uint64_t> event;
};
// "1,000,000" or "0xf4240" instructions, "1.5ms" (ns, us, ms, s) of virtual time, "e1234" for an event,
// "start", "end".
[[nodiscard]] Result<Moment> parse_moment(std::string_view text, const log::Meta& meta);

// The moment as the number of the last event that is in the past then, plus one; everything with the same
// instruction count is. 0: nothing has happened yet.
[[nodiscard]] uint64_t events_until(const Moment& moment, log::Reader& reader);

// "event 1,234, instruction 26,000,000, 26.00 ms after reset", of the state after `events` events.
[[nodiscard]] std::string moment_text(uint64_t events, log::Reader& reader);

// "123", "0x7f00", "1,000,000", "1_000".
[[nodiscard]] Result<uint64_t> parse_number(std::string_view text);
// "0x1000" (its page) or "0x1000-0x1fff", last one included.
[[nodiscard]] Result<log::VaRange> parse_range(std::string_view text);

// The filter that the options make. A task's name is looked up in the log.
[[nodiscard]] Result<log::EventFilter> filter_of(const Query& query, log::Reader& reader);

// The task of --task, where it must be one.
[[nodiscard]] Result<uint32_t> one_task_of(const Query& query, log::Reader& reader);

// What the verb needs to tell the truth must have been recorded (`run --events`).
[[nodiscard]] Result<> require_kinds(const log::Reader& reader, const Query& query, log::KindMask needed);

// "1,234 events did not fit the filter": of all events in the file, those that were not in `fitting`.
[[nodiscard]] uint64_t events_filtered_out(const log::Reader& reader, uint64_t fitting);

// The line about damage and unknown parts that every text output ends with, if there is one to say.
void print_reservations(log::Reader& reader, Output& out);

}  // namespace forkscope::tools
