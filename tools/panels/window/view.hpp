// A log in a window.
#pragma once

#include "tools/panels/window/entry.hpp"

namespace forkscope::panels {

[[nodiscard]] Result<ViewReport> view(const ViewOptions& options);

}  // namespace forkscope::panels
