// Where a run shows itself: in a window, or in the terminal alone.
#pragma once

#include <string>

#include "emu/base/result.hpp"
#include "emu/cli/run_session.hpp"

namespace forkscope::cli {

enum class Display : uint8_t { None, Sdl };

// What the command line said about it.
struct DisplayWords {
    std::string display;  // -display; empty: not given
    bool nographic = false;
    bool no_shutdown = false;
};

// Without a word about it there is a window if somebody is there to see it: a display is named in the
// environment, standard input, output and error are a terminal, and neither -serial nor console=ttyS asks for
// the terminal. So no script and no pipe ever gets one unasked.
[[nodiscard]] Result<Display> choose_display(const DisplayWords& words, const RunOptions& options);

// A run on that display, with what it changes: -serial as it is without a word, console= of the bundled
// kernel.
[[nodiscard]] Result<int> run_on_display(const DisplayWords& words, RunOptions options);

}  // namespace forkscope::cli
