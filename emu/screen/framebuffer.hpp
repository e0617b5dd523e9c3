// A linear framebuffer as a picture.
#pragma once

#include <cstdint>
#include <span>

#include "emu/screen/picture.hpp"

namespace forkscope::screen {

// pixels: width * height of four bytes each, blue, green, red and one that says nothing.
[[nodiscard]] Picture draw_framebuffer(std::span<const uint8_t> pixels, unsigned width, unsigned height);

}  // namespace forkscope::screen
