// The sums of a fork's story.
#pragma once

#include "tools/log/analysis/fork.hpp"
#include "tools/log/text/output.hpp"

namespace forkscope::tools {

// What became of every page that both sides shared, and where: each column adds up.
void print_totals(const analysis::Fork& fork, Output& out);

}  // namespace forkscope::tools
