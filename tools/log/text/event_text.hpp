// One event in words, and as JSON.
#pragma once

#include <cstdint>
#include <string>

#include "emu/log/event.hpp"
#include "tools/log/analysis/symbolizer.hpp"
#include "tools/log/analysis/task_table.hpp"
#include "tools/log/text/json.hpp"

namespace forkscope::tools {

// What gives names to numbers. The task table is as it was when the event happened.
struct Names {
    const analysis::Symbolizer& symbols;
    const analysis::TaskTable& tasks;

    [[nodiscard]] std::string program_of(uint32_t tid) const;
    // "copy_pte_range+0x3c" for the instruction of an event, or its address.
    [[nodiscard]] std::string code(const log::Event& event) const;
};

// What the event says, without who and when: "L1 0x7f1234000000  P W U -> P U frame 0x105000 [-W]".
[[nodiscard]] std::string event_text(const log::Event& event, const Names& names);

// Addresses and entries are strings in hexadecimal, for JSON numbers are not exact beyond 2^53.
[[nodiscard]] Json event_json(const log::Event& event, uint64_t number, const Names& names);

// Members for a code address: "copy_pte_range+0x3c", and "guest/mm/copy.cpp:88" or null.
void add_code(Json& json, const char* code, const char* source, const analysis::Symbolizer& symbols,
              uint64_t rip, unsigned cpl, std::string_view program);

}  // namespace forkscope::tools
