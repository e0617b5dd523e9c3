// The kernel command line.
#pragma once

namespace guest {

inline constexpr unsigned kMaxInitArgs = 32;

struct CommandLine {
    const char* init = nullptr;  // init=
    // argv of init, argv[0] left free for its path; the words after "--".
    const char* argv[kMaxInitArgs + 2] = {};
};

// Parses text, of which a copy is kept, and applies console=, loglevel=, quiet, check, failslab=, fail_step=,
// bug=, announce= and fork=. Parameters that are not known are ignored.
const CommandLine& parse_command_line(const char* text);
[[nodiscard]] const CommandLine& command_line();
// As the loader gave it.
[[nodiscard]] const char* saved_command_line();

}  // namespace guest
