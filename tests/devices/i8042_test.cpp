// The keyboard controller, its keyboard and its mouse, as drivers talk to them.
#include "devices/i8042.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/devices/bench.hpp"

namespace forkscope::devices {
namespace {

class I8042Test : public testing::Test {
protected:
    void command(unsigned value) { out(chip.command(), 0, value); }
    void data(unsigned value) { out(chip.data(), 0, value); }
    uint8_t status() { return in(chip.command(), 0); }
    // Every byte that waits.
    std::vector<uint8_t> drain() {
        std::vector<uint8_t> bytes;
        while ((status() & 1) != 0) bytes.push_back(in(chip.data(), 0));
        return bytes;
    }
    void to_mouse(unsigned value) {
        command(0xd4);
        data(value);
    }
    void set_config(unsigned value) {
        command(0x60);
        data(value);
    }

    using Bytes = std::vector<uint8_t>;
    Bench bench;
    bus::IrqLine keyboard_irq, mouse_irq;
    unsigned resets = 0;
    bool gate = true;
    I8042 chip{keyboard_irq, mouse_irq, [this] { ++resets; }, [this](bool open) { gate = open; }};
};

TEST_F(I8042Test, SelfTestsAndConfiguration) {
    command(0xaa);
    EXPECT_EQ(drain(), Bytes{0x55});
    command(0xab);
    EXPECT_EQ(drain(), Bytes{0});
    command(0xa9);
    EXPECT_EQ(drain(), Bytes{0});
    set_config(0x45);
    command(0x20);
    EXPECT_EQ(drain(), Bytes{0x45});
    command(0xa7);
    command(0xad);
    command(0x20);
    EXPECT_EQ(drain(), Bytes{0x75});
    command(0xd0);
    EXPECT_EQ(drain(), Bytes{3});
    EXPECT_EQ(status() & 0x14, 0x14);
}

TEST_F(I8042Test, TheGateOfAddressLine20) {
    command(0xd1);
    data(0xdd);
    EXPECT_FALSE(gate);
    command(0xdf);
    EXPECT_TRUE(gate);
    command(0xdd);
    EXPECT_FALSE(gate);
    // Moved elsewhere, it shows in the output port.
    chip.set_gate(true);
    command(0xd0);
    EXPECT_EQ(drain()[0] & 2, 2);
    chip.set_gate(false);
    command(0xd0);
    EXPECT_EQ(drain()[0] & 2, 0);
    EXPECT_EQ(resets, 0u);
}

TEST_F(I8042Test, KeysAreTranslatedToSet1) {
    EXPECT_TRUE(chip.key(0x1c, KeyMotion::Press));  // A
    EXPECT_TRUE(keyboard_irq.level());
    EXPECT_TRUE(chip.key(0x1c, KeyMotion::Release));
    EXPECT_TRUE(chip.key(0xe075, KeyMotion::Press));  // up
    EXPECT_TRUE(chip.key(0xe075, KeyMotion::Release));
    EXPECT_EQ(drain(), (Bytes{0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8}));
    EXPECT_FALSE(keyboard_irq.level());
    set_config(0x21);  // no translation
    EXPECT_TRUE(chip.key(0x1c, KeyMotion::Press));
    EXPECT_TRUE(chip.key(0x1c, KeyMotion::Release));
    EXPECT_EQ(drain(), (Bytes{0x1c, 0xf0, 0x1c}));
}

TEST_F(I8042Test, EachByteIsAnEdge) {
    LineWatch watch(bench, keyboard_irq);
    chip.key(0x1c, KeyMotion::Press);
    chip.key(0x1c, KeyMotion::Release);
    EXPECT_EQ(watch.rises.size(), 1u);
    static_cast<void>(in(chip.data(), 0));
    EXPECT_EQ(watch.rises.size(), 2u);
    static_cast<void>(in(chip.data(), 0));
    EXPECT_EQ(watch.rises.size(), 2u);
    EXPECT_EQ(watch.falls.size(), 2u);
}

TEST_F(I8042Test, KeyboardCommands) {
    data(0xff);
    EXPECT_EQ(drain(), (Bytes{0xfa, 0xaa}));
    data(0xf2);
    EXPECT_EQ(drain(), (Bytes{0xfa, 0xab, 0x41}));  // 0x83 translated
    data(0xed);
    EXPECT_EQ(drain(), Bytes{0xfa});
    data(0x05);
    EXPECT_EQ(drain(), Bytes{0xfa});
    EXPECT_EQ(chip.regs().keyboard.leds, 5);
    data(0xee);
    EXPECT_EQ(drain(), Bytes{0xee});
    data(0xf0);
    data(0x00);
    EXPECT_EQ(drain(), (Bytes{0xfa, 0xfa, 0x41}));  // set 2, translated
    data(0xf5);
    EXPECT_EQ(drain(), Bytes{0xfa});
    EXPECT_FALSE(chip.key(0x1c, KeyMotion::Press));
    data(0xf4);
    EXPECT_EQ(drain(), Bytes{0xfa});
    data(0x01);
    EXPECT_EQ(drain(), Bytes{0xfe});
    data(0xfe);
    EXPECT_EQ(drain(), Bytes{0xfe});
}

TEST_F(I8042Test, FullKeyboardLosesWholeKeys) {
    unsigned taken = 0;
    for (unsigned i = 0; i < 40; ++i) taken += chip.key(0xe075, KeyMotion::Release) ? 1 : 0;
    EXPECT_LT(taken, 40u);
    const Bytes bytes = drain();
    EXPECT_EQ(bytes.size(), 2 * taken);
    EXPECT_EQ(bytes.back(), 0xc8);
}

TEST_F(I8042Test, MouseReportsMotionOnceEnabled) {
    set_config(0x43);
    EXPECT_FALSE(chip.move_mouse({.dx = 1}));
    to_mouse(0xf4);
    EXPECT_TRUE(mouse_irq.level());
    EXPECT_EQ(status() & 0x21, 0x21);
    EXPECT_EQ(drain(), Bytes{0xfa});
    EXPECT_TRUE(chip.move_mouse({.dx = -3, .dy = 5, .buttons = 1}));
    EXPECT_EQ(drain(), (Bytes{0x19, 0xfd, 5}));
    EXPECT_TRUE(chip.move_mouse({.dx = 1000, .dy = -1000}));
    EXPECT_EQ(drain(), (Bytes{0x28, 0xff, 0}));
    to_mouse(0xe9);
    EXPECT_EQ(drain(), (Bytes{0xfa, 0x20, 2, 100}));
}

TEST_F(I8042Test, WheelByItsKnock) {
    set_config(0x43);
    to_mouse(0xf2);
    EXPECT_EQ(drain(), (Bytes{0xfa, 0}));
    for (const unsigned rate : {200u, 100u, 80u}) {
        to_mouse(0xf3);
        to_mouse(rate);
    }
    drain();
    to_mouse(0xf2);
    EXPECT_EQ(drain(), (Bytes{0xfa, 3}));
    to_mouse(0xf4);
    drain();
    chip.move_mouse({.wheel = -1});
    EXPECT_EQ(drain(), (Bytes{8, 0, 0, 0xff}));
    to_mouse(0xff);
    EXPECT_EQ(drain(), (Bytes{0xfa, 0xaa, 0}));
}

TEST_F(I8042Test, DisabledPortsHoldTheirBytes) {
    command(0xad);
    chip.key(0x1c, KeyMotion::Press);
    EXPECT_EQ(drain(), Bytes{});
    command(0xae);
    EXPECT_EQ(drain(), Bytes{0x1e});
}

TEST_F(I8042Test, ResetLine) {
    command(0xff);
    EXPECT_EQ(resets, 0u);
    command(0xfe);
    EXPECT_EQ(resets, 1u);
    command(0xd1);
    data(2);
    EXPECT_EQ(resets, 2u);
    command(0xd1);
    data(1);
    EXPECT_EQ(resets, 2u);
    command(0xd0);
    EXPECT_EQ(drain(), Bytes{1});
}

TEST_F(I8042Test, BytesForTheHostItself) {
    set_config(0x43);
    command(0xd2);
    data(0x77);
    EXPECT_TRUE(keyboard_irq.level());
    EXPECT_EQ(drain(), Bytes{0x77});
    command(0xd3);
    data(0x78);
    EXPECT_TRUE(mouse_irq.level());
    EXPECT_EQ(drain(), Bytes{0x78});
}

TEST_F(I8042Test, RestoreGoesOn) {
    chip.key(0xe075, KeyMotion::Press);
    const I8042::Regs saved = chip.regs();
    bus::IrqLine a, b;
    I8042 other(
        a, b, [] {}, [](bool) {});
    other.restore(saved);
    EXPECT_TRUE(a.level());
    EXPECT_EQ(in(other.data(), 0), 0xe0);
    EXPECT_EQ(in(other.data(), 0), 0x48);
}

}  // namespace
}  // namespace forkscope::devices
