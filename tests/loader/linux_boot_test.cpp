// Linux images into RAM, and what boot_params tells them (Linux, Documentation/arch/x86/boot.rst).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emu/loader/load_kernel.hpp"
#include "emu/loader/memory_map.hpp"
#include "tests/loader/kernel_builder.hpp"

namespace forkscope::loader {
namespace {

using testing::HasSubstr;

class LinuxBootTest : public testing::Test {
protected:
    std::string error(const Image& kernel, const LoadOptions& options = {}) {
        const auto plan = load_kernel(kernel, ram, options);
        if (plan) return "loaded " + plan->description();
        EXPECT_EQ(plan.error().message.find('\n'), std::string::npos);
        return plan.error().message;
    }
    template <typename T>
    T param(uint64_t offset) {
        return ram.read<T>(kStartInfo + offset);
    }

    mem::GuestRam ram = std::move(*mem::GuestRam::create(16 * kMiB));
};

TEST_F(LinuxBootTest, BzImageStartsInLongMode) {
    const auto plan =
        load_kernel(linux_image(), ram, {.command_line = "console=ttyS0", .rsdp = PhysAddr(0xf0000)});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->description(), "Linux bzImage, entry 0x400200 in 64-bit mode");
    EXPECT_EQ(plan->registers.rip, 0x400200u);
    EXPECT_EQ(plan->registers.rsi, kStartInfo.raw());
    EXPECT_NE(plan->registers.cr3, PhysAddr());
    EXPECT_EQ(ram.read<uint8_t>(PhysAddr(0x400000)), 0xcc);
    EXPECT_EQ(ram.read<uint8_t>(PhysAddr(0x4003ff)), 0xcc);
    EXPECT_EQ(ram.read<uint8_t>(PhysAddr(0x400400)), 0);
    EXPECT_EQ(param<uint32_t>(0x202), 0x53726448u);  // the header is the file's
    EXPECT_EQ(param<uint32_t>(0x260), 0x8000u);
    EXPECT_EQ(param<uint8_t>(0x210), 0xff);
    EXPECT_EQ(param<uint32_t>(0x214), 0x400000u);
    EXPECT_EQ(param<uint32_t>(0x228), kCommandLine.raw());
    EXPECT_STREQ(reinterpret_cast<const char*>(ram.at(kCommandLine, 20)), "console=ttyS0");
    EXPECT_EQ(param<uint64_t>(0x70), 0xf0000u);
    EXPECT_EQ(param<uint32_t>(0x218), 0u);  // no initrd
    EXPECT_EQ(param<uint8_t>(0x0f), 1);     // a VGA
    EXPECT_EQ(param<uint8_t>(0x1ef), 0);    // sentinel: "this was filled by a boot loader"
}

TEST_F(LinuxBootTest, MemoryMapIsE820) {
    ASSERT_TRUE(load_kernel(linux_image(), ram, {}));
    const std::vector<MemoryRange> map = build_memory_map(ram);
    ASSERT_EQ(param<uint8_t>(0x1e8), map.size());
    for (size_t i = 0; i < map.size(); ++i) {
        EXPECT_EQ(param<uint64_t>(0x2d0 + 20 * i), map[i].base.raw());
        EXPECT_EQ(param<uint64_t>(0x2d8 + 20 * i), map[i].size);
        EXPECT_EQ(param<uint32_t>(0x2e0 + 20 * i), static_cast<uint32_t>(map[i].type));
    }
}

TEST_F(LinuxBootTest, FramebufferIsAtTheEndOfRamAndReserved) {
    const Image initrd{"i.cpio", std::vector<uint8_t>(5000, 0x5a)};
    const auto plan =
        load_kernel(linux_image(), ram, {.initrd = &initrd, .framebuffer = FramebufferSize{640, 480}});
    ASSERT_TRUE(plan) << plan.error().message;
    constexpr uint64_t kBytes = 640 * 480 * 4, kBase = 16 * kMiB - kBytes;
    ASSERT_TRUE(plan->framebuffer.has_value());
    EXPECT_EQ(plan->framebuffer->base, PhysAddr(kBase));
    EXPECT_EQ(param<uint8_t>(0x0f), 0x70);  // a linear framebuffer
    EXPECT_EQ(param<uint16_t>(0x12), 640);
    EXPECT_EQ(param<uint16_t>(0x14), 480);
    EXPECT_EQ(param<uint16_t>(0x16), 32);
    EXPECT_EQ(param<uint32_t>(0x18), kBase);
    EXPECT_EQ(param<uint32_t>(0x1c), kBytes);
    EXPECT_EQ(param<uint16_t>(0x24), 2560);
    EXPECT_EQ(param<uint64_t>(0x26), 0x1808000808081008u);
    const uint64_t last = 0x2d0 + 20 * (param<uint8_t>(0x1e8) - 1u);
    EXPECT_EQ(param<uint64_t>(last), kBase);
    EXPECT_EQ(param<uint64_t>(last + 8), kBytes);
    EXPECT_EQ(param<uint32_t>(last + 16), static_cast<uint32_t>(MemoryType::Reserved));
    EXPECT_EQ(param<uint64_t>(last - 20) + param<uint64_t>(last - 12), kBase);
    EXPECT_EQ(param<uint32_t>(0x218), kBase - 0x2000);  // the initrd is below it
}

TEST_F(LinuxBootTest, FramebufferThatCannotBe) {
    EXPECT_EQ(error(linux_image(), {.framebuffer = FramebufferSize{2048, 2048}}),
              "framebuffer: 0x1000000 bytes do not fit into 16 MiB of RAM");
    EXPECT_THAT(error({"k", multiboot_elf().build()}, {.framebuffer = FramebufferSize{}}),
                HasSubstr("k: a multiboot image"));
}

TEST_F(LinuxBootTest, InitrdIsBelowTheKernelsLimit) {
    const Image initrd{"i.cpio", std::vector<uint8_t>(5000, 0x5a)};
    ASSERT_TRUE(load_kernel(linux_image(), ram, {.initrd = &initrd}));
    EXPECT_EQ(param<uint32_t>(0x218), 16 * kMiB - 0x2000);
    EXPECT_EQ(param<uint32_t>(0x21c), 5000u);
    EXPECT_EQ(ram.read<uint8_t>(PhysAddr(16 * kMiB - 0x2000)), 0x5a);
    Image low = linux_image();
    set_field<uint32_t>(low, 0x22c, 0x7fffff);
    ASSERT_TRUE(load_kernel(low, ram, {.initrd = &initrd}));
    EXPECT_EQ(param<uint32_t>(0x218), 8 * kMiB - 0x2000);
}

TEST_F(LinuxBootTest, RelocatableKernelGoesWhereThereIsRoom) {
    Image image = linux_image();
    set_field<uint64_t>(image, 0x258, 64 * kMiB);
    const auto plan = load_kernel(image, ram, {});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->registers.rip, 0x200200u);
    EXPECT_EQ(param<uint32_t>(0x214), 0x200000u);
    set_field<uint8_t>(image, 0x234, 0);
    EXPECT_THAT(error(image), HasSubstr("bzImage: the kernel: 0x8000 bytes at physical address 0x4000000"));
    image = linux_image();
    set_field<uint32_t>(image, 0x260, 32 * kMiB);
    EXPECT_THAT(error(image), HasSubstr("expected at least 34 MiB of RAM"));
}

