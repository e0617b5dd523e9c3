// Events of a fork with its faults, end and audit, for fuzzers to begin with.
#pragma once

#include <vector>

#include "emu/log/event.hpp"
#include "tests/log/fake_guest.hpp"

namespace forkscope::test {

inline std::vector<log::Event> good_events() {
    FakeGuest guest;
    guest.touch_new_pages(kUserHeap, 4);
    const uint32_t child = guest.fork();
    guest.write(kUserHeap);
    guest.switch_to(child);
    guest.write(kUserHeap + 0x1000);
    guest.exit(0);
    guest.switch_to(1);
    guest.reap(child);
    guest.audit();
    // The kernel's pages fill most of it; what is interesting comes after them.
    const auto& events = guest.events();
    return {events.end() - 150, events.end()};
}

}  // namespace forkscope::test
