// The story of one fork as steps that can be gone to, and what became of the pages that it shared.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "emu/log/reader.hpp"
#include "tools/log/analysis/fork_tracker.hpp"
#include "tools/log/analysis/symbolizer.hpp"

namespace forkscope::panels {

enum class StepKind : uint8_t { Call, Protect, Flush, Child, Fault, Copy, Reuse, End, Warning };

struct StoryStep {
    uint64_t event = 0;  // number of the event that it is; 0: of none
    uint64_t icount = 0;
    StepKind kind = StepKind::Call;
    std::string text;
    std::string detail;  // smaller, below
};

// What became of one side's pages; the counts add up to `covered`.
struct SideBar {
    std::string label;
    uint64_t covered = 0;
    uint64_t copies = 0;
    uint64_t reuses = 0;
    uint64_t unmapped = 0;
    uint64_t passed_on = 0;
    uint64_t untouched = 0;
    uint64_t other = 0;
    uint64_t bytes_copied = 0;
};

struct Story {
    uint64_t number = 0;  // of the fork, from 1
    std::string title;    // "fork: forkscope-demo[1] makes forkscope-demo[2]"
    std::string subtitle;
    uint64_t begin = 0;  // instruction count
    std::vector<StoryStep> steps;
    uint64_t steps_left_out = 0;
    std::vector<SideBar> sides;
};

// Needs the whole log once more: read_on() until it says that all is read.
class StoryReader {
public:
    static constexpr size_t kMostBreaks = 1'000;

    StoryReader(log::Reader& reader, uint64_t fork);

    [[nodiscard]] uint64_t fork() const { return fork_; }
    bool read_on(uint64_t events);
    // Of all that was read, 0..1.
    [[nodiscard]] double progress() const;
    [[nodiscard]] Story story(const analysis::Symbolizer& symbols, const log::Meta& meta) const;

private:
    log::Reader& reader_;
    uint64_t fork_;
    std::unique_ptr<analysis::ForkTracker> tracker_;
    log::EventCursor cursor_;
    uint64_t read_ = 0;
    bool done_ = false;
};

}  // namespace forkscope::panels
