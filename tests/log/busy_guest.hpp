// A long stream of events as a busy guest makes it: processes that compute, call the system, take
// timer interrupts, fork hundreds of entries and break copy-on-write. For measurements and for tests
// that want millions of events.
#pragma once

#include <cstdint>
#include <functional>

#include "emu/log/event.hpp"

namespace forkscope::test {

// Calls sink for `count` events or a few more. The same seed gives the same events.
void make_busy_stream(uint64_t count, uint64_t seed, const std::function<void(const log::Event&)>& sink);

}  // namespace forkscope::test
