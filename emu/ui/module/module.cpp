// The module's one symbol.
#include "emu/ui/module/entry.hpp"
#include "emu/ui/window.hpp"

namespace forkscope::ui {

namespace {

Result<> probe() {
    const auto window = Window::open({"forkscope", 1, 1});
    if (!window) return tl::make_unexpected(window.error());
    return {};
}

constexpr Module kModule{Module::kVersion, probe};

}  // namespace

}  // namespace forkscope::ui

extern "C" __attribute__((visibility("default"))) const forkscope::ui::Module* forkscope_ui_module() {
    return &forkscope::ui::kModule;
}
