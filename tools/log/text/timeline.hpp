// A fork and what came of it on one line a side.
#pragma once

#include <string>

#include "tools/log/text/fork_text.hpp"

namespace forkscope::tools {

struct Timeline {
    uint64_t first = 0;  // instruction count of the first column
    uint64_t step = 1;   // instructions a column
    std::string parent;
    std::string child;
};

inline constexpr unsigned kTimelineColumns = 72;

[[nodiscard]] Timeline timeline_of(const StoryView& view);
void print_timeline(const StoryView& view, Output& out);

}  // namespace forkscope::tools
