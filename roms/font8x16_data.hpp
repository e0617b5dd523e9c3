// What make_font.py makes of font8x16.txt, for font8x16.cpp alone.
#pragma once

#include <array>
#include <cstdint>

namespace forkscope::roms {

struct CodeOf {
    char32_t character;
    uint8_t code;
};

extern const std::array<uint8_t, 256 * 16> kFontRows;
extern const std::array<char32_t, 256> kUnicodeOf;
extern const std::array<CodeOf, 256> kCodeOf;  // by rising character

}  // namespace forkscope::roms
