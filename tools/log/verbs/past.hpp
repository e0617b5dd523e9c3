// Beginning in the middle of a log: what is known at that point, without going through all that came before.
#pragma once

#include "emu/log/reader.hpp"
#include "emu/log/replay.hpp"
#include "tools/log/analysis/task_table.hpp"

namespace forkscope::tools {

// Number of the first event that can pass the filter's times.
[[nodiscard]] uint64_t first_event_of(const log::EventFilter& filter, log::Reader& reader);

// Tells when a search over a range of time is over: when its last moment is past and nothing that began in it
// is waited for. What takes very long after it, or never ends, is given up.
class RangeEnd {
public:
    RangeEnd(const log::EventFilter& filter, const log::Reader& reader)
        : filter_(filter), one_cpu_(reader.meta().cpus <= 1) {}

    [[nodiscard]] bool reached(const log::EventCursor& cursor, bool waits) {
        // Counts of several CPUs do not ascend.
        const bool past =
            cursor.number() > filter_.to_event || (one_cpu_ && cursor.event().icount > filter_.to_icount);
        if (!past) return false;
        if (since_ == kNever) since_ = cursor.number();
        return !waits || cursor.number() - since_ > kPatience;
    }

private:
    static constexpr uint64_t kPatience = 4'000'000;  // events
    const log::EventFilter& filter_;
    bool one_cpu_;
    static constexpr uint64_t kNever = ~uint64_t{0};
    uint64_t since_ = kNever;  // number of the first event that was past
};

// The tasks as they are before event `number`.
[[nodiscard]] analysis::TaskTable tasks_before(log::Reader& reader, uint64_t number);

}  // namespace forkscope::tools
