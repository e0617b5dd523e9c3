// ACPI fixed hardware: power-management event and control registers and the PM timer (ACPI 6.4, 4.8
// "ACPI Register Model").
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "emu/bus/clock.hpp"
#include "emu/bus/irq.hpp"
#include "emu/bus/port_bus.hpp"

namespace forkscope::devices {

// Twelve ports: PM1a event block (status, enable) at 0, PM1a control at 4, PM timer at 8.
class AcpiPm final : public bus::PortDevice {
public:
    static constexpr uint32_t kPorts = 12;
    static constexpr uint16_t kEventOffset = 0, kControlOffset = 4, kTimerOffset = 8;
    static constexpr uint64_t kTimerHz = 3'579'545;
    // SLP_TYP of the soft-off state S5, for the DSDT.
    static constexpr uint8_t kSoftOff = 5;

    struct Regs {
        uint16_t status = 0, enable = 0;
        // SCI_EN: there is no system management mode, so ACPI is always on.
        uint16_t control = 1;
        bool operator==(const Regs&) const = default;
    };

    // sci: the interrupt of these events. on_power_off: SLP_EN was written with S5's type.
    AcpiPm(bus::TimerQueue& timers, bus::IrqLine& sci, std::function<void()> on_power_off);

    [[nodiscard]] bus::WidthSet widths() const override {
        return bus::width_set(bus::Width::Byte, bus::Width::Word, bus::Width::Dword);
    }
    [[nodiscard]] uint32_t read(const bus::PortAccess& access) override;
    void write(const bus::PortAccess& access, uint32_t value) override;

    // The power button was pressed.
    void press_power_button();

    void reset();
    [[nodiscard]] const Regs& regs() const { return regs_; }
    void restore(const Regs& regs);

private:
    [[nodiscard]] uint8_t read_byte(unsigned offset) const;
    void write_byte(unsigned offset, uint8_t value);
    void update();

    const bus::VirtualClock& clock_;
    bus::IrqLine& sci_;
    std::function<void()> on_power_off_;
    Regs regs_;
};

}  // namespace forkscope::devices
