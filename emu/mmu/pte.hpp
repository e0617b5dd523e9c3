// One paging-structure entry, and what each level of each paging mode makes of it.
#pragma once

#include <cstdint>

#include "emu/base/address.hpp"
#include "emu/base/bits.hpp"
#include "emu/mmu/paging.hpp"

namespace forkscope::mmu {

inline constexpr uint64_t kPtePresent = bit(0);
inline constexpr uint64_t kPteWritable = bit(1);
inline constexpr uint64_t kPteUser = bit(2);
inline constexpr uint64_t kPteAccessed = bit(5);
inline constexpr uint64_t kPteDirty = bit(6);
inline constexpr uint64_t kPtePageSize = bit(7);  // in a 4 KiB page's entry: PAT
inline constexpr uint64_t kPteGlobal = bit(8);
inline constexpr uint64_t kPteNoExecute = bit(63);

// Bits hi..lo set.
[[nodiscard]] constexpr uint64_t bit_range(unsigned hi, unsigned lo) {
    return bits(~uint64_t{0}, hi - lo, 0) << lo;
}
inline constexpr uint64_t kPteFrameMask = bit_range(51, 12);

class Pte {
public:
    constexpr Pte() = default;
    constexpr explicit Pte(uint64_t raw) : raw_(raw) {}

    [[nodiscard]] constexpr uint64_t raw() const { return raw_; }
    [[nodiscard]] constexpr bool present() const { return (raw_ & kPtePresent) != 0; }
    [[nodiscard]] constexpr bool writable() const { return (raw_ & kPteWritable) != 0; }
    [[nodiscard]] constexpr bool user() const { return (raw_ & kPteUser) != 0; }
    [[nodiscard]] constexpr bool accessed() const { return (raw_ & kPteAccessed) != 0; }
    [[nodiscard]] constexpr bool dirty() const { return (raw_ & kPteDirty) != 0; }
    [[nodiscard]] constexpr bool page_size() const { return (raw_ & kPtePageSize) != 0; }
    [[nodiscard]] constexpr bool global() const { return (raw_ & kPteGlobal) != 0; }
    [[nodiscard]] constexpr bool no_execute() const { return (raw_ & kPteNoExecute) != 0; }
    [[nodiscard]] constexpr unsigned protection_key() const {
        return static_cast<unsigned>(bits(raw_, 62, 59));
    }
    // The table or 4 KiB page that it points to, whatever its level.
    [[nodiscard]] constexpr PhysAddr frame() const { return PhysAddr(raw_ & kPteFrameMask); }

    constexpr bool operator==(const Pte&) const = default;

private:
    uint64_t raw_ = 0;
};
static_assert(sizeof(Pte) == sizeof(uint64_t));

// Geometry of the 64-bit formats (PAE and long mode): 512 entries a table, 9 bits of address a level.
inline constexpr unsigned kTableEntries = 512;

// Bytes that one entry of a 64-bit format covers at a level: 4 KiB, 2 MiB, 1 GiB, 512 GiB.
// NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): the analyzer tries levels that are none.
[[nodiscard]] constexpr uint64_t entry_span(unsigned level) { return kPageSize << (9 * (level - 1)); }

[[nodiscard]] constexpr unsigned entry_index(VirtAddr va, unsigned level) {
    return static_cast<unsigned>(va.raw() >> (kPageShift + uint64_t{9} * (level - 1))) % kTableEntries;
}

// Start of the span of entry `index` in a long-mode table of `level` whose own span starts at `base`.
[[nodiscard]] constexpr VirtAddr entry_va(VirtAddr base, unsigned level, unsigned index) {
    const uint64_t raw = base.raw() + index * entry_span(level);
    // Addresses are canonical: bit 47 repeats upwards.
    return VirtAddr(static_cast<uint64_t>(static_cast<int64_t>(raw << 16) >> 16));
}

// Whether a present long-mode entry maps a page (of its level's size) rather than a table. Holds
// whatever the paging controls are: where PS is reserved the entry faults and maps nothing.
[[nodiscard]] constexpr bool is_leaf(unsigned level, Pte entry) {
    return level == 1 || (level <= 3 && entry.page_size());
}

}  // namespace forkscope::mmu
