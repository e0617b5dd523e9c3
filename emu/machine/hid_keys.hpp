// Keys by their numbers on USB, which is what hosts speak in.
#pragma once

#include <cstdint>

#include "devices/i8042_keyboard.hpp"

namespace forkscope::machine {

// usage: of the keyboard page of the USB HID Usage Tables. 0: no key of a PC keyboard.
[[nodiscard]] devices::KeyCode key_code_of_usage(uint16_t usage);

}  // namespace forkscope::machine
