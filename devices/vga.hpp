// The registers of a VGA as text modes use them (IBM Personal System/2 Hardware Interface Technical
// Reference, "Video Subsystem"; the CRT controller is a 6845's descendant). What is on the screen is not kept
// here: the characters stand in the guest's memory at 0xb8000, and emu/screen reads them from there. Planes,
// and modes that need them, are not modelled.
#pragma once

#include <array>
#include <cstdint>

#include "emu/bus/clock.hpp"
#include "emu/bus/port_bus.hpp"

namespace forkscope::devices {

// The ports 0x3c0 to 0x3df.
class Vga final : public bus::PortDevice {
public:
    static constexpr uint32_t kPorts = 32;
    struct Colour {
        uint8_t red = 0, green = 0, blue = 0;  // six bits each
        bool operator==(const Colour&) const = default;
    };
    // As a BIOS leaves them in mode 3: 80 columns, 25 rows of 16 lines, 16 colours.
    struct Regs {
        uint8_t misc = 0x67;
        uint8_t sequencer_index = 0, graphics_index = 0, crtc_index = 0;
        uint8_t attribute_index = 0x20;  // bit 5: the palette is in use, the screen on
        bool attribute_data = false;     // the next write to 0x3c0 is data
        std::array<uint8_t, 5> sequencer = {0x03, 0x00, 0x03, 0x00, 0x02};
        std::array<uint8_t, 9> graphics = {0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x0f, 0xff};
        std::array<uint8_t, 25> crtc = {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00,
                                        0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x9c, 0x8e,
                                        0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff};
        std::array<uint8_t, 21> attribute = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a,
                                             0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00};
        uint8_t dac_mask = 0xff, dac_read = 0, dac_write = 0;
        uint8_t dac_component = 0;  // 0 red, 1 green, 2 blue
        bool dac_reading = false;
        std::array<Colour, 256> dac = default_dac();
        bool operator==(const Regs&) const = default;
    };

    explicit Vga(const bus::VirtualClock& clock) : clock_(clock) {}

    [[nodiscard]] uint32_t read(const bus::PortAccess& access) override;
    void write(const bus::PortAccess& access, uint32_t value) override;

    void reset() { regs_ = Regs{}; }
    [[nodiscard]] const Regs& regs() const { return regs_; }
    void restore(const Regs& regs) { regs_ = regs; }

private:
    [[nodiscard]] static std::array<Colour, 256> default_dac();
    [[nodiscard]] uint8_t status();
    void write_attribute(uint8_t value);
    void write_crtc(uint8_t value);
    [[nodiscard]] uint8_t read_dac();
    void write_dac(uint8_t value);

    const bus::VirtualClock& clock_;
    Regs regs_;
};

}  // namespace forkscope::devices
