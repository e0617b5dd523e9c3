// Virtual terminals: /dev/tty1 to /dev/tty4 on the screen and keyboard of a PC. Alt-F1 to Alt-F4 choose the
// one that is shown, Shift-PageUp and Shift-PageDown look at what has left its top.
#pragma once

#include <stddef.h>

namespace guest {

struct tty_struct;

// Finds the VGA and the keyboard, and makes them terminals. Does nothing where there is no VGA.
void vt_init();

// Whether terminal 1 is to be /dev/console: console=tty0 on the command line. Before vt_init().
void vt_want_console(bool wanted);

// What /dev/tty0 is: the terminal that is shown, or null.
[[nodiscard]] tty_struct* vt_shown();

}  // namespace guest
