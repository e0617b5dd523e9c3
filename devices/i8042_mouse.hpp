// A PS/2 mouse of three buttons and, once it was asked in the way that drivers know, a wheel (IBM Personal
// System/2 Mouse Technical Reference; the wheel: Microsoft, "Intellimouse" extension).
#pragma once

#include <cstdint>

#include "devices/i8042_queue.hpp"

namespace forkscope::devices {

class Ps2Mouse {
public:
    struct Motion {
        int dx = 0, dy = 0;   // right and up are positive
        int wheel = 0;        // towards the person is positive
        uint8_t buttons = 0;  // bit 0 left, 1 right, 2 middle
    };
    struct Regs {
        Ps2Queue queue;
        bool reporting = false, remote = false, wrap = false;
        bool scaling2 = false, has_wheel = false;
        uint8_t rate = 100, resolution = 2, buttons = 0;
        uint8_t command = 0;        // that waits for its argument
        uint8_t rates[2] = {0, 0};  // the last two set
        bool operator==(const Regs&) const = default;
    };

    void command(uint8_t byte);
    // False: nobody listens, or the buffer is full; the motion is lost.
    bool move(const Motion& motion);

    [[nodiscard]] bool has_byte() const { return !regs_.queue.empty(); }
    uint8_t take() { return regs_.queue.pop(); }

    void reset() { regs_ = Regs{}; }
    [[nodiscard]] const Regs& regs() const { return regs_; }
    void restore(const Regs& regs) { regs_ = regs; }

private:
    void argument(uint8_t byte);
    bool send_packet(const Motion& motion);
    Regs regs_;
};

}  // namespace forkscope::devices
