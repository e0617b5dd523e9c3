// Where a table stands in the address spaces: a root that reaches it, and the start of its span there.
#include "emu/mmu/mirror.hpp"

namespace forkscope::mmu {

// Whether walking from root along span leads to the table.
bool Mirror::reaches(PhysAddr root, Slot slot, unsigned level, VirtAddr span) const {
    Slot at = slot_of(root);
    if (at == 0 || !frames_[at]->is_root) return false;
    for (unsigned l = kTopLevel; l > level; --l) {
        at = child_of(l, frames_[at]->entries[entry_index(span, l)]);
        if (at == 0) return false;
    }
    return at == slot;
}

// The start of the span at which (slot, level) is found at or below (from, from_level). `seen` holds the
// levels, by slot, that were searched in vain: a table that is linked a thousand times is searched once.
std::optional<VirtAddr> Mirror::find_below(Slot from, unsigned from_level, VirtAddr from_span, Slot slot,
                                           unsigned level, std::vector<uint8_t>& seen) const {
    if (from_level == level) return from == slot ? std::optional(from_span) : std::nullopt;
    const auto level_bit = static_cast<uint8_t>(1u << from_level);
    if ((seen[from] & level_bit) != 0) return std::nullopt;
    seen[from] |= level_bit;
    for (unsigned index = 0; index < kTableEntries; ++index) {
        const Slot child = child_of(from_level, frames_[from]->entries[index]);
        if (child == 0) continue;
        const VirtAddr child_span = entry_va(from_span, from_level, index);
        if (const auto found = find_below(child, from_level - 1, child_span, slot, level, seen)) return found;
    }
    return std::nullopt;
}

// A kernel's tables are reached by every root: the one in CR3 is the natural answer, then the one that
// answered last. Most tables are found at the span at which they were linked; only one that has or had
// several must be searched for.
Mirror::Place Mirror::place_of(Slot slot, unsigned level, PhysAddr preferred) {
    TableFrame& frame = *frames_[slot];
    if (level == kTopLevel) return {frame.base(), VirtAddr(0)};
    const VirtAddr span = frame.span[level];
    if (reaches(preferred, slot, level, span)) return {preferred, span};
    if (reaches(frame.seen_from[level], slot, level, span)) return {frame.seen_from[level], span};
    for (const Slot root : roots_) {
        const PhysAddr base = frames_[root]->base();
        if (!reaches(base, slot, level, span)) continue;
        frame.seen_from[level] = base;
        return {base, span};
    }
    if (frame.plain_level != level) {
        std::vector<uint8_t> seen(frames_.size());
        for (const Slot root : roots_) {
            const auto found = find_below(root, kTopLevel, VirtAddr(0), slot, level, seen);
            if (!found) continue;
            frame.span[level] = *found;
            frame.seen_from[level] = frames_[root]->base();
            return {frame.seen_from[level], *found};
        }
    }
    return {frame.seen_from[level], span};
}

}  // namespace forkscope::mmu
