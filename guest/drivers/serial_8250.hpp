// The serial ports of a PC: 16550 and its ancestors.
#pragma once

namespace guest {

// Finds COM1, takes its interrupt, and makes it /dev/ttyS0 and /dev/console.
void serial_init();

}  // namespace guest
