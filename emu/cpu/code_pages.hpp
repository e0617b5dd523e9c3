// Which frames hold translated code. The engine notices a store to code only through the address that
// the code was fetched by, so stores to such frames must use the code view too (ram_views.hpp).
#pragma once

#include <cstdint>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/mem/guest_ram.hpp"

namespace forkscope::cpu {

class CodePages {
public:
    explicit CodePages(mem::GuestRam& ram)
        : base_(ram.at(PhysAddr(0), 1)), frames_(ram.size() >> kPageShift) {}

    // p: a host pointer into guest RAM, as GuestRam::at gives it.
    [[nodiscard]] bool is_code(const uint8_t* p) const { return frames_[index(p)].code; }

    // A page is handed out for fetching. True if stores may still reach it through plain RAM: the engine's
    // TLB must be flushed before the fetch.
    [[nodiscard]] bool fetched(const uint8_t* p, uint32_t epoch) {
        Frame& f = frames_[index(p)];
        const bool writable_elsewhere = !f.code && f.written == epoch;
        f.code = true;
        return writable_elsewhere;
    }

    // A page is handed out for writing through plain RAM.
    void written(const uint8_t* p, uint32_t epoch) { frames_[index(p)].written = epoch; }

private:
    struct Frame {
        uint32_t written = 0;  // epoch of the last grant of plain write access
        bool code = false;     // stays: a frame that held code may do so again
    };
    [[nodiscard]] size_t index(const uint8_t* p) const {
        return static_cast<size_t>(p - base_) >> kPageShift;
    }

    const uint8_t* base_;
    std::vector<Frame> frames_;
};

}  // namespace forkscope::cpu
