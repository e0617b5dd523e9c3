// System control port A of a PS/2 (port 0x92): bit 0 resets, bit 1 is the A20 gate. The gate is kept, but
// address line 20 always passes.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "emu/bus/port_bus.hpp"

namespace forkscope::devices {

class SystemControl final : public bus::PortDevice {
public:
    explicit SystemControl(std::function<void()> on_reset) : on_reset_(std::move(on_reset)) {}

    [[nodiscard]] uint32_t read(const bus::PortAccess&) override { return value_; }
    void write(const bus::PortAccess&, uint32_t value) override {
        constexpr uint8_t kReset = 1, kA20 = 2;
        value_ = static_cast<uint8_t>(value & kA20);
        if ((value & kReset) != 0) on_reset_();
    }

private:
    std::function<void()> on_reset_;
    uint8_t value_ = 2;
};

}  // namespace forkscope::devices
