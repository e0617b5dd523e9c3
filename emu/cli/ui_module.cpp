#include "emu/cli/ui_module.hpp"

#include "emu/cli/module_loader.hpp"

namespace forkscope::cli {

Result<const ui::Module*> load_ui_module() { return load_module<ui::Module>("libforkscope_ui.so"); }

}  // namespace forkscope::cli
