// I/O APIC with 24 inputs (Intel 82093AA data sheet; version 20h with an EOI register).
#pragma once

#include <array>
#include <cstdint>

#include "emu/bus/apic_bus.hpp"
#include "emu/bus/irq.hpp"
#include "emu/bus/mmio_bus.hpp"

namespace forkscope::devices {

// Offset 0 selects a register, offset 10h is it, offset 40h takes the vector of an interrupt that ended.
class IoApic final : public bus::MmioDevice, public bus::IrqListener, public bus::EndOfInterruptListener {
public:
    static constexpr unsigned kInputs = 24;
    static constexpr uint64_t kBytes = 4096;

    struct Regs {
        uint8_t select = 0;
        uint8_t id = 0;
        uint32_t lines = 0;  // levels at the inputs
        std::array<uint64_t, kInputs> redirection{};
        bool operator==(const Regs&) const = default;
    };

    IoApic() { reset(); }

    // The receiver must outlive the chip. Until it is set, messages go nowhere.
    void connect(bus::ApicReceiver& receiver) { receiver_ = &receiver; }

    [[nodiscard]] bus::WidthSet widths() const override { return bus::width_set(bus::Width::Dword); }
    [[nodiscard]] uint64_t read(const bus::MmioAccess& access) override;
    void write(const bus::MmioAccess& access, uint64_t value) override;

    void set_input(unsigned input, bool level) override;
    void end_of_interrupt(uint8_t vector) override;

    // The levels at the inputs are the devices', and stay.
    void reset();
    [[nodiscard]] const Regs& regs() const { return regs_; }
    void restore(const Regs& regs) { regs_ = regs; }

private:
    [[nodiscard]] uint32_t read_register() const;
    void write_register(uint32_t value);
    void send(unsigned input);
    // Sends what a level-triggered input asks for, unless it was sent and has not ended.
    void send_if_level(unsigned input);

    bus::ApicReceiver* receiver_ = nullptr;
    Regs regs_;
};

}  // namespace forkscope::devices
