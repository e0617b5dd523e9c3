// What a user asks of a log: the file and the filters that the verbs have in common.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "emu/base/result.hpp"
#include "emu/log/reader.hpp"
#include "tools/log/text/output.hpp"

namespace forkscope::tools {

struct Query {
    std::string file;
    bool json = false;
    std::string from;     // instruction count
    std::string to;       // the same, included
    std::string task;     // tid or name
    std::string va;       // address or LO-HI
    std::string kind;     // list of names
    std::string level;    // 1..4
    std::string root;     // physical address
    std::string fork;     // its number; empty: none named
    uint64_t limit = 0;   // 0: none

    [[nodiscard]] bool has_filter() const {
        return !(from.empty() && to.empty() && task.empty() && va.empty() && kind.empty() && level.empty() &&
                 root.empty());
    }
};

// "123", "0x7f00", "1,000,000", "1_000".
[[nodiscard]] Result<uint64_t> parse_number(std::string_view text);
// "0x1000" (its page) or "0x1000-0x1fff", last one included.
[[nodiscard]] Result<log::VaRange> parse_range(std::string_view text);

// The filter that the options make. A task's name is looked up in the log.
[[nodiscard]] Result<log::EventFilter> filter_of(const Query& query, log::Reader& reader);

// What the verb needs to tell the truth must have been recorded (`run --events`).
[[nodiscard]] Result<> require_kinds(const log::Reader& reader, const Query& query, log::KindMask needed);

// The line about damage and unknown parts that every text output ends with, if there is one to say.
void print_reservations(log::Reader& reader, Output& out);

}  // namespace forkscope::tools
