// The reset control register of PC chipsets, which stands among the four ports of PCI's configuration
// address: an access of four bytes is PCI's, one of a byte at offset 1 is for this register. There is no PCI
// here, so that its address takes no write and reads all ones.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "emu/bus/port_bus.hpp"

namespace forkscope::devices {

class ResetControl final : public bus::PortDevice {
public:
    static constexpr uint32_t kPorts = 4;
    static constexpr uint16_t kOffset = 1;
    static constexpr uint8_t kReset = 4, kHard = 2;

    explicit ResetControl(std::function<void()> on_reset) : on_reset_(std::move(on_reset)) {}

    [[nodiscard]] bus::WidthSet widths() const override {
        return bus::width_set(bus::Width::Byte, bus::Width::Word, bus::Width::Dword);
    }
    [[nodiscard]] uint32_t read(const bus::PortAccess& access) override {
        return is_register(access) ? value_ : ~uint32_t{0};
    }
    void write(const bus::PortAccess& access, uint32_t value) override {
        if (!is_register(access)) return;
        value_ = static_cast<uint8_t>(value & kHard);
        if ((value & kReset) != 0) on_reset_();
    }

private:
    static bool is_register(const bus::PortAccess& access) {
        return access.offset == kOffset && access.width == bus::Width::Byte;
    }
    std::function<void()> on_reset_;
    uint8_t value_ = 0;
};

}  // namespace forkscope::devices
