// run --screenshot: what the guest shows at the end, as a picture or as text.
#pragma once

#include <optional>
#include <string>

#include "emu/base/result.hpp"
#include "emu/machine/machine.hpp"
#include "emu/screen/vga_text.hpp"

namespace forkscope::cli {

// Nothing while the screen is off, or in a mode that is not modelled.
[[nodiscard]] std::optional<screen::TextScreen> read_screen(machine::Machine& machine);

// A screen that is off, or in a mode that is not modelled, is black. A path that ends in .txt gets the
// characters instead, as UTF-8.
[[nodiscard]] Result<> take_screenshot(machine::Machine& machine, const std::string& path);

}  // namespace forkscope::cli
