// What the ledger keeps of a translation that the TLB may hold.
#pragma once

#include <cstdint>

#include "emu/base/address.hpp"
#include "emu/mmu/pte.hpp"

namespace forkscope::mmu {

// Flushes count up; what was filled in an older epoch is gone. A load of CR3 spares global pages.
struct Epochs {
    uint32_t others = 1;
    uint32_t globals = 1;
};

// A fill, or the fills, of one entry: the epochs in which it was last filled as an ordinary and as a
// global page (0: never), and the entry as filled. That of a page has the rights of its whole path.
struct Stamp {
    uint32_t others = 0;
    uint32_t globals = 0;
    Pte filled;

    [[nodiscard]] bool live(const Epochs& now) const {
        return others == now.others || globals == now.globals;
    }
    // Marks a fill; an earlier one, if still live, stays so.
    void fill(bool global, const Epochs& now) {
        (global ? globals : others) = global ? now.globals : now.others;
    }
    // Adds what is live of another stamp.
    void revive(const Stamp& other, const Epochs& now) {
        if (other.others == now.others) others = now.others;
        if (other.globals == now.globals) globals = now.globals;
    }
};
static_assert(sizeof(Stamp) == 16);

struct CachedTranslation {
    VirtAddr va;        // start of the page
    uint8_t level = 0;  // 1, 2, 3: size of the page
    Stamp stamp;
    PhysAddr leaf;  // the entry that it was filled from; 0: kept by address, not by entry

    [[nodiscard]] bool covers(VirtAddr address) const { return address.align_down(entry_span(level)) == va; }
};

// Address bits of an entry that maps a page of this level.
[[nodiscard]] constexpr uint64_t page_frame_mask(unsigned level) {
    return kPteFrameMask & ~(entry_span(level) - 1);
}

// The 4 KiB frame at va in the page that a leaf entry maps.
[[nodiscard]] constexpr PhysAddr frame_at(unsigned level, Pte leaf, VirtAddr va) {
    const uint64_t within = (entry_span(level) - 1) & ~kPageOffsetMask;
    return PhysAddr((leaf.raw() & page_frame_mask(level)) | (va.raw() & within));
}

// Whether `now` allows less than `was`, or something else: what needs a flush. More rights, accessed
// and dirty do not (SDM vol. 3, 4.10.4.2 "Recommended Invalidation", 4.10.4.3 "Optional Invalidation").
[[nodiscard]] constexpr bool lacks_rights_of(Pte now, Pte was) {
    return (was.writable() && !now.writable()) || (was.user() && !now.user()) ||
           (!was.no_execute() && now.no_execute());
}
[[nodiscard]] constexpr bool is_weaker(unsigned level, Pte was, Pte now) {
    if (!was.present()) return false;
    // PS is reserved at level 4: set, the entry leads nowhere.
    if (!now.present() || is_leaf(level, was) != is_leaf(level, now) || (level == 4 && now.page_size()))
        return true;
    // In the entry of a large page bit 12 is PAT, and the bits up to its address are reserved.
    const bool large = level > 1 && is_leaf(level, was);
    const uint64_t address = large ? kPteFrameMask & ~bit(12) : kPteFrameMask;
    return ((was.raw() ^ now.raw()) & address) != 0 || lacks_rights_of(now, was);
}

// Whether one stamp can stand for two fills: they allow the same, or end with the same flush.
[[nodiscard]] inline bool may_merge(const Stamp& a, const Stamp& b, const Epochs& now) {
    const bool same_flush = (a.others == now.others) == (b.others == now.others) &&
                            (a.globals == now.globals) == (b.globals == now.globals);
    constexpr uint64_t kRights = kPteWritable | kPteUser | kPteNoExecute;
    return same_flush || ((a.filled.raw() ^ b.filled.raw()) & kRights) == 0;
}

// Whether a new fill of an entry leaves an older one that its stamp would no longer tell of: one that
// allowed more, as through another root, or that may not be merged.
[[nodiscard]] inline bool leaves_older(unsigned level, const Stamp& known, const Stamp& fill,
                                       const Epochs& now) {
    if (!known.live(now)) return false;
    return is_weaker(level, known.filled, fill.filled) || !may_merge(known, fill, now);
}

// Both, where they map the same page: all rights of either.
[[nodiscard]] constexpr Pte union_of(Pte a, Pte b) {
    constexpr uint64_t kAllowing = kPteWritable | kPteUser | kPteAccessed | kPteDirty;
    const uint64_t allowing = (a.raw() | b.raw()) & kAllowing;
    const uint64_t no_execute = a.raw() & b.raw() & kPteNoExecute;
    return Pte((a.raw() & ~(kAllowing | kPteNoExecute)) | allowing | no_execute);
}

}  // namespace forkscope::mmu
