// The audit: the mirror against guest RAM.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emu/log/event.hpp"
#include "emu/mem/guest_ram.hpp"
#include "emu/mmu/mirror.hpp"

namespace forkscope::mmu {

struct AuditReport {
    static constexpr size_t kDescribed = 8;

    uint64_t entries = 0;  // nonzero entries of live tables, once for each level of a table
    uint64_t frames = 0;   // that are tables
    uint64_t roots = 0;
    uint64_t differences = 0;   // 0, or we have a bug
    uint64_t hash = 0;          // of the live tables as they stand in RAM (emu/log/audit_hash.hpp)
    bool other_paging = false;  // some translations went by 32-bit or PAE paging, which is not followed
    std::vector<std::string> described;  // the first few differences

    [[nodiscard]] bool clean() const { return differences == 0; }
};

// Walks all roots in RAM. A frame that is reachable and not tracked, or the reverse, a wrong reference
// count, an entry whose copy is not what RAM holds, and each missed write is one difference.
[[nodiscard]] AuditReport audit(const Mirror& mirror, const mem::GuestRam& ram);

}  // namespace forkscope::mmu
