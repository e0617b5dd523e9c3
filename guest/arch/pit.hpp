// The programmable interval timer: its ports and its rate. Intel 8254 data sheet.
#pragma once

#include <stdint.h>

namespace guest {

inline constexpr uint64_t kPitHz = 1193182;
inline constexpr uint16_t kPitChannel0 = 0x40, kPitChannel2 = 0x42, kPitControl = 0x43;

}  // namespace guest
