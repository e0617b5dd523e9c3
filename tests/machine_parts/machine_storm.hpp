// A whole machine driven by a script of bytes: accesses to every port and device address, keys, then code in
// any mode. Whatever the script is, the machine comes to a stop that a guest can bring about.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace forkscope::machine {

// What a run left behind; two runs of one script leave the same.
struct StormEnd {
    std::string broken;  // empty: every invariant held
    int reason = 0;
    uint64_t instructions = 0;
    uint64_t ram_hash = 0;
    bool operator==(const StormEnd&) const = default;
};

[[nodiscard]] StormEnd machine_storm(std::span<const uint8_t> script);

}  // namespace forkscope::machine
