// One translation through time: the entries on the way to an address in one space, level by level, whatever
// table they stand in at the moment.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "emu/log/replay.hpp"

namespace forkscope::analysis {

class TranslationWatch {
public:
    // `replay` must be given every event right after it was shown to touches().
    TranslationWatch(const log::Replay& replay, uint64_t va) : replay_(replay), va_(va) {}

    // Another space; 0: none.
    void set_root(uint64_t root) {
        root_ = root;
        update();
    }
    [[nodiscard]] uint64_t root() const { return root_; }

    // Whether a write, a found entry, or the coming or going of the root is about an entry on the way.
    [[nodiscard]] bool touches(const log::Event& event) const;
    // After the replay has taken an event that touches().
    void update();

    // The leaf that maps the address now.
    [[nodiscard]] const std::optional<log::ReplayLeaf>& leaf() const { return leaf_; }

private:
    const log::Replay& replay_;
    uint64_t va_;
    uint64_t root_ = 0;
    std::array<uint64_t, log::kTopLevel + 1> entries_{};  // addresses, by level; 0: the way ends above
    std::optional<log::ReplayLeaf> leaf_;
};

}  // namespace forkscope::analysis
