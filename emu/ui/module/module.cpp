// The module's one symbol.
#include "emu/ui/module/entry.hpp"

namespace forkscope::ui {

namespace {

constexpr Module kModule{Module::kVersion, GuestWindow::open};

}  // namespace

}  // namespace forkscope::ui

extern "C" __attribute__((visibility("default"))) const forkscope::ui::Module* forkscope_ui_module() {
    return &forkscope::ui::kModule;
}
