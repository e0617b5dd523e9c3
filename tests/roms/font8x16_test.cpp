// The letters of the font: all there, told apart, on their lines, and with the right characters.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/roms/glyph.hpp"

namespace forkscope::roms {
namespace {

constexpr unsigned kCapTop = 2, kXTop = 5, kBaseline = 11, kDescent = 14;

Glyph letter_glyph(char letter) { return glyph(static_cast<uint8_t>(letter)); }

unsigned first_row(const Glyph& rows) {
    unsigned y = 0;
    while (y < kFontHeight && rows[y] == 0) ++y;
    return y;
}

unsigned last_row(const Glyph& rows) {
    unsigned y = kFontHeight - 1;
    while (y > 0 && rows[y] == 0) --y;
    return y;
}

unsigned difference(const Glyph& one, const Glyph& other) {
    unsigned pixels = 0;
    for (unsigned y = 0; y < kFontHeight; ++y)
        pixels += static_cast<unsigned>(std::popcount(static_cast<uint8_t>(one[y] ^ other[y])));
    return pixels;
}

TEST(Font8x16, EveryCodeHasAGlyphOfItsOwn) {
    const std::set<unsigned> blanks = {0x00, 0x20, 0xff};
    std::map<Glyph, unsigned> seen;
    for (unsigned code = 0; code < 256; ++code) {
        const Glyph rows = glyph(code);
        EXPECT_EQ(rows == Glyph{}, blanks.contains(code)) << code;
        if (blanks.contains(code)) continue;
        const auto [other, fresh] = seen.emplace(rows, code);
        EXPECT_TRUE(fresh) << code << " is drawn as " << other->second << drawing(rows);
    }
}

TEST(Font8x16, WhatIsEasilyConfusedDiffersInManyPixels) {
    constexpr std::array<std::string_view, 16> kPairs = {"0O", "0o", "0D", "OD", "OQ", "1l", "1I", "lI",
                                                         "l|", "I|", "5S", "2Z", "8B", "6G", "uv", "nu"};
    for (const std::string_view pair : kPairs)
        EXPECT_GE(difference(letter_glyph(pair[0]), letter_glyph(pair[1])), 4u) << pair;
    EXPECT_GE(difference(glyph(0xe1), glyph('B')), 4u) << "sharp s and B";
    EXPECT_GE(difference(glyph(0xb3), glyph('|')), 4u) << "a line and a bar";
}

TEST(Font8x16, LettersStandOnTheirLines) {
    for (const char letter : std::string_view("ABCDEFGHIJKLMNOPRSTUVWXYZ0123456789bdfhkl")) {
        EXPECT_EQ(first_row(letter_glyph(letter)), kCapTop) << letter;
        EXPECT_EQ(last_row(letter_glyph(letter)), kBaseline) << letter;
    }
    for (const char letter : std::string_view("acemnorsuvwxz")) {
        EXPECT_EQ(first_row(letter_glyph(letter)), kXTop) << letter;
        EXPECT_EQ(last_row(letter_glyph(letter)), kBaseline) << letter;
    }
    for (const char letter : std::string_view("gpqy")) {
        EXPECT_EQ(first_row(letter_glyph(letter)), kXTop) << letter;
        EXPECT_EQ(last_row(letter_glyph(letter)), kDescent) << letter;
    }
    EXPECT_EQ(last_row(glyph('j')), kDescent);
}

TEST(Font8x16, LettersKeepTheLastColumnFree) {
    for (const char letter :
         std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"))
        for (const uint8_t row : letter_glyph(letter)) EXPECT_EQ(row & 1, 0) << letter;
}

TEST(Font8x16, SmallLettersKeepTheirShapeUnderAnAccent) {
    const std::vector<std::pair<char, std::u32string_view>> letters = {
        {'a', U"áàâäå"}, {'e', U"éèêë"}, {'i', U"íìîï"}, {'n', U"ñ"},
        {'o', U"óòôö"},  {'u', U"úùûü"}, {'y', U"ÿ"}};
    for (const auto& [letter, accented] : letters) {
        for (const char32_t character : accented) {
            const Glyph base = letter_glyph(letter);
            const Glyph whole = glyph(code_of(character).value());
            EXPECT_TRUE(std::equal(base.begin() + kXTop, base.end(), whole.begin() + kXTop))
                << drawing(whole);
            EXPECT_EQ(whole[kXTop - 1], 0) << drawing(whole);
            EXPECT_LT(first_row(whole), kXTop - 1) << drawing(whole);
        }
    }
}

// Whether rows from kCapTop down are the letter, or the letter less one row.
bool keeps_letter(const Glyph& whole, const Glyph& base) {
    if (std::equal(base.begin() + kCapTop, base.end(), whole.begin() + kCapTop)) return true;
    for (unsigned out = kCapTop; out <= kBaseline; ++out) {
        Glyph lowered = base;
        for (unsigned y = out; y > 0; --y) lowered[y] = base[y - 1];
        if (std::equal(lowered.begin() + kCapTop, lowered.end(), whole.begin() + kCapTop)) return true;
    }
    return false;
}

TEST(Font8x16, CapitalsUnderAnAccentAreOneRowShorterAtMost) {
    const std::vector<std::pair<char, char32_t>> letters = {{'A', U'Ä'}, {'A', U'Å'}, {'E', U'É'},
                                                            {'N', U'Ñ'}, {'O', U'Ö'}, {'U', U'Ü'}};
    for (const auto& [letter, character] : letters) {
        const Glyph whole = glyph(code_of(character).value());
        EXPECT_EQ(first_row(whole), 0u) << drawing(whole);
        EXPECT_TRUE(keeps_letter(whole, letter_glyph(letter))) << drawing(whole);
        // Only the ring of A rests on its letter.
        EXPECT_EQ(whole[kCapTop] == 0, character != U'Å') << drawing(whole);
    }
}

TEST(Font8x16, TheCedillaHangsUnderItsLetter) {
    for (const auto& [letter, character] : {std::pair{'C', U'Ç'}, std::pair{'c', U'ç'}}) {
        const Glyph base = letter_glyph(letter);
        const Glyph whole = glyph(code_of(character).value());
        EXPECT_TRUE(std::equal(base.begin(), base.begin() + kBaseline + 1, whole.begin())) << drawing(whole);
        EXPECT_NE(whole[kBaseline + 1], 0) << drawing(whole);
    }
}

TEST(Font8x16, CodesAndCharactersAreOneToOne) {
    std::set<char32_t> characters;
    for (unsigned code = 0; code < 256; ++code) {
        const char32_t character = unicode_of(static_cast<uint8_t>(code));
        EXPECT_TRUE(characters.insert(character).second) << code;
        EXPECT_EQ(code_of(character), static_cast<uint8_t>(code));
    }
    for (unsigned code = 0x20; code < 0x7f; ++code) EXPECT_EQ(unicode_of(static_cast<uint8_t>(code)), code);
}

TEST(Font8x16, WhatTheCodePageLacksHasNoCode) {
    for (const char32_t character : {U'\x01', U'\n', U'\x7f', U'\x80', U'©', U'€', U'γ', U'\x10ffff'})
        EXPECT_EQ(code_of(character), std::nullopt) << static_cast<uint32_t>(character);
}

}  // namespace
}  // namespace forkscope::roms
