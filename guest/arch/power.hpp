// Stopping the machine.
#pragma once

#include <stdint.h>

namespace guest {

// With an exit status, 0..255: told to the event port, then to isa-debug-exit, then to ACPI; halts if none is
// there.
[[noreturn]] void machine_power_off(uint8_t status);
// By the keyboard controller, then by a triple fault.
[[noreturn]] void machine_restart();

}  // namespace guest
