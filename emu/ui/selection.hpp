// Text of the guest's screen that the person marked.
#pragma once

#include <string>

#include "emu/screen/vga_text.hpp"

namespace forkscope::ui {

struct CellPlace {
    unsigned column = 0, row = 0;
    bool operator==(const CellPlace&) const = default;
};

// From one cell to another, both in it, in the order of reading.
struct Selection {
    CellPlace from, to;
    bool operator==(const Selection&) const = default;
};

// As text with a line for each row, the blanks at their ends left out; the last has no line end. What lies
// outside the screen is left out.
[[nodiscard]] std::string text_of(const screen::TextScreen& screen, const Selection& selection);
// The same screen with the colours of the marked cells exchanged.
[[nodiscard]] screen::TextScreen marked(screen::TextScreen screen, const Selection& selection);

}  // namespace forkscope::ui
