// A test bench for one chip: virtual time that the test moves, and port accesses.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "emu/bus/byte_sink.hpp"
#include "emu/bus/clock.hpp"
#include "emu/bus/irq.hpp"
#include "emu/bus/port_bus.hpp"

namespace forkscope::devices {

class Bench final : public bus::TimeSource {
public:
    Bench() { clock.set_source(*this); }
    [[nodiscard]] VirtualNs now() const override { return now_; }

    // Time moves on with every timer run exactly at its deadline.
    void run_until(VirtualNs end) {
        while (timers.next_deadline() <= end) {
            now_ = std::max(now_, timers.next_deadline());
            timers.run_due(now_);
        }
        now_ = std::max(now_, end);
    }
    void run_for(VirtualNs ns) { run_until(now_ + ns); }
    // Time moves on, timers do not: as in the middle of a block of the CPU.
    void skip_to(VirtualNs end) { now_ = end; }

    bus::VirtualClock clock;
    bus::TimerQueue timers{clock};

private:
    VirtualNs now_ = 0;
};

inline uint8_t in(bus::PortDevice& device, uint16_t offset) {
    return static_cast<uint8_t>(device.read({offset, bus::Width::Byte, 0}));
}

inline void out(bus::PortDevice& device, uint16_t offset, unsigned value) {
    device.write({offset, bus::Width::Byte, 0}, value & 0xff);
}

// Counts edges of a line and remembers when they came.
class LineWatch final : public bus::IrqListener {
public:
    LineWatch(Bench& bench, bus::IrqLine& line) : bench_(bench) {
        line.connect(*this, 0);
        rises.clear();  // a line that is high already has not risen
    }
    void set_input(unsigned, bool level) override { (level ? rises : falls).push_back(bench_.now()); }
    std::vector<VirtualNs> rises;
    std::vector<VirtualNs> falls;

private:
    Bench& bench_;
};

class StringSink final : public bus::ByteSink {
public:
    void put(uint8_t byte) override { text.push_back(static_cast<char>(byte)); }
    std::string text;
};

}  // namespace forkscope::devices
