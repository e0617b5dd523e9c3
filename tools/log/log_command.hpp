// `forkscope log`: the verbs that read logs, as subcommands of the program.
#pragma once

#include <CLI/CLI.hpp>

namespace forkscope::tools {

// Adds `log` and its verbs. They run while the arguments are parsed, and throw CLI::RuntimeError with the
// exit status where it is not 0; what is wrong was then printed in one line.
void register_log_command(CLI::App& app);

}  // namespace forkscope::tools
