// Page-table entries of the four levels, in Linux's names. Intel SDM vol. 3A, 4.5.4 "Linear-Address
// Translation with 4-Level Paging and 5-Level Paging", tables 4-14 to 4-20.
#pragma once

#include <stdint.h>

#include "guest/lib/address.hpp"

namespace guest {

inline constexpr uint64_t _PAGE_PRESENT = uint64_t{1} << 0, _PAGE_RW = uint64_t{1} << 1,
                          _PAGE_USER = uint64_t{1} << 2, _PAGE_PWT = uint64_t{1} << 3,
                          _PAGE_PCD = uint64_t{1} << 4, _PAGE_ACCESSED = uint64_t{1} << 5,
                          _PAGE_DIRTY = uint64_t{1} << 6, _PAGE_PSE = uint64_t{1} << 7,
                          _PAGE_GLOBAL = uint64_t{1} << 8, _PAGE_NX = uint64_t{1} << 63;
inline constexpr uint64_t kPteFrameMask = 0x000ffffffffff000;  // bits 51..12
// Ours, in entries with P=0: the page is there, but its area has PROT_NONE.
inline constexpr uint64_t _PAGE_PROTNONE = _PAGE_GLOBAL;
// Ours: the page was written since soft-dirty bits were last cleared (Linux's bit).
inline constexpr uint64_t _PAGE_SOFT_DIRTY = uint64_t{1} << 11;
// What a write leaves in an entry.
inline constexpr uint64_t _PAGE_DIRTY_BITS = _PAGE_DIRTY | _PAGE_SOFT_DIRTY;
inline constexpr unsigned kTableEntries = 512;

// What a table entry of a user mapping says; rights are decided at the last level.
inline constexpr uint64_t _PAGE_TABLE = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED | _PAGE_DIRTY;

// One entry; Level keeps the four kinds apart.
template <unsigned Level>
struct table_entry {
    uint64_t raw = 0;

    [[nodiscard]] constexpr bool none() const { return raw == 0; }
    // Holds a frame.
    [[nodiscard]] constexpr bool present() const {
        return (raw & (Level == 1 ? _PAGE_PRESENT | _PAGE_PROTNONE : _PAGE_PRESENT)) != 0;
    }
    [[nodiscard]] constexpr bool write() const { return (raw & _PAGE_RW) != 0; }
    [[nodiscard]] constexpr bool dirty() const { return (raw & _PAGE_DIRTY) != 0; }
    [[nodiscard]] constexpr bool soft_dirty() const { return (raw & _PAGE_SOFT_DIRTY) != 0; }
    [[nodiscard]] constexpr bool young() const { return (raw & _PAGE_ACCESSED) != 0; }
    [[nodiscard]] constexpr bool huge() const { return (raw & _PAGE_PSE) != 0; }
    [[nodiscard]] constexpr PhysAddr frame() const { return PhysAddr(raw & kPteFrameMask); }
    constexpr bool operator==(const table_entry&) const = default;
};
using pte_t = table_entry<1>;
using pmd_t = table_entry<2>;
using pud_t = table_entry<3>;
using pgd_t = table_entry<4>;
static_assert(sizeof(pte_t) == 8);

inline constexpr unsigned kPmdShift = 21, kPudShift = 30, kPgdShift = 39;
inline constexpr uint64_t kPmdSize = uint64_t{1} << kPmdShift;  // bytes under one pmd entry
inline constexpr uint64_t kPudSize = uint64_t{1} << kPudShift;
inline constexpr uint64_t kPgdSize = uint64_t{1} << kPgdShift;

}  // namespace guest
