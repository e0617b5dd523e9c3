// Traffic to all ports and addresses of a whole machine, then code in any mode; see machine_storm.hpp.
#include <cstdio>
#include <cstdlib>

#include "tests/machine_parts/machine_storm.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const forkscope::machine::StormEnd end = forkscope::machine::machine_storm({data, size});
    if (!end.broken.empty()) {
        std::fprintf(stderr, "broken invariant: %s\n", end.broken.c_str());
        std::abort();
    }
    return 0;
}
