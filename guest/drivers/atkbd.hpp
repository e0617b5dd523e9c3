// The keyboard of a PC, behind its controller.
#pragma once

#include <stdint.h>

#include "guest/drivers/keymap.hpp"

namespace guest {

// Finds the controller, switches the keyboard on and takes its interrupt. scan: gets each byte, with
// interrupts off.
void atkbd_init(void (*scan)(uint8_t code));

}  // namespace guest
