// A run with a window: the window in the program's first thread, as SDL wants it, the machine in another.
#pragma once

#include <memory>

#include "emu/base/result.hpp"
#include "emu/cli/run_session.hpp"
#include "emu/ui/guest_window.hpp"

namespace forkscope::cli {

// Before anything else of the run. The error says what is missing.
[[nodiscard]] Result<std::unique_ptr<ui::GuestWindow>> open_window(ui::GuestWindow::AtEnd at_end);

// Like run_session(), until the window is closed. A reset by the person begins another run: the log of the
// nth is NAME-n.mmu.
[[nodiscard]] Result<int> run_in_window(const RunOptions& options, ui::GuestWindow& window);

}  // namespace forkscope::cli
