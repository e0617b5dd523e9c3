// What is different between the page tables at two moments, space by space.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "emu/log/replay.hpp"

namespace forkscope::analysis {

// Entries one after the other that changed in the same way. At `level` 1 to 3 they map pages; `links`: they
// link tables, one each.
struct DiffRow {
    uint64_t va = 0;
    uint64_t count = 0;
    unsigned level = 1;
    uint64_t before = 0;  // the first entry; 0: there was none
    uint64_t after = 0;
    bool links = false;
    bool same_targets = true;  // every entry points to where it pointed before

    [[nodiscard]] uint64_t end() const { return va + count * log::span_bytes(level); }
};

enum class SpaceChange : uint8_t {
    Same,     // there at both moments
    New,      // there at the second one only
    Gone,     // at the first one only
    Another,  // a root of the same address, but it was given up in between
};

struct SpaceDiff {
    uint64_t root = 0;
    SpaceChange change = SpaceChange::Same;
    std::vector<DiffRow> rows;  // by address, and of the same address the upper level first
    uint64_t changed = 0;       // entries
    uint64_t tables_before = 0;
    uint64_t tables_after = 0;
};

// The entries of one space that cover an address in the range; those of a space that came or went are told
// against an empty one.
[[nodiscard]] SpaceDiff diff_space(const log::Replay& before, const log::Replay& after, uint64_t root,
                                   SpaceChange change, log::VaRange range);

// Every root of either moment. `reborn`: those that were given up, and maybe made again, in between.
[[nodiscard]] std::vector<std::pair<uint64_t, SpaceChange>> spaces_between(const log::Replay& before,
                                                                           const log::Replay& after,
                                                                           const std::set<uint64_t>& reborn);

}  // namespace forkscope::analysis
