// Data breakpoints: what DR0 to DR3 watch for reads and writes (Intel SDM vol. 3, 18.2 "Debug Registers").
// The engine knows breakpoints of execution alone. A page with a watched byte is withheld from it; the
// instruction that asks is stepped (cpu.cpp), and its accesses are compared with the registers.
#pragma once

#include <array>
#include <cstdint>

#include "emu/cpu/live_state.hpp"

namespace forkscope::cpu {

class DataWatch {
public:
    // After DR0 to DR3 or DR7 changed.
    void update(const LiveState& state);

    [[nodiscard]] bool armed() const { return count_ != 0; }
    // Whether some access of that kind to the page could be watched.
    [[nodiscard]] bool covers(uint64_t page, bool write) const;
    // The bits of DR6 for an access.
    [[nodiscard]] uint64_t hits(uint64_t linear, unsigned bytes, bool write) const;

private:
    struct Range {
        uint64_t first;
        unsigned bytes;
        bool reads;  // too
        uint64_t bit;
    };
    std::array<Range, 4> ranges_{};
    size_t count_ = 0;
};

}  // namespace forkscope::cpu
