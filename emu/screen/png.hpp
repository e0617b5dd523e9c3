// Pictures as PNG files, by libpng.
#pragma once

#include <string>

#include "emu/base/result.hpp"
#include "emu/screen/picture.hpp"

namespace forkscope::screen {

// Errors name the file. A regular file that could not be written whole is removed.
[[nodiscard]] Result<> write_png(const Picture& picture, const std::string& path);

}  // namespace forkscope::screen
