// Writes of software that took something from a translation, since the last flush that made them harmless: to
// tell which of them a stale TLB entry is owed to. Looked up for findings only, so a plain row of them does.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "emu/check/finding.hpp"

namespace forkscope::check {

class RecentWrites {
public:
    // A PteWrite or a Flush.
    void apply(const log::Event& event, uint64_t number);

    // The write to blame for a stale entry, as the ledger found it: with which the leaf began to allow less
    // than the TLB, or else the latest to the entry that refuses, or to any that covers the address.
    [[nodiscard]] std::optional<CodePoint> blame(const log::Event& stale) const;

private:
    static constexpr size_t kMostWrites = size_t{1} << 22;
    static constexpr size_t kMostKernelWrites = size_t{1} << 16;

    struct Write {
        CodePoint by;
        uint64_t space;
        uint64_t was;
        uint64_t now;
    };
    void flushed(unsigned cpu);

    std::vector<Write> user_;            // a load of CR3 ends their harm, on that CPU
    std::vector<Write> kernel_;          // may be of global pages
    std::array<size_t, 256> flushed_{};  // by CPU: writes to user_ before its last load of CR3
    std::array<bool, 256> seen_{};
};

// Whether now allows less than was: a TLB that still has `was` must be flushed.
[[nodiscard]] bool takes_something(uint64_t was, uint64_t now, unsigned level);

}  // namespace forkscope::check
