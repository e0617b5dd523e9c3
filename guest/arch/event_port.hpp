// Telling the host what the kernel does (abi/event_port.hpp). Silent when nobody listens.
#pragma once

#include <stdint.h>

#include "guest/abi/event_port.hpp"

namespace guest {

// Looks for a listener; before this nothing is announced.
void event_port_init();
// announce=off: nothing is announced at all, as by a kernel that knows no event port.
void event_port_stay_silent();
extern bool event_port_listens;

void announce_words(abi::Announcement what, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3);

inline void announce(abi::Announcement what, uint64_t w0 = 0, uint64_t w1 = 0, uint64_t w2 = 0,
                     uint64_t w3 = 0) {
    if (event_port_listens) [[unlikely]]
        announce_words(what, w0, w1, w2, w3);
}

}  // namespace guest
