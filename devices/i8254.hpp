// Intel 8254 programmable interval timer with what a PC wires to it: counter 0 to IRQ 0, counter 2 to
// the speaker, both seen and steered through system control port B. Exact in virtual time at
// 1,193,182 pulses a second.
#pragma once

#include <array>
#include <cstdint>

#include "devices/i8254_counter.hpp"
#include "emu/bus/clock.hpp"
#include "emu/bus/irq.hpp"
#include "emu/bus/port_bus.hpp"

namespace forkscope::devices {

// Four ports: offsets 0 to 2 are the counters, 3 takes control words and reads all ones.
class I8254 final : public bus::PortDevice {
public:
    static constexpr uint64_t kHz = 1'193'182;

    struct Regs {
        // The gates of counters 0 and 1 are tied high.
        std::array<I8254Counter::Regs, 3> counters{{{}, {}, {.gate = false}}};
        uint8_t port_b = 0;   // bits 3..0: gate of counter 2, speaker, two check enables without effect
        uint64_t pulses = 0;  // of the clock, since time 0, that the counters have seen
        bool operator==(const Regs&) const = default;
    };

    // irq: OUT of counter 0.
    I8254(bus::TimerQueue& timers, bus::IrqLine& irq);

    [[nodiscard]] uint32_t read(const bus::PortAccess& access) override;
    void write(const bus::PortAccess& access, uint32_t value) override;

    // One port. Reads: bits 3..0 as written, bit 4 changes with each refresh of a PC's memory (every 18
    // pulses), bit 5 is OUT of counter 2, bits 7 and 6 (NMI sources) are 0.
    [[nodiscard]] bus::PortDevice& port_b() { return port_b_; }

    void reset();
    // As of the last access or event.
    [[nodiscard]] Regs regs() const;
    void restore(const Regs& regs);

private:
    class PortB final : public bus::PortDevice {
    public:
        explicit PortB(I8254& pit) : pit_(pit) {}
        [[nodiscard]] uint32_t read(const bus::PortAccess& access) override;
        void write(const bus::PortAccess& access, uint32_t value) override;

    private:
        I8254& pit_;
    };

    void write_control(uint8_t value);
    // Lets the counters see the time and drives the line.
    void advance_to(VirtualNs now);
    // After anything that may have changed OUT or the next event of counter 0.
    void update();

    const bus::VirtualClock& clock_;
    bus::IrqLine& irq_;
    std::array<I8254Counter, 3> counters_;
    uint8_t port_b_bits_ = 0;
    uint64_t pulses_ = 0;
    PortB port_b_{*this};
    bus::Timer timer_;
};

}  // namespace forkscope::devices
