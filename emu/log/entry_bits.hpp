// Bits of a page-table entry, for those who read a log. (Intel SDM vol. 3A, 4.5.4 "Linear-Address
// Translation with 4-Level Paging and 5-Level Paging", tables of entry formats.)
#pragma once

#include <cstdint>

#include "emu/base/bits.hpp"

namespace forkscope::log {

inline constexpr uint64_t kEntryPresent = bit(0);
inline constexpr uint64_t kEntryWritable = bit(1);
inline constexpr uint64_t kEntryUser = bit(2);
inline constexpr uint64_t kEntryWriteThrough = bit(3);
inline constexpr uint64_t kEntryCacheDisable = bit(4);
inline constexpr uint64_t kEntryAccessed = bit(5);
inline constexpr uint64_t kEntryDirty = bit(6);
inline constexpr uint64_t kEntryPageSize = bit(7);  // levels 2 and 3; PAT at level 1
inline constexpr uint64_t kEntryGlobal = bit(8);
inline constexpr uint64_t kEntryNoExecute = bit(63);
inline constexpr uint64_t kEntryAddress = 0x000f'ffff'ffff'f000;

inline constexpr unsigned kTopLevel = 4;
inline constexpr uint64_t kEntryBytes = 8;

// Bytes that an entry at this level covers (level 1..4), or 1 for what is no entry.
[[nodiscard]] constexpr uint64_t span_bytes(unsigned level) {
    return level >= 1 && level <= 4 ? uint64_t{1} << (12 + 9 * (level - 1)) : 1;
}

[[nodiscard]] constexpr bool is_present(uint64_t entry) { return (entry & kEntryPresent) != 0; }
[[nodiscard]] constexpr bool is_writable(uint64_t entry) { return (entry & kEntryWritable) != 0; }
[[nodiscard]] constexpr bool is_user(uint64_t entry) { return (entry & kEntryUser) != 0; }

// A present entry that maps memory, not a table.
[[nodiscard]] constexpr bool is_leaf(uint64_t entry, unsigned level) {
    if (!is_present(entry)) return false;
    return level == 1 || ((level == 2 || level == 3) && (entry & kEntryPageSize) != 0);
}
[[nodiscard]] constexpr bool links_table(uint64_t entry, unsigned level) {
    return is_present(entry) && level > 1 && !is_leaf(entry, level);
}

// The frame that an entry points to: of a table, or of what a leaf of this level maps.
[[nodiscard]] constexpr uint64_t frame_of(uint64_t entry, unsigned level) {
    const uint64_t address = entry & kEntryAddress;
    if (level == 1 || level > 3 || !is_leaf(entry, level)) return address;
    return address & ~(span_bytes(level) - 1);
}

[[nodiscard]] constexpr unsigned entry_index(uint64_t va, unsigned level) {
    return static_cast<unsigned>(bits(va, 12 + 9 * level - 1, 12 + 9 * (level - 1)));
}

// Start of the span of entry `index` in a table of `level` whose own span starts at `table_va`.
[[nodiscard]] constexpr uint64_t entry_va(uint64_t table_va, unsigned level, unsigned index) {
    const uint64_t va = table_va + (uint64_t{index} << (12 + 9 * (level - 1)));
    return level == kTopLevel && index >= 256 ? va | 0xffff'0000'0000'0000 : va;
}

// Addresses from here on are the kernel's half (bit 47 extended).
inline constexpr uint64_t kUpperHalf = 0x0000'8000'0000'0000;
[[nodiscard]] constexpr bool is_lower_half(uint64_t va) { return va < kUpperHalf; }

}  // namespace forkscope::log
