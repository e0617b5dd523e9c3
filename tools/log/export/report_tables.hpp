// Two parts of the report's data: the page tables around one fork, and what forks cost.
#pragma once

#include <string>
#include <vector>

#include "tools/log/analysis/fork.hpp"
#include "tools/log/export/job.hpp"
#include "tools/log/text/json.hpp"

namespace forkscope::tools {

// The parent's tables before and after the call, and the child's as first loaded against its parent's.
[[nodiscard]] Json trees_json(log::Reader& reader, const analysis::Fork& fork);

// A sheet a log: this one's forks that fit the filter, and those of the logs of --with. What is not whole
// among them is told in `left_out`.
[[nodiscard]] Result<Json> costs_json(const ExportJob& job, const std::vector<analysis::Fork>& forks,
                                      std::vector<std::string>& left_out);

}  // namespace forkscope::tools
