// System calls with their results: give it the events of its kinds, in order, and take the calls from the
// front as they become complete.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "emu/log/event_filter.hpp"
#include "tools/log/analysis/actor.hpp"
#include "tools/log/analysis/task_table.hpp"

namespace forkscope::analysis {

struct SystemCall {
    When when;
    uint32_t tid = 0;
    std::string name;  // of the task
    uint64_t root = 0;
    uint64_t rip = 0;
    uint64_t number = 0;
    std::array<uint64_t, 6> arguments{};
    unsigned argument_count = 3;  // that the log holds
    std::optional<When> returned;
    uint64_t result = 0;
    bool elsewhere = false;  // it came back to another place than where it was called: to a signal handler
    std::optional<TaskExit> exit;  // the task ended in it
    // Meanwhile, by the same task.
    uint64_t faults = 0;
    uint64_t pte_writes = 0;
};

class SyscallBook {
public:
    static constexpr log::KindMask kKinds =
        TaskTable::kKinds | log::mask_of(log::EventKind::Syscall) |
        log::mask_of(log::EventKind::SyscallArguments) | log::mask_of(log::EventKind::SyscallReturn) |
        log::mask_of(log::EventKind::PageFault) | log::mask_of(log::EventKind::PteWrite);

    // Calls that do not pass the filter are left out. `tasks`: as they are before the first event that comes.
    SyscallBook(log::EventFilter filter, TaskTable tasks)
        : filter_(std::move(filter)), tasks_(std::move(tasks)) {}

    void apply(const log::Event& event, uint64_t number);

    // The earliest call that was not taken yet, if it is complete, or if `at_end`, which means that no more
    // events come.
    [[nodiscard]] std::optional<SystemCall> take(bool at_end);
    // The same in the order in which they become complete, so that one that waits for long keeps no other
    // back. Use this or take(), not both.
    [[nodiscard]] std::optional<SystemCall> take_any(bool at_end);
    // Whether a call that was taken note of has not returned yet.
    [[nodiscard]] bool waits() const { return !open_.empty(); }
    [[nodiscard]] const TaskTable& tasks() const { return tasks_; }

private:
    [[nodiscard]] SystemCall* open_call(Actor actor);
    void close(Actor actor);
    void begin(const log::Event& event, uint64_t number);
    void end(const log::Event& event, uint64_t number);

    log::EventFilter filter_;
    TaskTable tasks_;
    std::map<uint64_t, SystemCall> calls_;      // that were not taken, by place: their number of all
    uint64_t places_ = 0;                       // given so far
    std::unordered_map<Actor, uint64_t> open_;  // place
    std::deque<uint64_t> complete_;             // places; those that are still in calls_ can be taken
};

}  // namespace forkscope::analysis
