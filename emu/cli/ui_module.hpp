// The window's module, which is loaded when a window is asked for: the program itself needs no display
// library.
#pragma once

#include "emu/base/result.hpp"
#include "emu/ui/module/entry.hpp"

namespace forkscope::cli {

// From the program's own folder, or ../lib/forkscope beside it. Stays loaded. The error says what is missing.
[[nodiscard]] Result<const ui::Module*> load_ui_module();

}  // namespace forkscope::cli
