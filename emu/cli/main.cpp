// The forkscope program: subcommands, and nothing else.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "emu/cli/arguments.hpp"
#include "emu/cli/run_command.hpp"
#include "tools/log/log_command.hpp"

int main(int argc, char** argv) {
    CLI::App app{
        "See what an operating system does to memory: runs x86-64 guest images and shows every\n"
        "page-table write, TLB fill, flush and page fault, who caused it and when.",
        "forkscope"};
    app.require_subcommand(1);
    app.set_version_flag("--version", "forkscope 0.1.0");
    forkscope::cli::register_run_command(app);
    forkscope::tools::register_log_command(app);

    std::vector<std::string> arguments = forkscope::cli::with_long_dashes(argc, argv);
    // CLI11 takes them last first.
    std::reverse(arguments.begin(), arguments.end());
    try {
        app.parse(arguments);
    } catch (const CLI::RuntimeError& status) {
        return status.get_exit_code();
    } catch (const CLI::ParseError& error) {
        constexpr int kBadUsage = 2;
        return app.exit(error) == 0 ? 0 : kBadUsage;
    }
    return 0;
}
