// The tasks as they were at any event: follows the announcements beside a filtered view of the events.
#pragma once

#include "emu/log/reader.hpp"
#include "tools/log/analysis/task_table.hpp"
#include "tools/log/verbs/past.hpp"

namespace forkscope::tools {

class TaskFollower {
public:
    // From event `first` on.
    TaskFollower(log::Reader& reader, uint64_t first)
        : tasks_(tasks_before(reader, first)),
          cursor_(reader.events({.from_event = first, .kinds = analysis::TaskTable::kKinds})),
          more_(cursor_.next()) {}

    // Takes in everything that was announced before event `number`, which must not go backwards.
    void catch_up(uint64_t number) {
        for (; more_ && cursor_.number() < number; more_ = cursor_.next())
            tasks_.apply(cursor_.event(), cursor_.number());
    }
    [[nodiscard]] const analysis::TaskTable& tasks() const { return tasks_; }

private:
    analysis::TaskTable tasks_;
    log::EventCursor cursor_;
    bool more_;
};

}  // namespace forkscope::tools
