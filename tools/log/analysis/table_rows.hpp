// Page tables as rows: a tree in the order of addresses, with neighbours that are alike folded into one row.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "emu/log/replay.hpp"

namespace forkscope::analysis {

// Which address spaces map a frame as data in the lower half: places in a list of roots, ascending. Kernel
// mappings are not counted, for a kernel maps all of memory.
class FrameUsers {
public:
    explicit FrameUsers(const log::Replay& replay);

    [[nodiscard]] const std::vector<uint64_t>& roots() const { return roots_; }
    [[nodiscard]] const std::vector<uint32_t>& of(uint64_t frame) const;

private:
    std::vector<uint64_t> roots_;
    std::unordered_map<uint64_t, std::vector<uint32_t>> users_;
};

struct TableRow {
    unsigned depth = 0;           // 0: the entries of the root
    unsigned level = 1;           // of the table that holds the entries
    uint64_t va = 0;              // of the first
    uint64_t count = 0;           // entries in the row
    uint64_t bits = 0;            // of each: all but the address
    uint64_t target = 0;          // table or frame of the first
    bool links = false;           // to a table: then count is 1, and its entries follow one deeper
    bool ascending = true;        // each frame follows the one before
    uint64_t table_uses = 0;      // of a linked table: entries that link it, in all spaces
    std::vector<uint32_t> users;  // of each frame of the row

    [[nodiscard]] uint64_t end() const { return va + count * log::span_bytes(level); }
};

// The rows of the entries of one space that cover an address in the range.
[[nodiscard]] std::vector<TableRow> table_rows(const log::Replay& replay, uint64_t root, log::VaRange range,
                                               const FrameUsers& users);

// Leaves and tables under a root that cover an address in the range.
struct SpaceSize {
    uint64_t leaves = 0;
    uint64_t bytes = 0;                                 // that they map
    std::array<uint64_t, log::kTopLevel + 1> tables{};  // by level; the root too
    [[nodiscard]] uint64_t tables_in_all() const { return tables[1] + tables[2] + tables[3] + tables[4]; }
};
[[nodiscard]] SpaceSize size_of(const log::Replay& replay, uint64_t root, log::VaRange range);

inline constexpr log::VaRange kUserHalf{0, log::kUpperHalf - 1};
inline constexpr log::VaRange kKernelHalf{0xffff'8000'0000'0000, ~uint64_t{0}};

}  // namespace forkscope::analysis
