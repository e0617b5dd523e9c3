// A glyph of the font as the tests look at it.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "roms/font8x16.hpp"

namespace forkscope::roms {

using Glyph = std::array<uint8_t, kFontHeight>;

inline Glyph glyph(unsigned code) {
    Glyph rows{};
    for (unsigned y = 0; y < kFontHeight; ++y) rows[y] = font8x16()[code * kFontHeight + y];
    return rows;
}

inline bool pixel(const Glyph& rows, unsigned x, unsigned y) {
    return (rows[y] >> (kFontWidth - 1 - x) & 1) != 0;
}

// The glyph as font8x16.txt would have it, for messages.
inline std::string drawing(const Glyph& rows) {
    std::string text = "\n";
    for (unsigned y = 0; y < kFontHeight; ++y) {
        for (unsigned x = 0; x < kFontWidth; ++x) text += pixel(rows, x, y) ? '#' : '.';
        text += '\n';
    }
    return text;
}

}  // namespace forkscope::roms
