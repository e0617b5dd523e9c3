// System control port A of a PS/2 (port 0x92): bit 0 resets, bit 1 is the A20 gate, which the keyboard
// controller moves as well: the last one that moved it counts.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "emu/bus/port_bus.hpp"

namespace forkscope::devices {

class SystemControl final : public bus::PortDevice {
public:
    // on_gate: the guest opens (true) or closes the A20 gate.
    SystemControl(std::function<void()> on_reset, std::function<void(bool)> on_gate)
        : on_reset_(std::move(on_reset)), on_gate_(std::move(on_gate)) {}

    // Somebody moved the gate.
    void set_gate(bool open) { value_ = open ? kA20 : 0; }

    [[nodiscard]] uint32_t read(const bus::PortAccess&) override { return value_; }
    void write(const bus::PortAccess&, uint32_t value) override {
        on_gate_((value & kA20) != 0);
        if ((value & kReset) != 0) on_reset_();
    }

private:
    static constexpr uint8_t kReset = 1, kA20 = 2;

    std::function<void()> on_reset_;
    std::function<void(bool)> on_gate_;
    uint8_t value_ = kA20;
};

}  // namespace forkscope::devices
