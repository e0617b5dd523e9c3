// What an Audit event hashes: one XXH64 over all live page tables. The machine computes it from guest
// RAM, the log's reader from the tables that it rebuilt; equal hashes prove that the log is complete.
// FORMAT.md, "Audit hash", is the definition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "emu/base/address.hpp"

namespace forkscope::log {

inline constexpr size_t kTableEntries = 512;  // of 8 bytes, in a table of any level
using TableSpan = std::span<const uint64_t, kTableEntries>;

class AuditHash {
public:
    AuditHash();
    ~AuditHash();
    AuditHash(AuditHash&&) noexcept;
    AuditHash& operator=(AuditHash&&) noexcept;

    // Every frame that is a table, once for each level (1..4) at which it is one, in ascending order of
    // (level, frame). Takes the entries as they stand, accessed and dirty bits included.
    void add_table(unsigned level, PhysAddr frame, TableSpan entries);

    // What an Audit event carries in `b` and in `a`: the hash, and how many nonzero entries went into it.
    [[nodiscard]] uint64_t digest() const;
    [[nodiscard]] uint64_t entries() const { return entries_; }

private:
    struct State;
    std::unique_ptr<State> state_;
    uint64_t entries_ = 0;
};

}  // namespace forkscope::log
