// The forkscope program: subcommands, and nothing else.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "emu/base/say.hpp"
#include "emu/cli/arguments.hpp"
#include "emu/cli/run_command.hpp"
#include "emu/cli/view_command.hpp"
#include "tools/log/log_command.hpp"

namespace {

constexpr int kBadUsage = 2;

// The command that was named, down to its own subcommand; and the names of those that it has.
const CLI::App& named_command(const CLI::App& app) {
    const auto named = app.get_subcommands();
    return named.empty() ? app : named_command(*named.front());
}

std::string command_names(const CLI::App& app) {
    std::string names;
    for (const CLI::App* command : app.get_subcommands(nullptr))
        names += (names.empty() ? "" : ", ") + command->get_name();
    return names;
}

// One line: what was wrong, what was expected, and where more is told.
int refuse(const CLI::App& app, const CLI::ParseError& error) {
    const CLI::App& command = named_command(app);
    std::string name = command.get_name();
    for (const CLI::App* above = command.get_parent(); above != nullptr; above = above->get_parent())
        name = above->get_name() + " " + name;
    std::string what = error.what();
    const std::string names = command_names(command);
    if (!names.empty() && command.get_subcommands().empty()) {
        const auto rest = command.remaining();
        what = rest.empty() ? fmt::format("expected a command: {}", names)
                            : fmt::format("no command '{}'; there are {}", rest.front(), names);
    }
    forkscope::say("forkscope: {}; {} --help tells more", what, name);
    return kBadUsage;
}

// A file that is opened while a standard descriptor is closed would become that one, and take what is meant
// for it.
void keep_standard_descriptors() {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY) < 0)
            std::abort();
}

}  // namespace

// NOLINTNEXTLINE(bugprone-exception-escape): nothing is left to do when memory runs out here.
int main(int argc, char** argv) {
    keep_standard_descriptors();
    CLI::App app{
        "See what an operating system does to memory: runs x86-64 guest images and shows every\n"
        "page-table write, TLB fill, flush and page fault, who caused it and when.",
        "forkscope"};
    app.require_subcommand(1);
    app.set_version_flag("--version", "forkscope 0.1.0");
    forkscope::cli::register_run_command(app);
    forkscope::tools::register_log_command(app);
    forkscope::cli::register_view_command(app);

    std::vector<std::string> arguments = forkscope::cli::with_long_dashes(argc, argv);
    // CLI11 takes them last first.
    std::reverse(arguments.begin(), arguments.end());
    try {
        app.parse(arguments);
    } catch (const CLI::RuntimeError& status) {
        return status.get_exit_code();
    } catch (const CLI::ParseError& error) {
        // Help and the version come here as well.
        return error.get_exit_code() == 0 ? app.exit(error) : refuse(app, error);
    }
    return 0;
}
