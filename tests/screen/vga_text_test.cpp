// What is on the screen, by registers and memory that a test makes.
#include "emu/screen/vga_text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "roms/font8x16.hpp"

namespace forkscope::screen {
namespace {

class VgaText : public testing::Test {
protected:
    void put(unsigned column, unsigned row, std::string_view text, uint8_t attribute = 7) {
        for (size_t i = 0; i < text.size(); ++i) {
            memory[(row * 80 + column + i) * 2] = static_cast<uint8_t>(text[i]);
            memory[(row * 80 + column + i) * 2 + 1] = attribute;
        }
    }
    [[nodiscard]] TextScreen read() const { return read_text(vga, memory); }
    void set_cursor(unsigned at) {
        vga.crtc[0xe] = static_cast<uint8_t>(at >> 8);
        vga.crtc[0xf] = static_cast<uint8_t>(at);
    }

    devices::Vga::Regs vga;
    std::array<uint8_t, kTextMemoryBytes> memory{};
};

TEST_F(VgaText, Mode3) {
    put(3, 24, "fork", 0x1e);
    const TextScreen screen = read();
    ASSERT_EQ(screen.columns, 80u);
    ASSERT_EQ(screen.rows, 25u);
    EXPECT_EQ(screen.cell_height, 16u);
    EXPECT_TRUE(screen.nine_wide);
    EXPECT_EQ(screen.cells[24 * 80 + 3], (Cell{'f', 14, 1, false}));
    EXPECT_EQ(screen.palette[7], (Rgb{0xaa, 0xaa, 0xaa}));
    EXPECT_EQ(screen.palette[6], (Rgb{0xaa, 0x55, 0x00}));
    EXPECT_EQ(screen.palette[15], (Rgb{0xff, 0xff, 0xff}));
    EXPECT_EQ(to_utf8(screen), std::string(24, '\n') + "   fork\n");
}

TEST_F(VgaText, OffOrInGraphics) {
    EXPECT_TRUE(shows_text(vga));
    vga.attribute_index = 0;
    EXPECT_FALSE(shows_text(vga));
    vga = {};
    vga.attribute[0x10] |= 1;
    EXPECT_FALSE(shows_text(vga));
}

TEST_F(VgaText, HardwareScrollingWrapsInTheMemory) {
    put(0, 1, "second");
    vga.crtc[0xd] = 80;
    EXPECT_EQ(to_utf8(read()).substr(0, 7), "second\n");
    // The last row starts 80 cells before the end: what follows is the beginning.
    put(0, 0, "first");
    const unsigned start = kTextMemoryBytes / 2 - 80;
    vga.crtc[0xc] = start >> 8;
    vga.crtc[0xd] = start & 0xff;
    EXPECT_EQ(to_utf8(read()).substr(0, 14), "\nfirst\nsecond\n");
}

TEST_F(VgaText, Cursor) {
    set_cursor(2 * 80 + 5);
    EXPECT_EQ(read().cursor, (Cursor{5, 2, 13, 14}));
    vga.crtc[0xa] |= 0x20;
    EXPECT_FALSE(read().cursor) << "switched off";
    vga.crtc[0xa] = 15;
    vga.crtc[0xb] = 3;
    EXPECT_FALSE(read().cursor) << "ends above its start";
    vga = {};
    set_cursor(25 * 80);
    EXPECT_FALSE(read().cursor) << "below the screen";
}

TEST_F(VgaText, TheHighestBitIsBlinkingOrABrightBackground) {
    put(0, 0, "x", 0x9f);
    EXPECT_EQ(read().cells[0], (Cell{'x', 15, 1, true}));
    vga.attribute[0x10] &= 0xf7;
    EXPECT_EQ(read().cells[0], (Cell{'x', 15, 9, false}));
}

TEST_F(VgaText, FiftyRowsAndFortyColumns) {
    vga.crtc[9] = 0x47;  // lines of eight
    vga.crtc[1] = 39;
    const TextScreen screen = read();
    EXPECT_EQ(screen.rows, 50u);
    EXPECT_EQ(screen.columns, 40u);
    const Picture picture = draw(screen, BlinkPhase::Shown);
    EXPECT_EQ(picture.height, 400u);
    EXPECT_EQ(picture.width, 360u);
}

TEST_F(VgaText, DrawsTheFontsPixels) {
    put(1, 0, "A", 0x1e);
    const Picture picture = draw(read(), BlinkPhase::Hidden);
    ASSERT_EQ(picture.width, 720u);
    ASSERT_EQ(picture.height, 400u);
    const auto font = roms::font8x16();
    const Rgb yellow{0xff, 0xff, 0x55}, blue{0, 0, 0xaa};
    for (unsigned y = 0; y < 16; ++y)
        for (unsigned x = 0; x < 9; ++x) {
            const bool ink = x < 8 && (font['A' * 16 + y] >> (7 - x) & 1) != 0;
            EXPECT_EQ(picture.at(9 + x, y), ink ? yellow : blue) << x << " " << y;
        }
}

TEST_F(VgaText, LinesMeetAcrossTheNinthColumn) {
    put(0, 0, "\xc4\xc4");
    const Picture picture = draw(read(), BlinkPhase::Hidden);
    vga.attribute[0x10] &= 0xfb;
    const Picture apart = draw(read(), BlinkPhase::Hidden);
    unsigned lines = 0;
    for (unsigned y = 0; y < 16; ++y) {
        bool all = true;
        for (unsigned x = 0; x < 18; ++x) all = all && picture.at(x, y) == Rgb{0xaa, 0xaa, 0xaa};
        lines += all ? 1 : 0;
        EXPECT_EQ(apart.at(8, y), Rgb{}) << "line graphics are switched off";
    }
    EXPECT_GE(lines, 1u);
}

TEST_F(VgaText, CursorAndBlinkingCharactersComeAndGo) {
    put(0, 0, "\xdb", 0x87);
    put(1, 0, " ");
    set_cursor(1);
    const Picture shown = draw(read(), BlinkPhase::Shown), hidden = draw(read(), BlinkPhase::Hidden);
    EXPECT_EQ(shown.at(0, 0), (Rgb{0xaa, 0xaa, 0xaa}));
    EXPECT_EQ(hidden.at(0, 0), Rgb{});
    EXPECT_NE(shown.at(9, 13), hidden.at(9, 13));
}

// Whatever a guest writes into the registers, there is a picture or none.
TEST_F(VgaText, AnyRegistersAtAll) {
    uint64_t random = 1;
    const auto next = [&random] {
        random = random * 6364136223846793005u + 1442695040888963407u;
        return static_cast<uint8_t>(random >> 56);
    };
    for (unsigned round = 0; round < 300; ++round) {
        for (uint8_t& byte : vga.crtc) byte = next();
        for (uint8_t& byte : vga.attribute) byte = next();
        for (uint8_t& byte : vga.sequencer) byte = next();
        vga.dac_mask = next();
        for (size_t i = 0; i < memory.size(); i += 17) memory[i] = next();
        const TextScreen screen = read();
        const Picture picture = draw(screen, BlinkPhase::Shown);
        ASSERT_EQ(picture.pixels.size(), size_t{picture.width} * picture.height);
        ASSERT_FALSE(to_utf8(screen).empty());
    }
}

}  // namespace
}  // namespace forkscope::screen
