// Multiboot images into RAM, and the information for them.
#include "emu/loader/multiboot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emu/loader/memory_map.hpp"
#include "tests/loader/kernel_builder.hpp"

namespace forkscope::loader {
namespace {

using testing::HasSubstr;

// Offsets in the information.
constexpr uint64_t kUpper = 8, kCmdline = 16, kModsCount = 20, kModsAddr = 24, kMapLength = 44, kMapAddr = 48;

class MultibootTest : public testing::Test {
protected:
    std::string error(const Image& kernel, const LoadOptions& options = {}) {
        const auto plan = load_kernel(kernel, ram, options);
        if (plan) return "loaded " + plan->description();
        EXPECT_EQ(plan.error().message.find('\n'), std::string::npos);
        return plan.error().message;
    }
    uint32_t word(uint64_t address) { return ram.read<uint32_t>(PhysAddr(address)); }
    std::string string_at(uint64_t address) {
        std::string text;
        while (const auto c = ram.read<char>(PhysAddr(address++))) text += c;
        return text;
    }
    static Image kludge(uint32_t load_end, uint32_t bss_end, uint32_t header_addr = 0x200010) {
        Image image{"a.out", std::vector<uint8_t>(16, 0x11)};
        const std::vector<uint8_t> header =
            multiboot_header(0x10003, {header_addr, 0x200000, load_end, bss_end, 0x200040});
        image.bytes.insert(image.bytes.end(), header.begin(), header.end());
        image.bytes.resize(0x100, 0x22);
        return image;
    }

