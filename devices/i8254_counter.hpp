// One counter of an Intel 8254 programmable interval timer, as a function of clock pulses. Citations
// are to the 8254 data sheet.
#pragma once

#include <cstdint>
#include <limits>

namespace forkscope::devices {

class I8254Counter {
public:
    struct Regs {
        uint8_t control = 0x36;  // low 6 bits of the control word as written: access, mode, BCD
        bool gate = true;
        bool out = true;
        bool null_count = true;     // what was written is not in the counting element yet
        bool half_written = false;  // the low byte of a count came, in `low_byte`; its high byte did not
        uint8_t low_byte = 0;
        bool read_high = false;     // the next read of a two-byte count gives its high byte
        bool load_pending = false;  // the next pulse moves the count register into the counting element
        bool armed = false;         // modes 0, 1, 4, 5: reaching zero will act on OUT
        uint32_t reload = 0;        // count register, 1 to 65536; 0: none since the control word
        uint32_t loaded = 0;        // what the counting element was last loaded with; 0: nothing
        // The counting element. Mode 3: pulses left in this half of the square wave.
        uint32_t element = 0;
        bool count_latched = false;
        uint16_t count_latch = 0;
        bool status_latched = false;
        uint8_t status_latch = 0;
        bool operator==(const Regs&) const = default;
    };

    static constexpr uint64_t kNoEvent = std::numeric_limits<uint64_t>::max();

    // Lets this many clock pulses pass. Returns whether OUT rose at any of them.
    bool advance(uint64_t pulses);
    // Pulses until something happens by itself: OUT changes or a pending count is loaded.
    [[nodiscard]] uint64_t pulses_to_event() const;

    // value: a control word whose access bits are not 00 (that is a latch command).
    void write_control(uint8_t value);
    void write(uint8_t value);
    [[nodiscard]] uint8_t read();
    void latch_count();
    void latch_status();
    void set_gate(bool level);
    [[nodiscard]] bool out() const { return regs_.out; }

    [[nodiscard]] const Regs& regs() const { return regs_; }
    void restore(const Regs& regs) { regs_ = regs; }

private:
    [[nodiscard]] unsigned mode() const;
    [[nodiscard]] unsigned access() const { return (regs_.control >> 4) & 3; }
    [[nodiscard]] bool is_bcd() const { return (regs_.control & 1) != 0; }
    [[nodiscard]] uint32_t modulus() const { return is_bcd() ? 10000 : 65536; }
    // Whether the counting element stands still.
    [[nodiscard]] bool is_inhibited() const;
    [[nodiscard]] bool is_strobing() const { return mode() >= 4 && !regs_.out; }
    [[nodiscard]] uint32_t pulses_to_zero() const { return regs_.element == 0 ? modulus() : regs_.element; }
    // The count as a read shows it.
    [[nodiscard]] uint16_t count() const;

    void set_count(uint16_t written);
    void load();
    void start_half(bool out);
    // Each lets at least one of *pulses pass and returns whether OUT rose.
    bool step_once(uint64_t* pulses);
    bool step_rate_generator(uint64_t* pulses);
    bool step_square_wave(uint64_t* pulses);
    bool step_one_shot(uint64_t* pulses);

    Regs regs_;
};

}  // namespace forkscope::devices
