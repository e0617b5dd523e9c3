// One access by a CPU to a device: how wide it is, and how an access that a device does not decode at
// its full width is taken apart.
#pragma once

#include <cstdint>

#include "emu/base/units.hpp"

namespace forkscope::bus {

// The value is the number of bytes.
enum class Width : uint8_t { Byte = 1, Word = 2, Dword = 4, Qword = 8 };

[[nodiscard]] constexpr unsigned bytes_of(Width width) { return static_cast<unsigned>(width); }

// What an access of this width reads where nobody answers; also the mask of its value bits.
[[nodiscard]] constexpr uint64_t all_ones(Width width) {
    return width == Width::Qword ? ~uint64_t{0} : (uint64_t{1} << (8 * bytes_of(width))) - 1;
}

// A set of widths: the sum of their byte counts, which are distinct powers of two.
using WidthSet = uint8_t;
[[nodiscard]] constexpr WidthSet width_set(Width width) { return static_cast<WidthSet>(width); }
template <typename... Widths>
[[nodiscard]] constexpr WidthSet width_set(Width first, Widths... rest) {
    return static_cast<WidthSet>(width_set(first) | width_set(rest...));
}
[[nodiscard]] constexpr bool has_width(WidthSet set, Width width) { return (set & width_set(width)) != 0; }

// The widest width in the set that is not wider than `width`; 0 if there is none. Widths are powers of
// two, so an access is a whole number of such pieces.
[[nodiscard]] constexpr unsigned piece_bytes(WidthSet set, Width width) {
    for (unsigned n = bytes_of(width); n != 0; n /= 2)
        if ((set & n) != 0) return n;
    return 0;
}

enum class Direction : uint8_t { Read, Write };

// Kept for each claimed range. A wrong width is an access that the device does not decode as it came:
// it was taken apart into narrower ones, or refused when there are none.
struct AccessCounts {
    uint64_t reads = 0;
    uint64_t writes = 0;
    uint64_t wrong_width = 0;
};

}  // namespace forkscope::bus
