// The formats of paging-structure entries: for each mode and level which bits must be 0 in an entry
// that points to a table and in one that maps a page (Intel SDM vol. 3, 4.3 "32-Bit Paging", 4.4 "PAE
// Paging", 4.5 "4-Level Paging and 5-Level Paging": the tables of entry formats).
#pragma once

#include <array>
#include <cstdint>

#include "emu/base/bits.hpp"
#include "emu/mmu/pte.hpp"

namespace forkscope::mmu {

// The bits that are reserved whatever the CPU model and its registers are. Those that depend on them
// (bits from MAXPHYADDR up, NX without EFER.NXE, PSE-36) stand in Controls.
struct EntryFormat {
    bool may_link = false;    // an entry may point to a table
    bool may_map = false;     // an entry may map a page; PS tells which where both are possible
    bool has_rights = false;  // has R/W, U/S and A
    uint64_t reserved_link = 0;
    uint64_t reserved_map = 0;
};

using LevelFormats = std::array<EntryFormat, 5>;  // index: level

inline constexpr LevelFormats kLegacyFormats = {{
    {},
    {.may_link = false, .may_map = true, .has_rights = true, .reserved_link = 0, .reserved_map = 0},
    {.may_link = true, .may_map = true, .has_rights = true, .reserved_link = 0, .reserved_map = bit(21)},
    {},
    {},
}};

inline constexpr LevelFormats kPaeFormats = {{
    {},
    {.may_link = false,
     .may_map = true,
     .has_rights = true,
     .reserved_link = 0,
     .reserved_map = bit_range(62, 52)},
    {.may_link = true,
     .may_map = true,
     .has_rights = true,
     .reserved_link = bit_range(62, 52),
     .reserved_map = bit_range(62, 52) | bit_range(20, 13)},
    {.may_link = true,
     .may_map = false,
     .has_rights = false,
     .reserved_link = bit_range(63, 52) | bit_range(8, 5) | bit_range(2, 1),
     .reserved_map = 0},
    {},
}};

inline constexpr LevelFormats kLongFormats = {{
    {},
    {.may_link = false, .may_map = true, .has_rights = true, .reserved_link = 0, .reserved_map = 0},
    {.may_link = true,
     .may_map = true,
     .has_rights = true,
     .reserved_link = 0,
     .reserved_map = bit_range(20, 13)},
    {.may_link = true,
     .may_map = true,
     .has_rights = true,
     .reserved_link = 0,
     .reserved_map = bit_range(29, 13)},
    {.may_link = true,
     .may_map = false,
     .has_rights = true,
     .reserved_link = kPtePageSize,
     .reserved_map = 0},
}};

}  // namespace forkscope::mmu
