// Single bits and bit fields of 64-bit words.
#pragma once

#include <cstdint>

namespace forkscope {

[[nodiscard]] constexpr uint64_t bit(unsigned n) { return uint64_t{1} << n; }

// Bits hi..lo of word, shifted down to bit 0. 0 <= lo <= hi <= 63.
[[nodiscard]] constexpr uint64_t bits(uint64_t word, unsigned hi, unsigned lo) {
    return (word >> lo) & (~uint64_t{0} >> (63 - (hi - lo)));
}

}  // namespace forkscope
