// forkscope view: a finished log in a window.
#pragma once

#include <CLI/CLI.hpp>

namespace forkscope::cli {

// Adds the subcommand. When it was given, its callback shows the log and throws CLI::RuntimeError with the
// exit status if that is not 0.
void register_view_command(CLI::App& app);

}  // namespace forkscope::cli
