// What is known of each frame of RAM: what the guest announced of it, and which user entries map it.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/check/finding.hpp"
#include "guest/abi/event_port.hpp"

namespace forkscope::check {

enum class FrameState : uint8_t { Unknown, Allocated, Free };

struct Frame {
    FrameState state = FrameState::Unknown;  // as announced
    abi::FrameUse use = abi::FrameUse::Other;
    bool reported = false;  // a finding is enough, until it is handed out anew
    bool was_mapped = false;
    uint32_t references = 0;  // as announced
    uint32_t mappings = 0;    // present user entries of level 1, in live tables, that point here
    uint32_t writable = 0;    // those of them that allow writing
    CodePoint last_mapped;    // by which write
    CodePoint last_writable;  // the same, of a mapping that allows writing
    CodePoint last_unmapped;

    [[nodiscard]] bool is(abi::FrameUse what) const { return state == FrameState::Allocated && use == what; }
    // A program's own memory, which no two programs may see each other's writes in.
    [[nodiscard]] bool is_private() const { return is(abi::FrameUse::Anonymous); }
};

class FrameBook {
public:
    [[nodiscard]] Frame& at(uint64_t pa) { return frames_[pa >> kPageShift]; }
    // Null if nothing is known of it.
    [[nodiscard]] Frame* find(uint64_t pa);

    // An announcement of a frame's life.
    void announce(const log::Event& event);
    // A user entry of level 1 in a live table: `by` is who wrote it.
    void map(uint64_t entry, const CodePoint& by);
    void unmap(uint64_t entry, const CodePoint& by);

    // Physical addresses of all that are known, ascending.
    [[nodiscard]] std::vector<uint64_t> all() const;

private:
    std::unordered_map<uint64_t, Frame> frames_;  // by frame number
};

}  // namespace forkscope::check
