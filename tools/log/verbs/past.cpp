// Where to begin.
#include "tools/log/verbs/past.hpp"

namespace forkscope::tools {

uint64_t first_event_of(const log::EventFilter& filter, log::Reader& reader) {
    if (filter.from_icount == 0) return filter.from_event;
    auto cursor = reader.events({.from_icount = filter.from_icount, .from_event = filter.from_event});
    return cursor.next() ? cursor.number() : reader.event_count();
}

analysis::TaskTable tasks_before(log::Reader& reader, uint64_t number) {
    analysis::TaskTable tasks;
    if (number == 0) return tasks;
    const log::Keyframe keyframe = reader.keyframe_before(number);
    for (const log::Event& event : keyframe.events) tasks.apply(event, 0);
    auto cursor = reader.events(
        {.from_event = keyframe.next_event, .to_event = number - 1, .kinds = analysis::TaskTable::kKinds});
    while (cursor.next()) tasks.apply(cursor.event(), cursor.number());
    return tasks;
}

}  // namespace forkscope::tools
