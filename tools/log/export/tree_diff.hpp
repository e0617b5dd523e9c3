// Two page-table trees laid over each other: every entry of either, with neighbours that are alike, and that
// changed alike, folded into one row.
#pragma once

#include <cstdint>
#include <vector>

#include "emu/log/replay.hpp"

namespace forkscope::tools {

// One of the trees: a root in the tables of some moment.
struct Tree {
    const log::Replay* tables = nullptr;
    uint64_t root = 0;
};

struct TreeRow {
    unsigned depth = 0;   // 0: entries of the root
    unsigned level = 1;   // of the table that holds the entries
    uint64_t va = 0;      // of the first
    uint64_t count = 0;   // entries
    uint64_t before = 0;  // the first entry; 0: not present
    uint64_t after = 0;
    bool links = false;  // to a table, before or after; its entries follow one deeper
    bool same_target = true;
    uint64_t table_uses = 0;  // of a table linked after: entries that link it, in all spaces

    [[nodiscard]] bool changed() const { return before != after; }
};

struct TreeDiff {
    std::vector<TreeRow> rows;  // in the order of addresses
    uint64_t left_out = 0;      // rows beyond `most`
    uint64_t changed = 0;       // entries
};

// The lower half.
[[nodiscard]] TreeDiff diff_trees(const Tree& before, const Tree& after, size_t most);

}  // namespace forkscope::tools