    mem::GuestRam ram = std::move(*mem::GuestRam::create(16 * kMiB));
};

TEST_F(MultibootTest, Elf32) {
    const auto plan = load_kernel(multiboot_elf().image(), ram, {.command_line = "a b"});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->description(), "multiboot image, entry 0x100040 in 32-bit mode");
    EXPECT_EQ(plan->registers.rax, 0x2badb002u);
    const uint64_t info = plan->registers.rbx;
    EXPECT_EQ(word(info), 1u | 4 | 8 | 64 | 512);
    EXPECT_EQ(word(info + 4), 0x9fc00u / 1024);
    EXPECT_EQ(word(info + kUpper), 15u * 1024);
    EXPECT_EQ(string_at(word(info + kCmdline)), "test.elf a b");
    EXPECT_EQ(string_at(word(info + 64)), "Forkscope");
    EXPECT_EQ(word(info + kModsCount), 0u);
}

TEST_F(MultibootTest, MemoryMap) {
    const auto plan = load_kernel(multiboot_elf().image(), ram, {});
    ASSERT_TRUE(plan);
    const uint64_t info = plan->registers.rbx;
    const std::vector<MemoryRange> map = build_memory_map(ram);
    ASSERT_EQ(word(info + kMapLength), map.size() * 24);
    uint64_t entry = word(info + kMapAddr);
    for (const MemoryRange& range : map) {
        EXPECT_EQ(word(entry), 20u);
        EXPECT_EQ(ram.read<uint64_t>(PhysAddr(entry + 4)), range.base.raw());
        EXPECT_EQ(ram.read<uint64_t>(PhysAddr(entry + 12)), range.size);
        EXPECT_EQ(word(entry + 20), static_cast<uint32_t>(range.type));
        entry += word(entry) + 4;
    }
    EXPECT_EQ(string_at(word(info + kCmdline)), "test.elf");
}

TEST_F(MultibootTest, ModulesFollowTheImage) {
    LoadOptions options;
    options.modules.push_back({{"one", std::vector<uint8_t>(5000, 0x31)}, "one -x"});
    options.modules.push_back({{"two", {0x32}}, "two"});
    const auto plan = load_kernel(multiboot_elf().image(), ram, options);
    ASSERT_TRUE(plan) << plan.error().message;
    const uint64_t info = plan->registers.rbx;
    ASSERT_EQ(word(info + kModsCount), 2u);
    const uint64_t first = word(info + kModsAddr), second = first + 16;
    EXPECT_EQ(word(first), 0x101000u);
    EXPECT_EQ(word(first + 4), 0x101000u + 5000);
    EXPECT_EQ(string_at(word(first + 8)), "one -x");
    EXPECT_EQ(word(second), 0x103000u);
    EXPECT_EQ(word(second + 4), 0x103001u);
    EXPECT_EQ(string_at(word(second + 8)), "two");
    EXPECT_EQ(ram.read<uint8_t>(PhysAddr(0x101000 + 4999)), 0x31);
    EXPECT_EQ(ram.read<uint8_t>(PhysAddr(0x103000)), 0x32);
}

TEST_F(MultibootTest, Elf64AndEntryByLinkedAddress) {
    TestElf elf = multiboot_elf();
    elf.is_64 = true;
    EXPECT_EQ(load_kernel(elf.image(), ram, {})->registers.rip, 0x100040u);
    // The builder links at vaddr = paddr; move the first segment's vaddr, as a higher-half kernel has it.
    Image high = elf.image();
    for (unsigned i = 0; i < 8; ++i)
        high.bytes[64 + 16 + i] = static_cast<uint8_t>(0xffff'ffff'8010'0000 >> (8 * i));
    for (unsigned i = 0; i < 8; ++i)
        high.bytes[24 + i] = static_cast<uint8_t>(0xffff'ffff'8010'0044 >> (8 * i));
    const auto plan = load_kernel(high, ram, {});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->registers.rip, 0x100044u);
}

TEST_F(MultibootTest, AddressesInTheHeader) {
    const auto plan = load_kernel(kludge(0x2000f0, 0x200200), ram, {});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->registers.rip, 0x200040u);
    EXPECT_EQ(ram.read<uint8_t>(PhysAddr(0x200000)), 0x11);
    EXPECT_EQ(ram.read<uint8_t>(PhysAddr(0x2000ef)), 0x22);
    EXPECT_EQ(ram.read<uint8_t>(PhysAddr(0x2000f0)), 0);
    const auto whole = load_kernel(kludge(0, 0), ram, {});
    ASSERT_TRUE(whole) << whole.error().message;
    EXPECT_EQ(ram.read<uint8_t>(PhysAddr(0x2000ff)), 0x22);
}

TEST_F(MultibootTest, BadAddressesAreNamed) {
    EXPECT_THAT(error(kludge(0x1fffff, 0)), HasSubstr("load_end_addr 0x1fffff is below load_addr 0x200000"));
    EXPECT_THAT(error(kludge(0x200101, 0)), HasSubstr("run past the file's end"));
    EXPECT_THAT(error(kludge(0, 0, 0x1ffff0)), HasSubstr("begins before the file"));
    EXPECT_THAT(error(kludge(0, 0, 0x200020)), HasSubstr("begins before the file"));
    EXPECT_THAT(error(kludge(0, 0xffff'ffff)), HasSubstr("are not all RAM"));
    EXPECT_THAT(error(kludge(0x200020, 0)), HasSubstr("entry 0x200040 is in none"));
}

TEST_F(MultibootTest, UnknownRequirementsAreRefused) {
    Image image{"k", multiboot_header(0x10)};
    image.bytes.resize(0x100);
    EXPECT_THAT(error(image), HasSubstr("k: multiboot header at offset 0x0 requires features 0x10"));
    // Without addresses it must be ELF.
    image.bytes = multiboot_header(3);
    EXPECT_THAT(error(image), HasSubstr("no ELF magic"));
    // A wrong checksum is no header.
    image.bytes[8] ^= 1;
    EXPECT_FALSE(is_multiboot(image));
    EXPECT_THAT(error(image), HasSubstr("expected a Linux bzImage, a multiboot image"));
}

TEST_F(MultibootTest, HeaderIsFoundInTheFirst8KiB) {
    std::vector<uint8_t> bytes(8192, 0);
    const std::vector<uint8_t> header = multiboot_header(3);
    std::copy(header.begin(), header.end(), bytes.end() - 12);
    EXPECT_EQ(find_multiboot_header(bytes)->offset, 8180u);
    bytes.insert(bytes.begin(), 4, 0);
    EXPECT_FALSE(find_multiboot_header(bytes));
}

TEST_F(MultibootTest, PvhIsPreferred) {
    TestElf elf = multiboot_elf();
    elf.pvh_entry = 0x100050;
    EXPECT_FALSE(is_multiboot(elf.image()));
    EXPECT_EQ(load_kernel(elf.image(), ram, {})->kind, ImageKind::PvhElf32);
}

TEST_F(MultibootTest, TooManyModules) {
    LoadOptions options;
    options.modules.assign(200, {{"m", {1}}, "m"});
    EXPECT_THAT(error(multiboot_elf().image(), options), HasSubstr("200 modules"));
    options.modules.assign(1, {{"huge", std::vector<uint8_t>(16 * kMiB, 1)}, "m"});
    EXPECT_THAT(error(multiboot_elf().image(), options),
                HasSubstr("huge: module 0: 0x1000000 bytes do not fit"));
}

}  // namespace
}  // namespace forkscope::loader
