// A linear framebuffer: pixels of 32 bits (blue, green, red, nothing; the lowest byte first) in RAM that the
// memory map keeps from the guest, row by row from the top.
#pragma once

#include <cstdint>

#include "emu/base/address.hpp"
#include "emu/base/units.hpp"

namespace forkscope::loader {

struct FramebufferSize {
    uint16_t width = 1024, height = 768;  // pixels
};

struct Framebuffer {
    static constexpr unsigned kPixelBytes = 4;

    PhysAddr base;
    FramebufferSize size;

    [[nodiscard]] uint32_t row_bytes() const { return uint32_t{size.width} * kPixelBytes; }
    [[nodiscard]] uint64_t bytes() const { return uint64_t{row_bytes()} * size.height; }
};

}  // namespace forkscope::loader
