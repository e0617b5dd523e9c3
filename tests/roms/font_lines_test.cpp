// Line drawing, blocks and shades: what joins across cells.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>

#include "tests/roms/glyph.hpp"

namespace forkscope::roms {
namespace {

// The lines that leave a cell at each edge: none, single (1) or double (2), and of how many parts that do not
// touch the glyph consists.
struct Joint {
    uint8_t code;
    unsigned up, down, left, right, parts;
};

// Code page 437, 0xb3 to 0xda, by the names of the characters in Unicode's chart "Box Drawing".
constexpr std::array<Joint, 40> kJoints = {{
    {0xb3, 1, 1, 0, 0, 1}, {0xb4, 1, 1, 1, 0, 1}, {0xb5, 1, 1, 2, 0, 1}, {0xb6, 2, 2, 1, 0, 2},
    {0xb7, 0, 2, 1, 0, 1}, {0xb8, 0, 1, 2, 0, 1}, {0xb9, 2, 2, 2, 0, 3}, {0xba, 2, 2, 0, 0, 2},
    {0xbb, 0, 2, 2, 0, 2}, {0xbc, 2, 0, 2, 0, 2}, {0xbd, 2, 0, 1, 0, 1}, {0xbe, 1, 0, 2, 0, 1},
    {0xbf, 0, 1, 1, 0, 1}, {0xc0, 1, 0, 0, 1, 1}, {0xc1, 1, 0, 1, 1, 1}, {0xc2, 0, 1, 1, 1, 1},
    {0xc3, 1, 1, 0, 1, 1}, {0xc4, 0, 0, 1, 1, 1}, {0xc5, 1, 1, 1, 1, 1}, {0xc6, 1, 1, 0, 2, 1},
    {0xc7, 2, 2, 0, 1, 2}, {0xc8, 2, 0, 0, 2, 2}, {0xc9, 0, 2, 0, 2, 2}, {0xca, 2, 0, 2, 2, 3},
    {0xcb, 0, 2, 2, 2, 3}, {0xcc, 2, 2, 0, 2, 3}, {0xcd, 0, 0, 2, 2, 2}, {0xce, 2, 2, 2, 2, 4},
    {0xcf, 1, 0, 2, 2, 2}, {0xd0, 2, 0, 1, 1, 1}, {0xd1, 0, 1, 2, 2, 2}, {0xd2, 0, 2, 1, 1, 1},
    {0xd3, 2, 0, 0, 1, 1}, {0xd4, 1, 0, 0, 2, 1}, {0xd5, 0, 1, 0, 2, 1}, {0xd6, 0, 2, 0, 1, 1},
    {0xd7, 2, 2, 1, 1, 1}, {0xd8, 1, 1, 2, 2, 1}, {0xd9, 1, 0, 1, 0, 1}, {0xda, 0, 1, 0, 1, 1},
}};

constexpr unsigned kRight = kFontWidth - 1, kBottom = kFontHeight - 1;

unsigned column(const Glyph& rows, unsigned x) {
    unsigned bits = 0;
    for (unsigned y = 0; y < kFontHeight; ++y) bits |= static_cast<unsigned>(pixel(rows, x, y)) << y;
    return bits;
}

// Where lines of a weight cross a left or right edge, and a top or bottom one, as the plain lines have it.
unsigned across(unsigned weight) { return weight == 0 ? 0 : column(glyph(weight == 1 ? 0xc4 : 0xcd), 0); }
unsigned down(unsigned weight) { return weight == 0 ? 0 : glyph(weight == 1 ? 0xb3 : 0xba)[0]; }

int runs(unsigned bits) { return std::popcount(bits & ~(bits << 1)); }

TEST(FontLines, PlainLinesRunStraightThrough) {
    for (const unsigned code : {0xc4u, 0xcdu})
        for (unsigned x = 0; x < kFontWidth; ++x)
            EXPECT_EQ(column(glyph(code), x), column(glyph(code), 0)) << code;
    for (const unsigned code : {0xb3u, 0xbau})
        for (const uint8_t row : glyph(code)) EXPECT_EQ(row, glyph(code)[0]) << code;
    EXPECT_EQ(runs(across(1)), 1);
    EXPECT_EQ(runs(across(2)), 2);
    EXPECT_EQ(runs(down(1)), 1);
    EXPECT_EQ(runs(down(2)), 2);
    // Each of two is as thick as one.
    EXPECT_EQ(std::popcount(across(2)), 2 * std::popcount(across(1)));
    EXPECT_EQ(std::popcount(down(2)), 2 * std::popcount(down(1)));
}

TEST(FontLines, EveryPieceMeetsItsNeighboursAtAllFourEdges) {
    for (const Joint& joint : kJoints) {
        const Glyph rows = glyph(joint.code);
        EXPECT_EQ(column(rows, 0), across(joint.left)) << unsigned{joint.code} << drawing(rows);
        EXPECT_EQ(column(rows, kRight), across(joint.right)) << unsigned{joint.code} << drawing(rows);
        EXPECT_EQ(rows[0], down(joint.up)) << unsigned{joint.code} << drawing(rows);
        EXPECT_EQ(rows[kBottom], down(joint.down)) << unsigned{joint.code} << drawing(rows);
    }
}

enum Edge : unsigned { Top = 1, Bottom = 2, Left = 4, Right = 8 };

// Takes the pixels that hang together with (x, y) out of rows; tells the edges that they reach.
unsigned take(Glyph& rows, unsigned x, unsigned y) {
    if (x > kRight || y > kBottom || !pixel(rows, x, y)) return 0;
    rows[y] = static_cast<uint8_t>(rows[y] & ~(0x80u >> x));
    const unsigned edges = (y == 0 ? Top : 0u) | (y == kBottom ? Bottom : 0u) | (x == 0 ? Left : 0u) |
                           (x == kRight ? Right : 0u);
    // One less than 0 is past every edge too.
    return edges | take(rows, x - 1, y) | take(rows, x + 1, y) | take(rows, x, y - 1) | take(rows, x, y + 1);
}

TEST(FontLines, NoLineEndsInsideACellAndNoTwoTouchThatShouldNot) {
    for (const Joint& joint : kJoints) {
        Glyph rows = glyph(joint.code);
        unsigned parts = 0;
        for (unsigned y = 0; y < kFontHeight; ++y) {
            for (unsigned x = 0; x < kFontWidth; ++x) {
                if (!pixel(rows, x, y)) continue;
                ++parts;
                EXPECT_GE(std::popcount(take(rows, x, y)), 2)
                    << unsigned{joint.code} << drawing(glyph(joint.code));
            }
        }
        EXPECT_EQ(parts, joint.parts) << unsigned{joint.code} << drawing(glyph(joint.code));
    }
}

// VGA widens a cell to nine pixels by repeating the eighth, but only for these codes: a line that left any
// other to the right would break there.
TEST(FontLines, OnlyTheCodesOfTheNinthColumnReachToTheRight) {
    for (const Joint& joint : kJoints) {
        const bool repeated = joint.code >= 0xc0 && joint.code <= 0xdf;
        EXPECT_TRUE(repeated || (glyph(joint.code)[7] & 1) == 0) << unsigned{joint.code};
    }
}

TEST(FontLines, TheHalvesOfTheIntegralContinueAsALine) {
    EXPECT_EQ(glyph(0xf4)[kBottom], glyph(0xb3)[0]);
    EXPECT_EQ(glyph(0xf5)[0], glyph(0xb3)[0]);
}

TEST(FontLines, HalvesMakeAWholeBlock) {
    for (unsigned y = 0; y < kFontHeight; ++y) {
        EXPECT_EQ(glyph(0xdb)[y], 0xff);
        EXPECT_EQ(glyph(0xdc)[y], y < kFontHeight / 2 ? 0x00 : 0xff) << y;
        EXPECT_EQ(glyph(0xdf)[y], y < kFontHeight / 2 ? 0xff : 0x00) << y;
        EXPECT_EQ(glyph(0xdd)[y], 0xf0) << y;
        EXPECT_EQ(glyph(0xde)[y], 0x0f) << y;
    }
}

TEST(FontLines, ShadesAreQuartersAndRepeatAcrossCells) {
    for (unsigned quarters = 1; quarters <= 3; ++quarters) {
        const Glyph rows = glyph(0xaf + quarters);
        for (unsigned y = 0; y < kFontHeight; ++y) {
            EXPECT_EQ(std::popcount(rows[y]), static_cast<int>(2 * quarters)) << y;
            EXPECT_EQ(rows[y], std::rotl(rows[y], 4)) << y;
            EXPECT_EQ(rows[y], rows[(y + 2) % kFontHeight]) << y;
            EXPECT_NE(rows[y], rows[(y + 1) % kFontHeight]) << y;
        }
    }
}

}  // namespace
}  // namespace forkscope::roms
