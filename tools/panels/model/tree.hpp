// The page tables of one address space as a tree of rows, with what changed lately.
#pragma once

#include <string>
#include <vector>

#include "tools/log/analysis/symbolizer.hpp"
#include "tools/log/analysis/table_rows.hpp"
#include "tools/panels/model/glow.hpp"

namespace forkscope::panels {

struct TreeRow {
    analysis::TableRow row;
    uint64_t entry = 0;    // address of the first entry
    std::string text;      // "7ffff7ebf000 – 7ffff7efefff"
    std::string target;    // "64 pages → 1c4000…"
    std::string bits;      // "P W U A D NX"
    std::string shared;    // "with forkscope-demo[2]"
    std::string code;      // "main … exit_group"
    uint64_t changed = 0;  // entries of the row that changed lately
    float glow = 0;        // of the latest of them
    uint64_t event = 0;    // its number, if changed
    std::string change;    // "-W", of that one
};

// An entry of the space that is there no more, or another change, as a line.
struct TreeChange {
    uint64_t number = 0;
    std::string text;  // "L1 7ffff7ebf000  P W U -> P U [-W]"
    float glow = 0;
};

struct TreeSpace {
    uint64_t root = 0;
    std::string label;  // "forkscope-demo[1]"
};

struct TreeModel {
    uint64_t root = 0;
    std::string label;
    std::vector<TreeSpace> spaces;  // all that there are, for a choice
    std::vector<TreeRow> rows;
    uint64_t rows_left_out = 0;
    std::vector<TreeChange> gone;  // entries that were cleared lately, the last first
    analysis::SpaceSize size;
};

struct TreeChoice {
    uint64_t root = 0;           // 0, or one that is gone: the space that the moment's event belongs to
    bool kernel = false;         // the upper half as well
    uint64_t glow_window = 300;  // events
};

inline constexpr size_t kMostTreeRows = 20'000;

[[nodiscard]] TreeModel tree_of(const Moment& moment, const analysis::Symbolizer& symbols,
                                const analysis::FrameUsers& users, const TreeChoice& choice);

// What each bit of an entry says, one line a bit, for a person who sees it for the first time.
[[nodiscard]] std::string explain_entry(uint64_t bits, unsigned level);

}  // namespace forkscope::panels
