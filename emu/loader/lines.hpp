// Source lines of the code of an ELF image, from its DWARF.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/base/result.hpp"

namespace forkscope::loader {

// Code from `address` up to the next row's belongs to this line.
struct LineRow {
    VirtAddr address;
    uint32_t file = 0;  // in LineTable::files
    uint32_t line = 0;  // 0: no source
    bool operator==(const LineRow&) const = default;
};

struct LineTable {
    std::vector<std::string> files;  // as the compiler named them, from the directory of the build
    std::vector<LineRow> rows;       // in ascending order of addresses, no two alike in a row

    // The row that covers an address, or null.
    [[nodiscard]] const LineRow* find(VirtAddr address) const;
};

// An image without DWARF gives an empty table. Code that was inlined is told by the innermost call in the
// file that was compiled, and not by the header that it came from: "copy.cpp:88", where the entry is written,
// and not "pte.hpp:30", where all entries are. `name` is for error messages.
Result<LineTable> read_lines(const std::string& name, std::span<const uint8_t> elf);

}  // namespace forkscope::loader