TEST_F(LinuxBootTest, KernelOf32BitsStartsInProtectedMode) {
    Image image = linux_image();
    set_field<uint16_t>(image, 0x236, 4);
    const auto plan = load_kernel(image, ram, {});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->mode, EntryMode::Protected32);
    EXPECT_EQ(plan->registers.rip, 0x400000u);
    EXPECT_EQ(plan->registers.rsi, kStartInfo.raw());
}

TEST_F(LinuxBootTest, BadHeadersAreNamed) {
    const auto with = [](uint64_t offset, uint16_t value) {
        Image image = linux_image();
        set_field(image, offset, value);
        return image;
    };
    EXPECT_THAT(error(with(0x1fe, 0x1234)), HasSubstr("boot flag 0x1234 at offset 0x1fe; expected 0xaa55"));
    EXPECT_THAT(error(with(0x206, 0x0201)), HasSubstr("boot protocol 2.01 at offset 0x206; expected 2.02"));
    EXPECT_THAT(error(with(0x210, 0x0000)), HasSubstr("a zImage"));
    EXPECT_THAT(error(with(0x1f1, 0x00ff)), HasSubstr("inside its setup code of 0x20000 bytes"));
    EXPECT_THAT(error(linux_image(0)), HasSubstr("ends at offset 0x400, inside its setup code"));
    EXPECT_THAT(error(linux_image(), {.command_line = std::string(101, 'x')}),
                HasSubstr("a command line of 101 bytes; this kernel takes at most 100"));
    Image image = linux_image();
    set_field<uint64_t>(image, 0x258, ~uint64_t{0});
    set_field<uint8_t>(image, 0x234, 0);
    EXPECT_THAT(error(image), HasSubstr("past 4 GiB"));
    // Cut inside the header.
    image = linux_image();
    image.bytes.resize(0x208);
    EXPECT_THAT(error(image), HasSubstr("bzImage: "));
}

TEST_F(LinuxBootTest, VmlinuxByIts64BitEntry) {
    TestElf elf;
    elf.entry = 0x100020;
    std::vector<uint8_t> bytes(0x40, 0x90);
    for (const char c : std::string("Linux version 6.1")) bytes.push_back(static_cast<uint8_t>(c));
    elf.segments.push_back({0x100000, bytes, 0});
    const auto plan = load_kernel(elf.image(), ram, {.command_line = "quiet"});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->description(), "Linux vmlinux, entry 0x100020 in 64-bit mode");
    EXPECT_EQ(plan->registers.rsi, kStartInfo.raw());
    EXPECT_EQ(param<uint32_t>(0x202), 0x53726448u);
    EXPECT_EQ(param<uint16_t>(0x1fe), 0xaa55);
    // With a PVH entry it is started by that.
    elf.pvh_entry = 0x100030;
    EXPECT_EQ(load_kernel(elf.image(), ram, {})->kind, ImageKind::PvhElf64);
    elf.pvh_entry.reset();
    elf.is_64 = false;
    EXPECT_THAT(load_kernel(elf.image(), ram, {}).error().message, HasSubstr("a 32-bit vmlinux"));
}

}  // namespace
}  // namespace forkscope::loader
