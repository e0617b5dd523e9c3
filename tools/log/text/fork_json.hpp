// Forks as JSON.
#pragma once

#include "tools/log/text/fork_text.hpp"
#include "tools/log/text/json.hpp"

namespace forkscope::tools {

// Everything that is a count or a name.
[[nodiscard]] Json fork_json(const analysis::Fork& fork);

// That, and the details: ranges, flushes, write faults one by one.
[[nodiscard]] Json story_json(const StoryView& view);

}  // namespace forkscope::tools
