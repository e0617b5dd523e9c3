// The module's one symbol.
#include "tools/panels/window/entry.hpp"
#include "tools/panels/window/view.hpp"

namespace forkscope::panels {

namespace {

constexpr Module kModule{Module::kVersion, view};

}  // namespace

}  // namespace forkscope::panels

extern "C" __attribute__((visibility("default"))) const forkscope::panels::Module* forkscope_panels_module() {
    return &forkscope::panels::kModule;
}
