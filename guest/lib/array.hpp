// A fixed array with its length in its type.
#pragma once

#include <stddef.h>

namespace guest {

// Also the only form in which lists may stand in a global array: GCC 12 fills a bare global array with zeros
// when its elements' initial value contains their own address, as that of an empty list does.
template <typename T, size_t N>
struct Array {
    T items[N];

    [[nodiscard]] static constexpr size_t size() { return N; }
    constexpr T& operator[](size_t i) { return items[i]; }
    constexpr const T& operator[](size_t i) const { return items[i]; }
    constexpr T* begin() { return items; }
    constexpr T* end() { return items + N; }
    constexpr const T* begin() const { return items; }
    constexpr const T* end() const { return items + N; }
};

}  // namespace guest
