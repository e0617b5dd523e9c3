// A PS/2 keyboard of 101 keys, scan code set 2 (IBM Personal System/2 Hardware Interface Technical Reference,
// "Keyboards (101- and 102-Key)").
#pragma once

#include <cstdint>

#include "devices/i8042_queue.hpp"

namespace forkscope::devices {

enum class KeyMotion : uint8_t { Press, Release };

// A key by its set 2 code; keys that send the prefix E0 have it in the high byte, e.g. 0xe075 for "up".
using KeyCode = uint16_t;
// It sends eight bytes when it goes down, and none when it goes up.
inline constexpr KeyCode kPauseKey = 0xe177;

class Ps2Keyboard {
public:
    struct Regs {
        Ps2Queue queue;
        bool scanning = true;
        uint8_t leds = 0;     // bit 0 scroll lock, 1 num lock, 2 caps lock
        uint8_t command = 0;  // that waits for its argument
        uint8_t last = 0;     // byte sent, for "resend"
        bool operator==(const Regs&) const = default;
    };

    // A byte from the host.
    void command(uint8_t byte);
    // What a person does. False: the keyboard does not scan, or its buffer is full; the key is lost.
    bool key(KeyCode code, KeyMotion motion);

    [[nodiscard]] bool has_byte() const { return !regs_.queue.empty(); }
    uint8_t take() { return regs_.last = regs_.queue.pop(); }

    void reset() { regs_ = Regs{}; }
    [[nodiscard]] const Regs& regs() const { return regs_; }
    void restore(const Regs& regs) { regs_ = regs; }

private:
    void argument(uint8_t byte);
    Regs regs_;
};

}  // namespace forkscope::devices
