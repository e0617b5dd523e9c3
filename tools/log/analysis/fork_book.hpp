// The forks found so far, and how much is kept of each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/log/analysis/fork.hpp"

namespace forkscope::analysis {

struct ForkBook {
    static constexpr size_t kMaxNotes = 20;

    std::vector<Fork> forks;
    std::optional<uint64_t> detailed;  // number of the fork whose details are kept
    size_t max_breaks = 10'000;        // of that fork

    // The details of fork number index + 1, if they are kept.
    [[nodiscard]] ForkDetails* details(size_t index) {
        return detailed == index + 1 ? &forks[index].details : nullptr;
    }

    void note(size_t index, std::string text) {
        Fork& fork = forks[index];
        if (fork.notes.size() == kMaxNotes) {
            ++fork.notes_left_out;
        } else {
            fork.notes.push_back(std::move(text));
        }
    }
};

}  // namespace forkscope::analysis
