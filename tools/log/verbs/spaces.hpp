// Which address spaces a verb is about: --root, or the one of --task, or all that there are at that moment.
#pragma once

#include "emu/log/replay.hpp"
#include "tools/log/analysis/task_table.hpp"
#include "tools/log/verbs/query.hpp"

namespace forkscope::tools {

// Roots, ascending. An error if --task or --root names a space that does not exist at that moment; `when`
// says which one that is.
[[nodiscard]] Result<std::vector<uint64_t>> spaces_of(const Query& query, log::Reader& reader,
                                                      const log::Replay& replay,
                                                      const analysis::TaskTable& tasks,
                                                      std::string_view when);

// The root of one task, of which nothing but announcements need be known; 0 if nobody said.
[[nodiscard]] uint64_t root_of(const analysis::TaskTable& tasks, uint32_t tid);

}  // namespace forkscope::tools
