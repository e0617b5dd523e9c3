// What is known of a whole run, as far as it was read: its tasks and forks, who waited, how much happened
// when, what a check found, and which frames were ever used. Fed in the order of events.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "tools/log/analysis/fork_tracker.hpp"
#include "tools/panels/model/activity.hpp"
#include "tools/panels/model/moment.hpp"
#include "tools/panels/model/waits.hpp"

namespace forkscope::panels {

// Instruction counts of some events, for places on a time line.
class EventClock {
public:
    static constexpr size_t kMost = 65'536;

    void add(uint64_t number, uint64_t icount);
    // About when event `number` happened.
    [[nodiscard]] uint64_t icount_at(uint64_t number) const;

private:
    struct Sample {
        uint64_t number = 0;
        uint64_t icount = 0;
    };
    std::vector<Sample> samples_;
    uint64_t step_ = 1;  // events between samples
    Sample last_;
};

struct FoundMistake {
    uint64_t number = 0;
    uint64_t icount = 0;
    uint16_t finding = 0;
};

class Overview {
public:
    static constexpr size_t kMostMistakes = 10'000;

    Overview() = default;

    void apply(const log::Event& event, uint64_t number);
    void finish() { tracker_.finish(); }
    // How things stand after what was applied.
    [[nodiscard]] Checkpoint checkpoint() const {
        return {next_event_, tracker_.replay(), tracker_.tasks(), tlb_, frames_};
    }

    [[nodiscard]] uint64_t next_event() const { return next_event_; }
    [[nodiscard]] uint64_t last_icount() const { return last_icount_; }
    // When the first task was made; what is before is the kernel's boot.
    [[nodiscard]] uint64_t first_task_icount() const { return first_task_; }
    [[nodiscard]] const analysis::TaskTable& tasks() const { return tracker_.tasks(); }
    [[nodiscard]] const std::vector<analysis::Fork>& forks() const { return tracker_.forks(); }
    [[nodiscard]] const WaitBook& waits() const { return waits_; }
    [[nodiscard]] const Activity& activity() const { return activity_; }
    [[nodiscard]] const EventClock& clock() const { return clock_; }
    [[nodiscard]] const std::vector<FoundMistake>& mistakes() const { return mistakes_; }
    // Frames that were ever a page table, mapped for user code or in announced use; physical addresses.
    [[nodiscard]] const std::set<uint64_t>& seen_frames() const { return seen_; }

private:
    void see(const log::Event& event);
    void see_frames(uint64_t frame, uint64_t count);

    analysis::ForkTracker tracker_;
    analysis::TlbView tlb_;
    FrameBook frames_;
    WaitBook waits_;
    Activity activity_;
    EventClock clock_;
    std::vector<FoundMistake> mistakes_;
    std::set<uint64_t> seen_;
    uint64_t next_event_ = 0;
    uint64_t last_icount_ = 0;
    uint64_t first_task_ = 0;
};

}  // namespace forkscope::panels
