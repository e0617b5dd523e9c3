// Keyboard controller of a PC with a PS/2 keyboard and mouse (Intel 8042 as IBM programmed it: IBM Personal
// System/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller").
#pragma once

#include <cstdint>
#include <functional>

#include "devices/i8042_keyboard.hpp"
#include "devices/i8042_mouse.hpp"
#include "emu/bus/irq.hpp"
#include "emu/bus/port_bus.hpp"

namespace forkscope::devices {

// Two ranges of one port: data() and command().
class I8042 {
public:
    struct Regs {
        uint8_t status = 0x1c;    // keyboard not locked, self test passed
        uint8_t config = 0x61;    // keyboard interrupt, translation; the mouse is off
        uint8_t output = 0;       // the byte that port 0x60 gives
        uint8_t output_port = 3;  // bit 0: not reset, bit 1: A20
        uint8_t command = 0;      // that waits for a byte at port 0x60
        uint8_t translated_release = 0;
        Ps2Keyboard::Regs keyboard;
        Ps2Mouse::Regs mouse;
        bool operator==(const Regs&) const = default;
    };

    // keyboard_irq: IRQ 1; mouse_irq: IRQ 12. on_reset: the guest pulsed the reset line. on_gate: it opens
    // (true) or closes the A20 gate.
    I8042(bus::IrqLine& keyboard_irq, bus::IrqLine& mouse_irq, std::function<void()> on_reset,
          std::function<void(bool)> on_gate);

    // Somebody else moved the A20 gate.
    void set_gate(bool open);

    [[nodiscard]] bus::PortDevice& data() { return data_; }
    [[nodiscard]] bus::PortDevice& command() { return command_; }

    // What a person does; false if it was lost (see the devices).
    bool key(KeyCode code, KeyMotion motion);
    bool move_mouse(const Ps2Mouse::Motion& motion);
    // The guest has taken all that the keyboard had to say.
    [[nodiscard]] bool keyboard_drained() const;
    [[nodiscard]] bool mouse_drained() const { return !mouse_.has_byte(); }
    // The guest has a driver for the mouse, and has switched it on.
    [[nodiscard]] bool listens_to_mouse() const;
    // How often the guest has read the status, ever.
    [[nodiscard]] uint64_t status_reads() const { return status_reads_; }

    void reset();
    [[nodiscard]] Regs regs() const;
    void restore(const Regs& regs);

private:
    class Data final : public bus::PortDevice {
    public:
        explicit Data(I8042& chip) : chip_(chip) {}
        [[nodiscard]] uint32_t read(const bus::PortAccess&) override { return chip_.read_data(); }
        void write(const bus::PortAccess&, uint32_t value) override {
            chip_.write_data(static_cast<uint8_t>(value));
        }

    private:
        I8042& chip_;
    };
    class Command final : public bus::PortDevice {
    public:
        explicit Command(I8042& chip) : chip_(chip) {}
        [[nodiscard]] uint32_t read(const bus::PortAccess&) override {
            ++chip_.status_reads_;
            return chip_.regs_.status;
        }
        void write(const bus::PortAccess&, uint32_t value) override {
            chip_.write_command(static_cast<uint8_t>(value));
        }

    private:
        I8042& chip_;
    };
    enum class Source : uint8_t { Keyboard, Mouse };

    [[nodiscard]] uint8_t read_data();
    void write_data(uint8_t value);
    void write_command(uint8_t value);
    void put(uint8_t byte, Source source);
    void write_output_port(uint8_t value);
    // Takes the next byte of a device if the last was read.
    void refill();
    void update_lines();

    bus::IrqLine& keyboard_irq_;
    bus::IrqLine& mouse_irq_;
    std::function<void()> on_reset_;
    std::function<void(bool)> on_gate_;
    Ps2Keyboard keyboard_;
    Ps2Mouse mouse_;
    Regs regs_;  // without the devices'
    uint64_t status_reads_ = 0;
    Data data_{*this};
    Command command_{*this};
};

}  // namespace forkscope::devices
