// What can be wrong with the options of a run before anything is opened.
#pragma once

#include <string>

#include "emu/base/result.hpp"
#include "emu/check/finding.hpp"
#include "emu/cli/run_session.hpp"
#include "emu/log/event.hpp"

namespace forkscope::cli {

// That they go together, and that no two name one file.
[[nodiscard]] Result<void> check_options(const RunOptions& options);

// --events LIST and --check LIST.
[[nodiscard]] Result<log::KindMask> parse_events(const std::string& list);
[[nodiscard]] Result<check::CheckSet> parse_check_option(const std::string& list);

}  // namespace forkscope::cli
