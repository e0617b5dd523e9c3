// Firmware: where it stands, and the state in which a processor starts.
#include "emu/loader/firmware.hpp"

#include <gtest/gtest.h>

namespace forkscope::loader {
namespace {

Image image(uint64_t size) {
    Image firmware{"bios.bin", std::vector<uint8_t>(size)};
    for (uint64_t i = 0; i < size; ++i) firmware.bytes[i] = static_cast<uint8_t>(i / kPageSize + 1);
    return firmware;
}

TEST(Firmware, ItsEndStandsBelowOneMegabyteToo) {
    mem::GuestRam ram = std::move(*mem::GuestRam::create(16 * kMiB));
    const auto plan = load_firmware(image(256 * kKiB), ram);
    ASSERT_TRUE(plan.has_value());
    EXPECT_EQ(plan->description(), "firmware, entry 0xfffffff0 in 16-bit mode");
    EXPECT_EQ(plan->registers.code_segment, 0xf000);
    EXPECT_EQ(plan->registers.code_base + plan->registers.rip, 0xfffffff0u);
    EXPECT_EQ(ram.read<uint8_t>(PhysAddr(0xfffff)), 64);
    EXPECT_EQ(ram.read<uint8_t>(PhysAddr(0xe0000)), 33);
    EXPECT_EQ(ram.read<uint8_t>(PhysAddr(0xdffff)), 0);
    const auto small = load_firmware(image(64 * kKiB), ram);
    ASSERT_TRUE(small.has_value());
    EXPECT_EQ(ram.read<uint8_t>(PhysAddr(0xf0000)), 1);
    EXPECT_EQ(small->placed[1].base, PhysAddr(0xffff0000));
}

TEST(Firmware, OtherSizesAreRefused) {
    mem::GuestRam ram = std::move(*mem::GuestRam::create(16 * kMiB));
    for (const uint64_t size : {uint64_t{0}, uint64_t{512}, 65 * kKiB, 17 * kMiB}) {
        const auto plan = load_firmware(image(size), ram);
        ASSERT_FALSE(plan.has_value()) << size;
        EXPECT_TRUE(plan.error().message.starts_with("bios.bin: ")) << plan.error().message;
    }
    EXPECT_EQ(ram.read<uint64_t>(PhysAddr(0xf0000)), 0u);
}

}  // namespace
}  // namespace forkscope::loader
