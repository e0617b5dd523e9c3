// forkscope run: boots a guest image and records what happens to its memory.
#pragma once

#include <CLI/CLI.hpp>

namespace forkscope::cli {

// Adds the subcommand. When it was given, its callback runs the machine and throws CLI::RuntimeError
// with the exit status, as CLI11 wants it.
void register_run_command(CLI::App& app);

}  // namespace forkscope::cli
