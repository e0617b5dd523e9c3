// One event with everything that it says: who, where in the code, and a page-table entry bit by bit.
#pragma once

#include <string>
#include <vector>

#include "tools/log/analysis/symbolizer.hpp"
#include "tools/panels/model/moment.hpp"

namespace forkscope::panels {

struct BitLine {
    const char* name = "";
    const char* meaning = "";
    bool before = false;
    bool after = false;
};

struct EventCard {
    uint64_t number = 0;
    std::string title;  // "pte-write"
    std::string text;
    std::vector<std::pair<std::string, std::string>> facts;
    bool has_entries = false;  // `bits` compares two values of an entry
    std::vector<BitLine> bits;
};

// Of the last event before the moment; empty at the beginning.
[[nodiscard]] EventCard card_of(const Moment& moment, const analysis::Symbolizer& symbols);

}  // namespace forkscope::panels
