// What became of one frame: every mapping that it had, as data or as a page table, and what the guest said of
// it. Needs no tables: give it the events of its kinds, in order, from the beginning of the log.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/log/entry_bits.hpp"
#include "emu/log/event.hpp"
#include "emu/log/recorder.hpp"

namespace forkscope::analysis {

enum class FrameChange : uint8_t {
    Mapped,     // an entry points to it from now on
    Found,      // the same, in a table that was linked
    Changed,    // such an entry has other bits
    Unmapped,   // it no longer does
    Vanished,   // the table that held the entry is no table any more
    Linked,     // it is a page table, or has one more reference
    Unlinked,   // one reference less, or no table any more
    Filled,     // a translation to it came into the TLB
    Announced,  // the guest allocates, frees or counts it, or breaks copy-on-write
};

struct FrameMapping {
    uint64_t entry = 0;  // address of the entry
    uint64_t va = 0;     // of the frame, in a large page too
    unsigned level = 1;
    uint64_t space = 0;
    uint64_t value = 0;
};

struct FrameNote {
    FrameChange change = FrameChange::Mapped;
    FrameMapping mapping;   // as it is now; as it was, when it ends
    uint64_t before = 0;    // the entry, where it changed
    uint64_t mappings = 0;  // now, as data
    uint64_t tables = 0;    // references as a table, now
};

class FrameHistory {
public:
    static constexpr log::KindMask kKinds =
        log::mask_of(log::EventKind::PteWrite) | log::mask_of(log::EventKind::PteFound) |
        log::mask_of(log::EventKind::TableLink) | log::mask_of(log::EventKind::TableUnlink) |
        log::mask_of(log::EventKind::TlbFill) | log::mask_of(log::EventKind::Announce);

    explicit FrameHistory(uint64_t frame) : frame_(frame & ~kPageOffsetMask) {}

    // What the event did to the frame; mostly nothing. The view is valid until the next call.
    [[nodiscard]] const std::vector<FrameNote>& apply(const log::Event& event);

    [[nodiscard]] uint64_t frame() const { return frame_; }
    // Now, by the address of the entry.
    [[nodiscard]] const std::map<uint64_t, FrameMapping>& mappings() const { return mappings_; }
    [[nodiscard]] size_t most_mappings() const { return most_; }
    [[nodiscard]] bool was_table() const { return was_table_; }

private:
    [[nodiscard]] bool maps(uint64_t value, unsigned level) const {
        if (!log::is_leaf(value, level)) return false;
        return log::frame_of(value, level) == (frame_ & ~(log::span_bytes(level) - 1));
    }
    void entry_is(const log::Event& event, uint64_t before, uint64_t now, FrameChange how);
    void table_linked(const log::Event& event);
    void table_unlinked(const log::Event& event);
    void announced(const log::Event& event);
    void note(FrameChange change, const FrameMapping& mapping = {}, uint64_t before = 0);

    uint64_t frame_;
    std::map<uint64_t, FrameMapping> mappings_;
    std::array<uint64_t, log::kTopLevel + 1> references_{};  // as a table, by level
    size_t most_ = 0;
    bool was_table_ = false;
    std::vector<FrameNote> notes_;
};

}  // namespace forkscope::analysis
