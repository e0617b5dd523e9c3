#include "roms/font8x16.hpp"

#include <algorithm>

#include "roms/font8x16_data.hpp"

namespace forkscope::roms {

std::span<const uint8_t, 256 * kFontHeight> font8x16() { return kFontRows; }

char32_t unicode_of(uint8_t code) { return kUnicodeOf[code]; }

std::optional<uint8_t> code_of(char32_t character) {
    const auto found = std::ranges::lower_bound(kCodeOf, character, {}, &CodeOf::character);
    if (found == kCodeOf.end() || found->character != character) return std::nullopt;
    return found->code;
}

}  // namespace forkscope::roms
