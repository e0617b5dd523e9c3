// What the verbs of `forkscope log` do, each in a file of its own.
#pragma once

#include "emu/base/result.hpp"
#include "emu/log/reader.hpp"
#include "tools/log/text/output.hpp"
#include "tools/log/verbs/query.hpp"

namespace forkscope::tools {

[[nodiscard]] Result<> log_info(log::Reader& reader, const Query& query, Output& out);
[[nodiscard]] Result<> log_show(log::Reader& reader, const Query& query, Output& out);
[[nodiscard]] Result<> log_stats(log::Reader& reader, const Query& query, Output& out);
[[nodiscard]] Result<> log_forks(log::Reader& reader, const Query& query, Output& out);
[[nodiscard]] Result<> log_story(log::Reader& reader, const Query& query, Output& out);
[[nodiscard]] Result<> log_check(log::Reader& reader, const Query& query, Output& out);
[[nodiscard]] Result<> log_verify(log::Reader& reader, const Query& query, Output& out);

[[nodiscard]] Result<> log_tasks(log::Reader& reader, const Query& query, Output& out);
[[nodiscard]] Result<> log_tree(log::Reader& reader, const Query& query, Output& out);
[[nodiscard]] Result<> log_diff(log::Reader& reader, const Query& query, Output& out);
[[nodiscard]] Result<> log_who(log::Reader& reader, const Query& query, Output& out);
[[nodiscard]] Result<> log_frame(log::Reader& reader, const Query& query, Output& out);
[[nodiscard]] Result<> log_tlb(log::Reader& reader, const Query& query, Output& out);
[[nodiscard]] Result<> log_faults(log::Reader& reader, const Query& query, Output& out);
[[nodiscard]] Result<> log_syscalls(log::Reader& reader, const Query& query, Output& out);

}  // namespace forkscope::tools
