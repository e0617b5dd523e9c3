// Timers that are read as files.
#pragma once

namespace guest {

// CLOCK_REALTIME was set: tells those that asked to hear of it.
void timerfd_clock_was_set();

}  // namespace guest
