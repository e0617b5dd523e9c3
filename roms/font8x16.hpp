// The text-mode font: 256 glyphs of code page 437, drawn in font8x16.txt.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace forkscope::roms {

inline constexpr unsigned kFontWidth = 8;    // pixels
inline constexpr unsigned kFontHeight = 16;  // rows of pixels, of which row 11 is the baseline

// All glyphs in the order of their codes, kFontHeight bytes each, the top row first; bit 7 is the leftmost
// pixel. Where a cell is nine pixels wide, VGA gives the codes 0xc0 to 0xdf their eighth column again as the
// ninth, and all others a blank one (attribute controller, mode control register, "line graphics enable"):
// lines join in both.
[[nodiscard]] std::span<const uint8_t, 256 * kFontHeight> font8x16();

// The character that a glyph shows, and the glyph that shows a character. The codes below 0x20 are pictograms
// here, not control characters, and code 0 is U+0000.
[[nodiscard]] char32_t unicode_of(uint8_t code);
[[nodiscard]] std::optional<uint8_t> code_of(char32_t character);

}  // namespace forkscope::roms
