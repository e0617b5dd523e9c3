// The screen of a VGA in text mode (IBM Personal System/2 Hardware Interface Technical Reference, "Video
// Subsystem"), of 80 columns and 25 rows as firmware leaves it.
#pragma once

#include "guest/drivers/vt_screen.hpp"

namespace guest {

// False: there is none.
[[nodiscard]] bool vga_init();

// Only what changed is written. Not to be called before vga_init() is true.
void vga_put_row(unsigned row, const vt_screen::Cell* cells);
void vga_put_cursor(unsigned column, unsigned row);
void vga_hide_cursor();

}  // namespace guest
