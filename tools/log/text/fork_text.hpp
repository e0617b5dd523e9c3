// Forks in words: the line of a list, and the story of one.
#pragma once

#include <string>

#include "emu/log/meta.hpp"
#include "tools/log/analysis/fork.hpp"
#include "tools/log/analysis/symbolizer.hpp"
#include "tools/log/text/output.hpp"

namespace forkscope::tools {

[[nodiscard]] std::string fork_line_head();
[[nodiscard]] std::string fork_line(const analysis::Fork& fork);

struct StoryView {
    const analysis::Fork& fork;
    const analysis::Symbolizer& symbols;
    const log::Meta& meta;
    uint64_t last_icount = 0;  // of the log
    uint64_t break_limit = 0;  // write faults told one by one; 0: all
};

void print_story(const StoryView& view, Output& out);

}  // namespace forkscope::tools
