// Keys and the mouse of a window on their way into the keyboard controller.
#include "emu/cli/live_input.hpp"

#include <gtest/gtest.h>

#include <string>

namespace forkscope::cli {
namespace {

using ui::KeyInput;
using ui::MouseInput;
using ui::TextInput;

constexpr uint16_t kA = 0x04, kUp = 0x52, kLeftShift = 0xe1, kPause = 0x48;

class LiveInputTest : public ::testing::Test {
protected:
    // All that the guest reads, as set 1 codes, while the input is fed.
    std::vector<unsigned> read_all() {
        std::vector<unsigned> bytes;
        const bus::PortAccess access{};
        while (true) {
            input.feed(chip);
            if ((chip.command().read(access) & 1) == 0) break;
            while ((chip.command().read(access) & 1) != 0) bytes.push_back(chip.data().read(access));
        }
        return bytes;
    }
    void command_mouse(uint8_t byte) {
        const bus::PortAccess access{};
        chip.command().write(access, 0xd4);
        chip.data().write(access, byte);
        while ((chip.command().read(access) & 1) != 0) static_cast<void>(chip.data().read(access));
    }

    bus::IrqLine keyboard_irq, mouse_irq;
    devices::I8042 chip{keyboard_irq, mouse_irq, [] {}, [](bool) {}};
    LiveInput input;
};

TEST_F(LiveInputTest, KeysGoByTheirUsage) {
    input.add(KeyInput{kA, true});
    input.add(KeyInput{kA, false});
    input.add(KeyInput{kUp, true});
    input.add(KeyInput{kPause, true});
    input.add(KeyInput{kPause, false});
    input.add(KeyInput{0x3, true});
    input.add(KeyInput{0xffff, true});
    EXPECT_EQ((std::vector<unsigned>{0x1e, 0x9e, 0xe0, 0x48, 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5}),
              read_all());
    EXPECT_TRUE(input.empty());
}

TEST_F(LiveInputTest, TextBringsItsOwnShift) {
    input.add(KeyInput{kLeftShift, true});
    input.add(TextInput{"/A\n"});
    input.add(KeyInput{kLeftShift, false});
    EXPECT_EQ((std::vector<unsigned>{0x2a, 0xaa, 0x35, 0xb5, 0x2a, 0x1e, 0x9e, 0xaa, 0x1c, 0x9c, 0x2a, 0xaa}),
              read_all());
}

TEST_F(LiveInputTest, LongTextLosesNothing) {
    input.add(TextInput{std::string(1000, 'a') + "\xc3\xa4"});
    EXPECT_EQ(2000u, read_all().size());
}

TEST_F(LiveInputTest, WaitsUntilTheGuestHasTakenAKey) {
    input.add(TextInput{"ab"});
    input.feed(chip);
    input.feed(chip);
    EXPECT_FALSE(input.empty());
    EXPECT_FALSE(chip.keyboard_drained());
}

TEST_F(LiveInputTest, MotionsWithTheSameButtonsAreOnePacket) {
    EXPECT_FALSE(chip.listens_to_mouse());
    chip.command().write({}, 0xa8);
    command_mouse(0xf4);
    EXPECT_TRUE(chip.listens_to_mouse());
    input.add(MouseInput{3, -1, 0, 0});
    input.add(MouseInput{2, 5, 0, 0});
    input.add(MouseInput{0, 0, 0, 1});
    EXPECT_EQ((std::vector<unsigned>{8, 5, 4, 9, 0, 0}), read_all());
}

}  // namespace
}  // namespace forkscope::cli
