// Comparing translations with tables.
#include "tools/log/analysis/tlb_rows.hpp"

namespace forkscope::analysis {

Agreement agreement(const log::Event& fill, const log::Replay& replay) {
    const auto leaf = replay.leaf(fill.root, fill.va);
    if (!leaf) return Agreement::Stale;
    const uint64_t inside = fill.va & (log::span_bytes(leaf->level) - 1);
    const uint64_t frame =
        (log::frame_of(leaf->value, leaf->level) + inside) & ~(log::span_bytes(fill.level) - 1);
    const uint64_t lost = fill.a & ~leaf->value & (log::kEntryWritable | log::kEntryUser);
    const bool no_code = (~fill.a & leaf->value & log::kEntryNoExecute) != 0;
    if (frame != (fill.pa & ~(log::span_bytes(fill.level) - 1)) || lost != 0 || no_code)
        return Agreement::Stale;
    const uint64_t won = leaf->value & ~fill.a & (log::kEntryWritable | log::kEntryUser);
    const bool code = (fill.a & ~leaf->value & log::kEntryNoExecute) != 0;
    return won != 0 || code ? Agreement::Stronger : Agreement::Same;
}

namespace {

// Accessed and dirty bits are not what a translation is asked for.
[[nodiscard]] uint64_t rights(uint64_t entry) {
    return entry & ~(log::kEntryAddress | log::kEntryAccessed | log::kEntryDirty);
}

}  // namespace

bool TlbRow::take(const TlbEntry& next, Agreement next_agreement) {
    const log::Event& a = first.fill;
    const log::Event& b = next.fill;
    const bool alike = a.cpu == b.cpu && a.level == b.level && rights(a.a) == rights(b.a) &&
                       a.root == b.root && agreement == next_agreement &&
                       (a.flags & log::kGlobal) == (b.flags & log::kGlobal);
    if (!alike || b.va != end()) return false;
    ascending &= b.pa == a.pa + pages * span();
    ++pages;
    return true;
}

}  // namespace forkscope::analysis
