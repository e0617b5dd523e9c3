// Pixels in memory as a picture.
#include "emu/screen/framebuffer.hpp"

#include <gtest/gtest.h>

namespace forkscope::screen {
namespace {

TEST(Framebuffer, BytesAreBlueGreenRed) {
    const std::vector<uint8_t> pixels = {1, 2, 3, 99, 4, 5, 6, 99, 7, 8, 9, 99, 10, 11, 12, 99};
    const Picture picture = draw_framebuffer(pixels, 2, 2);
    EXPECT_EQ(picture.at(0, 0), (Rgb{3, 2, 1}));
    EXPECT_EQ(picture.at(1, 0), (Rgb{6, 5, 4}));
    EXPECT_EQ(picture.at(0, 1), (Rgb{9, 8, 7}));
    EXPECT_EQ(picture.at(1, 1), (Rgb{12, 11, 10}));
}

}  // namespace
}  // namespace forkscope::screen
