// Feeds arbitrary port traffic to all devices; any broken invariant is a crash.
#include <cstdio>
#include <cstdlib>

#include "tests/devices/port_storm.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    forkscope::devices::PortStorm storm;
    // From chips as a kernel sets them up, or as they come out of reset.
    if (size != 0 && (data[0] & 1) != 0) (void)storm.run(forkscope::devices::PortStorm::prologue());
    if (const char* broken = storm.run({data, size})) {
        std::fprintf(stderr, "broken invariant: %s\n", broken);
        std::abort();
    }
    return 0;
}
