// The timer interrupt: at each tick, and between ticks whenever a timer is due.
#pragma once

#include <stdint.h>

namespace guest {

// PIT channel 0 from now on. `precise`: ktime_get is finer than the tick, so that the interrupt can come when
// it is wanted; else it comes at each tick alone.
enum class ClockEvents : bool { TickOnly, Precise };
void clock_event_init(ClockEvents events);
// A timer is due then (ns, CLOCK_MONOTONIC). Interrupts are off.
void clock_event_at(uint64_t ns);

}  // namespace guest
