// A picture in memory: what the guest shows, for a file or a window.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace forkscope::screen {

struct Rgb {
    uint8_t red = 0, green = 0, blue = 0;
    bool operator==(const Rgb&) const = default;
};
static_assert(sizeof(Rgb) == 3);

struct Picture {
    unsigned width = 0, height = 0;
    std::vector<Rgb> pixels;  // row by row from the top, width * height of them

    Picture() = default;
    Picture(unsigned w, unsigned h) : width(w), height(h), pixels(size_t{w} * h) {}

    [[nodiscard]] Rgb& at(unsigned x, unsigned y) { return pixels[size_t{y} * width + x]; }
    [[nodiscard]] const Rgb& at(unsigned x, unsigned y) const { return pixels[size_t{y} * width + x]; }
};

}  // namespace forkscope::screen
