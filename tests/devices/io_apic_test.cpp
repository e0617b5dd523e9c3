// The I/O APIC: what a line becomes on the bus.
#include "devices/io_apic.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace forkscope::devices {
namespace {

class IoApicTest : public testing::Test, public bus::ApicReceiver {
protected:
    IoApicTest() { chip.connect(*this); }
    void receive(const bus::ApicMessage& message) override { messages.push_back(message); }
    uint32_t read(uint8_t index) {
        chip.write({0, bus::Width::Dword, 0}, index);
        return static_cast<uint32_t>(chip.read({0x10, bus::Width::Dword, 0}));
    }
    void write(uint8_t index, uint32_t value) {
        chip.write({0, bus::Width::Dword, 0}, index);
        chip.write({0x10, bus::Width::Dword, 0}, value);
    }
    void redirect(unsigned input, uint32_t low, uint32_t high = 0) {
        write(static_cast<uint8_t>(0x11 + 2 * input), high);
        write(static_cast<uint8_t>(0x10 + 2 * input), low);
    }

    IoApic chip;
    std::vector<bus::ApicMessage> messages;
};

constexpr uint32_t kLevel = 1u << 15, kMasked = 1u << 16, kRemoteIrr = 1u << 14;

TEST_F(IoApicTest, Identity) {
    EXPECT_EQ(read(1), 0x170020u);
    write(0, 5u << 24);
    EXPECT_EQ(read(0), 5u << 24);
    EXPECT_EQ(read(0x10), kMasked);
    EXPECT_EQ(read(0x3f), 0u);
    EXPECT_EQ(read(0x40), 0u);  // past the last entry
}

TEST_F(IoApicTest, EdgeSendsOnceARise) {
    redirect(4, 0x0930, 0x05000000);  // lowest priority, logical, to 5
    chip.set_input(4, true);
    ASSERT_EQ(messages.size(), 1u);
    EXPECT_EQ(messages[0].vector, 0x30);
    EXPECT_EQ(messages[0].destination, 5);
    EXPECT_EQ(messages[0].destination_mode, bus::DestinationMode::Logical);
    EXPECT_EQ(messages[0].delivery, bus::DeliveryMode::LowestPriority);
    EXPECT_EQ(messages[0].trigger, bus::TriggerMode::Edge);
    chip.set_input(4, false);
    chip.set_input(4, true);
    EXPECT_EQ(messages.size(), 2u);
}

TEST_F(IoApicTest, EdgeWhileMaskedIsLost) {
    chip.set_input(4, true);
    redirect(4, 0x30);
    EXPECT_TRUE(messages.empty());
}

TEST_F(IoApicTest, LevelSendsAgainAfterItsEnd) {
    redirect(9, kLevel | 0x39);
    chip.set_input(9, true);
    EXPECT_EQ(messages.size(), 1u);
    EXPECT_EQ(read(0x10 + 18), kLevel | kRemoteIrr | 0x39);
    chip.set_input(9, false);
    chip.set_input(9, true);
    EXPECT_EQ(messages.size(), 1u);
    chip.end_of_interrupt(0x39);
    EXPECT_EQ(messages.size(), 2u);
    chip.set_input(9, false);
    chip.write({0x40, bus::Width::Dword, 0}, 0x39);  // the EOI register
    EXPECT_EQ(messages.size(), 2u);
    EXPECT_EQ(read(0x10 + 18), kLevel | 0x39);
}

TEST_F(IoApicTest, LevelIsSentWhenUnmasked) {
    redirect(9, kLevel | kMasked | 0x39);
    chip.set_input(9, true);
    EXPECT_TRUE(messages.empty());
    redirect(9, kLevel | 0x39);
    EXPECT_EQ(messages.size(), 1u);
}

TEST_F(IoApicTest, ReadOnlyBitsStay) {
    redirect(9, 0xffffffff, 0xffffffff);
    EXPECT_EQ(read(0x10 + 18), 0x1afffu);
    EXPECT_EQ(read(0x11 + 18), 0xff000000u);
    chip.set_input(40, true);  // no such input
    EXPECT_EQ(chip.regs().lines, 0u);
}

}  // namespace
}  // namespace forkscope::devices
