// What a VGA in text mode shows, from its registers and its memory (IBM Personal System/2 Hardware Interface
// Technical Reference, "Video Subsystem").
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "devices/vga.hpp"
#include "emu/screen/picture.hpp"

namespace forkscope::screen {

struct Cell {
    uint8_t code = ' ';                      // code page 437
    uint8_t foreground = 7, background = 0;  // of the palette
    bool blinks = false;
    bool operator==(const Cell&) const = default;
};

struct Cursor {
    unsigned column, row;
    unsigned first_line, last_line;  // of the cell, from its top
    bool operator==(const Cursor&) const = default;
};

struct TextScreen {
    unsigned columns = 0, rows = 0;
    unsigned cell_height = 0;  // lines
    bool nine_wide = false;    // a ninth column
    bool lines_join = false;   // line graphics fill it
    std::array<Rgb, 16> palette{};
    std::vector<Cell> cells;  // row by row
    std::optional<Cursor> cursor;
    bool operator==(const TextScreen&) const = default;
};

inline constexpr uint64_t kTextMemory = 0xb8000;  // physical address
inline constexpr size_t kTextMemoryBytes = 0x8000;

// Whether the registers ask for a text mode at kTextMemory; false while the screen is off.
[[nodiscard]] bool shows_text(const devices::Vga::Regs& vga);
// memory: kTextMemoryBytes at kTextMemory. For registers that show text; odd ones give what fits.
[[nodiscard]] TextScreen read_text(const devices::Vga::Regs& vga, std::span<const uint8_t> memory);

// Its characters as UTF-8, a line for each row, without the blanks at the ends of lines.
[[nodiscard]] std::string to_utf8(const TextScreen& screen);

enum class BlinkPhase : uint8_t { Shown, Hidden };
// With the font of roms/. Phase: of what blinks, and of the cursor.
[[nodiscard]] Picture draw(const TextScreen& screen, BlinkPhase phase);

}  // namespace forkscope::screen
