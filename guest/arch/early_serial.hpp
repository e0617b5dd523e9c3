// COM1 by polling: the console of printk, before and beside the serial driver.
#pragma once

#include <stddef.h>

namespace guest {

void early_serial_init();
// A newline goes out as carriage return and newline.
void early_serial_write(const char* text, size_t bytes);

}  // namespace guest
