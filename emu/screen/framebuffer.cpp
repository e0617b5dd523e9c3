#include "emu/screen/framebuffer.hpp"

#include <cassert>

namespace forkscope::screen {

Picture draw_framebuffer(std::span<const uint8_t> pixels, unsigned width, unsigned height) {
    constexpr size_t kPixelBytes = 4;
    Picture picture(width, height);
    assert(pixels.size() >= picture.pixels.size() * kPixelBytes);
    for (size_t i = 0; i < picture.pixels.size(); ++i) {
        const uint8_t* p = &pixels[i * kPixelBytes];
        picture.pixels[i] = {.red = p[2], .green = p[1], .blue = p[0]};
    }
    return picture;
}

}  // namespace forkscope::screen
