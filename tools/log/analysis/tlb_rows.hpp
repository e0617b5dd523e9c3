// What a TLB could hold, in rows, and whether the page tables still say the same.
#pragma once

#include "emu/log/replay.hpp"
#include "tools/log/analysis/tlb_view.hpp"

namespace forkscope::analysis {

// A translation compared with the tables as they are at a moment.
enum class Agreement : uint8_t {
    Same,
    Stronger,  // the tables allow more: the TLB asks again, no flush is needed
    Stale,     // the tables allow less, or lead elsewhere: used, it would be wrong
};

[[nodiscard]] Agreement agreement(const log::Event& fill, const log::Replay& replay);

// Translations of one page after the other that are alike.
struct TlbRow {
    TlbEntry first;
    Agreement agreement = Agreement::Same;
    uint64_t pages = 1;
    bool ascending = true;  // each frame follows the one before

    [[nodiscard]] uint64_t span() const { return log::span_bytes(first.fill.level); }
    [[nodiscard]] uint64_t end() const { return first.fill.va + pages * span(); }
    // Whether the row goes on with this one; then it is part of it.
    [[nodiscard]] bool take(const TlbEntry& next, Agreement next_agreement);
};

}  // namespace forkscope::analysis
