// Pictures as files: libpng reads back what was written.
#include "emu/screen/png.hpp"

#include <gtest/gtest.h>
#include <png.h>

#include <filesystem>

namespace forkscope::screen {
namespace {

Picture pattern() {
    Picture picture(7, 3);
    for (unsigned y = 0; y < 3; ++y)
        for (unsigned x = 0; x < 7; ++x)
            picture.at(x, y) = {static_cast<uint8_t>(x * 30), static_cast<uint8_t>(y * 80), 200};
    return picture;
}

TEST(Png, IsReadBack) {
    const std::string path = testing::TempDir() + "forkscope_png_test.png";
    const Picture picture = pattern();
    ASSERT_TRUE(write_png(picture, path));
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    ASSERT_NE(png_image_begin_read_from_file(&image, path.c_str()), 0);
    ASSERT_EQ(image.width, 7u);
    ASSERT_EQ(image.height, 3u);
    image.format = PNG_FORMAT_RGB;
    std::vector<Rgb> pixels(7 * 3);
    ASSERT_NE(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr), 0);
    EXPECT_EQ(pixels, picture.pixels);
    std::filesystem::remove(path);
}

TEST(Png, SaysWhereItCannotBeWritten) {
    const auto done = write_png(pattern(), "/nowhere/at/all.png");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message, "/nowhere/at/all.png: cannot be written: No such file or directory");
    EXPECT_FALSE(write_png(Picture(), testing::TempDir() + "empty.png"));
    EXPECT_FALSE(std::filesystem::exists(testing::TempDir() + "empty.png"));
}

TEST(Png, AFullDiskLeavesNoHalfPicture) {
    const auto done = write_png(pattern(), "/dev/full");
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().message.find("/dev/full: the picture cannot be written"), std::string::npos);
}

}  // namespace
}  // namespace forkscope::screen
