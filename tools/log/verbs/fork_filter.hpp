// Which forks a filter of events lets through: by when they were called, by who took part.
#pragma once

#include <algorithm>

#include "emu/log/event_filter.hpp"
#include "tools/log/analysis/fork.hpp"

namespace forkscope::tools {

[[nodiscard]] inline bool fork_fits(const analysis::Fork& fork, const log::EventFilter& filter) {
    if (fork.begin.icount < filter.from_icount || fork.begin.icount > filter.to_icount) return false;
    if (fork.begin.event < filter.from_event || fork.begin.event > filter.to_event) return false;
    const auto takes_part = [&](uint32_t tid) { return tid == fork.parent.tid || tid == fork.child.tid; };
    if (!filter.tasks.empty() && std::ranges::none_of(filter.tasks, takes_part)) return false;
    return !filter.root || fork.parent.root == *filter.root || fork.child.root == *filter.root;
}

}  // namespace forkscope::tools
