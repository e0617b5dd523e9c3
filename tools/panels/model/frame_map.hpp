// The frames of physical memory at a moment: what each is, whose, and how many address spaces map it.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "tools/log/analysis/table_rows.hpp"
#include "tools/panels/model/moment.hpp"
#include "tools/panels/model/overview.hpp"

namespace forkscope::panels {

enum class FrameKind : uint8_t {
    Unused,  // not now; at another time it is
    Table,   // a page table
    Own,     // mapped in one address space
    Shared,  // in several
    Kernel,  // in use, says the guest, and in no user space: stacks, slabs
    Cache,   // the page cache's, mapped nowhere
};
inline constexpr size_t kFrameKinds = 6;
[[nodiscard]] const char* name_of(FrameKind kind);

struct FrameCell {
    uint64_t frame = 0;  // physical address
    FrameKind kind = FrameKind::Unused;
    uint8_t level = 0;  // of a table
    uint8_t owner = 0;  // place in `owners` of the first space that maps it, plus 1; 0: none, or not listed
    bool writable = false;  // in any space
    uint32_t spaces = 0;    // that map it
    float glow = 0;         // an entry that points to it changed lately
};

struct FrameMap {
    static constexpr size_t kMostOwners = 7;
    std::vector<FrameCell> cells;      // by address
    std::vector<std::string> owners;   // labels of spaces; the largest ones
    std::vector<uint32_t> owner_tids;  // a task of each; 0: none is known
    std::array<uint64_t, kFrameKinds> counts{};
    uint64_t copy_on_write = 0;  // shared, and nowhere writable
};

// Of every frame that the run ever uses.
[[nodiscard]] FrameMap frames_at(const Moment& moment, const Overview& overview, uint64_t glow_window);

// "anonymous memory", for what the guest announced.
[[nodiscard]] const char* use_text(abi::FrameUse use);

}  // namespace forkscope::panels
