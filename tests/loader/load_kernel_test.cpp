// Kernels of each kind into RAM, and what the kernel is told.
#include "emu/loader/load_kernel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

#include "emu/loader/memory_map.hpp"
#include "tests/loader/elf_builder.hpp"

namespace forkscope::loader {
namespace {

using testing::HasSubstr;
using testing::Not;

class LoadKernelTest : public testing::Test {
protected:
    mem::GuestRam& ram(uint64_t mib = 16) {
        if (!ram_) ram_.emplace(std::move(*mem::GuestRam::create(mib * kMiB)));
        return *ram_;
    }
    // The error of a load that must fail; it is one line with the file's name, and RAM is untouched.
    std::string error(const Image& kernel, const LoadOptions& options = {}) {
        const auto result = load_kernel(kernel, ram(), options);
        if (result) return "loaded " + result->description();
        EXPECT_EQ(result.error().status, ExitStatus::BadInput);
        EXPECT_THAT(result.error().message, Not(HasSubstr("\n")));
        EXPECT_TRUE(ram_is_zero());
        return result.error().message;
    }
    bool ram_is_zero() {
        const uint8_t* p = ram().at(PhysAddr(0), 2 * kMiB);
        return p[0] == 0 && std::memcmp(p, p + 1, 2 * kMiB - 1) == 0;
    }
    std::string string_at(uint64_t address) {
        std::string text;
        while (const auto c = ram().read<char>(PhysAddr(address++))) text += c;
        return text;
    }

private:
    std::optional<mem::GuestRam> ram_;
};

TEST_F(LoadKernelTest, PvhElf64) {
    TestElf elf = pvh_kernel(100);
    elf.segments[0].memsz = 0x3000;
    elf.segments.push_back({0x200000, {1, 2, 3, 4}, 0});
    elf.pvh_entry = 0x100010;
    // something was there before: a reset machine loads again
    ram().write<uint64_t>(PhysAddr(0x100100), ~uint64_t{0});
    const auto plan = load_kernel(elf.image(), ram(), {.command_line = "console=ttyS0 quiet"});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->kind, ImageKind::PvhElf64);
    EXPECT_EQ(plan->mode, EntryMode::Protected32);
    EXPECT_EQ(plan->entry, PhysAddr(0x100010));
    EXPECT_EQ(plan->registers.rip, 0x100010u);
    EXPECT_EQ(plan->registers.rbx, kStartInfo.raw());
    EXPECT_EQ(plan->registers.rsp, 0u);
    EXPECT_EQ(plan->description(), "PVH ELF64, entry 0x100010 in 32-bit mode");
    EXPECT_EQ(std::memcmp(ram().at(PhysAddr(0x100000), 100), elf.segments[0].bytes.data(), 100), 0);
    EXPECT_EQ(ram().read<uint64_t>(PhysAddr(0x100100)), 0u);  // .bss is zeroed
    EXPECT_EQ(ram().read<uint32_t>(PhysAddr(0x200000)), 0x04030201u);
}

TEST_F(LoadKernelTest, StartInfoIsVersion1WithAMemoryMap) {
    ASSERT_TRUE(load_kernel(pvh_kernel().image(), ram(), {.command_line = "root=/dev/vda"}));
    const auto u32 = [this](uint64_t offset) { return ram().read<uint32_t>(kStartInfo + offset); };
    const auto u64 = [this](uint64_t offset) { return ram().read<uint64_t>(kStartInfo + offset); };
    EXPECT_EQ(u32(0), 0x336ec578u);
    EXPECT_EQ(u32(4), 1u);
    EXPECT_EQ(u32(8), 0u);
    EXPECT_EQ(u32(12), 0u);  // no module
    EXPECT_EQ(u64(16), 0u);
    EXPECT_EQ(string_at(u64(24)), "root=/dev/vda");
    EXPECT_EQ(u64(32), 0u);  // no RSDP
    const std::vector<MemoryRange> map = build_memory_map(ram());
    ASSERT_EQ(u32(48), map.size());
    for (size_t i = 0; i < map.size(); ++i) {
        const PhysAddr entry(u64(40) + 24 * i);
        EXPECT_EQ(ram().read<uint64_t>(entry), map[i].base.raw());
        EXPECT_EQ(ram().read<uint64_t>(entry + 8), map[i].size);
        EXPECT_EQ(ram().read<uint32_t>(entry + 16), static_cast<uint32_t>(map[i].type));
        EXPECT_EQ(ram().read<uint32_t>(entry + 20), 0u);
    }
}

TEST_F(LoadKernelTest, InitrdIsModule0AtTheTopOfLowRam) {
    const Image initrd{"initramfs.cpio", std::vector<uint8_t>(5000, 0x5a)};
    const auto plan = load_kernel(pvh_kernel().image(), ram(), {.initrd = &initrd});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(ram().read<uint32_t>(kStartInfo + 12), 1u);
    const PhysAddr module(ram().read<uint64_t>(kStartInfo + 16));
    const PhysAddr base(ram().read<uint64_t>(module));
    EXPECT_EQ(base, PhysAddr(16 * kMiB - 2 * kPageSize));
    EXPECT_EQ(ram().read<uint64_t>(module + 8), 5000u);
    EXPECT_EQ(ram().read<uint64_t>(module + 16), 0u);
    EXPECT_EQ(std::memcmp(ram().at(base, 5000), initrd.bytes.data(), 5000), 0);
    EXPECT_NE(ram().read<uint64_t>(kStartInfo + 40), module.raw());
}

TEST_F(LoadKernelTest, PlanListsWhatLiesWhereInOrder) {
    const Image initrd{"i", std::vector<uint8_t>(10, 1)};
    TestElf elf = pvh_kernel();
    elf.segments.insert(elf.segments.begin(), {0x300000, {9}, 0});
    const auto plan = load_kernel(elf.image(), ram(), {.command_line = "x", .initrd = &initrd});
    ASSERT_TRUE(plan) << plan.error().message;
    std::vector<std::string> names;
    for (const PlacedRange& range : plan->placed) names.push_back(range.name);
    EXPECT_THAT(names, testing::ElementsAre("start info", "command line", "kernel segment 2",
                                            "kernel segment 1", "initrd"));
    EXPECT_EQ(plan->placed[1].size, 2u);
}

TEST_F(LoadKernelTest, InitrdAvoidsAKernelAtTheTop) {
    TestElf elf = pvh_kernel();
    elf.segments.push_back({16 * kMiB - 3 * kPageSize - 0x10, std::vector<uint8_t>(0x20, 1), 0});
    const Image initrd{"i", std::vector<uint8_t>(3 * kPageSize, 1)};
    const auto plan = load_kernel(elf.image(), ram(), {.initrd = &initrd});
    ASSERT_TRUE(plan) << plan.error().message;
    // The segment reaches three pages and sixteen bytes below the top: there is no room above it.
    EXPECT_EQ(plan->placed[3].name, "initrd");
    EXPECT_EQ(plan->placed[3].base, PhysAddr(16 * kMiB - 7 * kPageSize));
}

TEST_F(LoadKernelTest, PvhElf32) {
    TestElf elf = pvh_kernel();
    elf.is_64 = false;
    elf.pvh_entry_bytes = 4;
    const auto plan = load_kernel(elf.image(), ram(), {});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->kind, ImageKind::PvhElf32);
    EXPECT_EQ(plan->entry, PhysAddr(0x100000));
    EXPECT_EQ(plan->description(), "PVH ELF32, entry 0x100000 in 32-bit mode");
}

TEST_F(LoadKernelTest, FlatImageInLongMode) {
    const Image flat{"flat.bin", {0xf4, 0xeb, 0xfd}};
    const auto plan = load_kernel(flat, ram(), {.command_line = "hi", .flat_address = PhysAddr(0x200000)});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->kind, ImageKind::Flat);
    EXPECT_EQ(plan->mode, EntryMode::Long64);
    EXPECT_EQ(plan->registers.rip, 0x200000u);
    EXPECT_EQ(plan->registers.rdi, kStartInfo.raw());
    EXPECT_EQ(plan->registers.rbx, kStartInfo.raw());
    EXPECT_EQ(ram().read<uint8_t>(PhysAddr(0x200000)), 0xf4);
    EXPECT_EQ(string_at(kCommandLine.raw()), "hi");
    EXPECT_EQ(plan->description(), "flat image, entry 0x200000 in 64-bit mode");
}

TEST_F(LoadKernelTest, BootTablesMapTheFirst4GiBOntoThemselves) {
    const Image flat{"flat.bin", {0xf4}};
    const auto plan = load_kernel(flat, ram(), {.flat_address = PhysAddr(0x200000)});
    ASSERT_TRUE(plan);
    const auto entry = [this](uint64_t table, uint64_t index) {
        return ram().read<uint64_t>(PhysAddr((table & ~kPageOffsetMask) + 8 * index));
    };
    for (const uint64_t va :
         {uint64_t{0}, uint64_t{0x200000}, kGiB - 1, kGiB, 3 * kGiB + 0x12345678, 4 * kGiB - 1}) {
        const uint64_t pml4e = entry(plan->registers.cr3.raw(), va >> 39);
        ASSERT_EQ(pml4e & kPageOffsetMask, 3u);
        const uint64_t pdpte = entry(pml4e, va >> 30 & 511);
        ASSERT_EQ(pdpte & kPageOffsetMask, 3u);
        const uint64_t pde = entry(pdpte, va >> 21 & 511);
        ASSERT_EQ(pde, (va & ~uint64_t{0x1fffff}) | 0x83) << va;
    }
    const uint64_t pdpt = entry(plan->registers.cr3.raw(), 0);
    EXPECT_EQ(entry(plan->registers.cr3.raw(), 1), 0u);
    EXPECT_EQ(entry(pdpt, 4), 0u);
    EXPECT_EQ(plan->registers.rsp % 16, 0u);
    // GDT: null, unused, 64-bit code, data
    EXPECT_EQ(plan->registers.gdt_limit, 31u);
    EXPECT_EQ(ram().read<uint64_t>(plan->registers.gdt_base), 0u);
    EXPECT_EQ(ram().read<uint64_t>(plan->registers.gdt_base + 16), 0x00af9b000000ffffu);
    EXPECT_EQ(ram().read<uint64_t>(plan->registers.gdt_base + 24), 0x00cf93000000ffffu);
}

TEST_F(LoadKernelTest, Elf64StartedDirectly) {
    TestElf elf = pvh_kernel();
    elf.pvh_entry.reset();
    elf.entry = 0x100020;
    const auto plan = load_kernel(elf.image(), ram(), {.protocol = Protocol::Long64});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->kind, ImageKind::Elf64);
    EXPECT_EQ(plan->mode, EntryMode::Long64);
    EXPECT_EQ(plan->registers.rip, 0x100020u);
    EXPECT_NE(plan->registers.cr3, PhysAddr(0));
    elf.is_64 = false;
    const auto refused = load_kernel(elf.image(), ram(), {.protocol = Protocol::Long64});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("32-bit"));
}

TEST_F(LoadKernelTest, OtherKindsAreNamed) {
    const auto file_with = [](std::string_view text, size_t at = 0) {
        Image image{"some.file", std::vector<uint8_t>(0x400)};
        std::memcpy(image.bytes.data() + at, text.data(), text.size());
        return image;
    };
    EXPECT_THAT(error(file_with("\x1f\x8b")), HasSubstr("gzip"));
    EXPECT_THAT(error(file_with("070701")), HasSubstr("cpio"));
    EXPECT_THAT(error(file_with("#!/bin/sh")), HasSubstr("script"));
    EXPECT_THAT(error(file_with("hello")), HasSubstr("no ELF magic at offset 0x0"));
    EXPECT_THAT(error({"tiny", {1}}), HasSubstr("tiny: no ELF magic"));
    EXPECT_THAT(error(file_with("hello")), HasSubstr("or an ELF kernel with a PVH entry"));
}

TEST_F(LoadKernelTest, ElfWithoutPvhEntry) {
    TestElf elf = pvh_kernel();
    elf.pvh_entry.reset();
    EXPECT_THAT(error(elf.image()), HasSubstr("without a PVH entry"));
    elf = pvh_kernel();
    elf.pvh_entry_bytes = 6;
    EXPECT_THAT(error(elf.image()), HasSubstr("has 6 bytes; expected 4 or 8"));
    elf = pvh_kernel();
    elf.pvh_entry = 0x90000000;
    EXPECT_THAT(error(elf.image()), HasSubstr("entry 0x90000000 is in none of the loaded segments"));
    elf.pvh_entry = 0x1'0010'0000;  // right in its low half only
    EXPECT_THAT(error(elf.image()), HasSubstr("entry 0x100100000"));
}

TEST_F(LoadKernelTest, HeaderFieldsAreChecked) {
    Image image = pvh_kernel().image();
    const auto with = [&](size_t offset, uint8_t value) {
        Image changed = image;
        changed.bytes[offset] = value;
        return changed;
    };
    EXPECT_THAT(error(with(EI_CLASS, 3)), HasSubstr("ELF class 3 at offset 0x4"));
    EXPECT_THAT(error(with(EI_DATA, 2)), HasSubstr("ELF data encoding 2 at offset 0x5"));
    EXPECT_THAT(error(with(offsetof(Elf64_Ehdr, e_machine), EM_AARCH64)), HasSubstr("machine 183"));
    EXPECT_THAT(error(with(offsetof(Elf64_Ehdr, e_type), ET_REL)), HasSubstr("ELF type 1"));
    EXPECT_THAT(error(with(offsetof(Elf64_Ehdr, e_phentsize), 32)), HasSubstr("expected 56"));
    EXPECT_THAT(error(with(offsetof(Elf64_Ehdr, e_phoff) + 3, 1)), HasSubstr("past the file's end"));
}

TEST_F(LoadKernelTest, SegmentsAreChecked) {
    TestElf elf = pvh_kernel();
    elf.segments[0].memsz = 10;
    EXPECT_THAT(error(elf.image()),
                HasSubstr("segment 1 (program header at offset 0x78): 0x40 bytes in the file for 0xa"));
    elf = pvh_kernel();
    elf.segments[0].memsz = 16 * kMiB;
    EXPECT_THAT(error(elf.image()), HasSubstr("expected at least 18 MiB of RAM"));
    elf.segments[0].memsz = 15 * kMiB + 1;
    EXPECT_THAT(error(elf.image()), HasSubstr("expected at least 18 MiB of RAM"));
    elf.segments[0].memsz = ~uint64_t{0};
    EXPECT_THAT(error(elf.image()), HasSubstr("are not all RAM"));
    elf.segments[0].memsz = 0;
    elf.segments[0].paddr = ~uint64_t{0} - 10;
    EXPECT_THAT(error(elf.image()), HasSubstr("are not all RAM"));
    elf.segments[0].paddr = 0xa0000 - 0x10;
    EXPECT_THAT(error(elf.image()), HasSubstr("RAM below 1 MiB is [0x0, 0x9fc00)"));
    elf.segments[0].paddr = 0xffff0;
    EXPECT_THAT(error(elf.image()), HasSubstr("RAM below 1 MiB"));
    elf.segments[0].paddr = 0xc0000000;
    EXPECT_THAT(error(elf.image()), HasSubstr("from 0x100000000 on"));
}

TEST_F(LoadKernelTest, OverlapsAreNamed) {
    TestElf elf = pvh_kernel();
    elf.segments.push_back({0x10003f, {1, 2}, 0});
    EXPECT_THAT(error(elf.image()),
                HasSubstr("segment 2 (program header at offset 0xb0): 0x2 bytes at physical address "
                          "0x10003f overlap the kernel segment 1 at [0x100000, 0x100040)"));
    elf = pvh_kernel();
    elf.segments.push_back({0x6800, {1}, 0});
    EXPECT_THAT(error(elf.image()), HasSubstr("overlap the start info at [0x6000, 0x7000)"));
    elf.segments[1].paddr = 0x7003;
    EXPECT_THAT(error(elf.image(), {.command_line = "abc"}), HasSubstr("overlap the command line"));
    EXPECT_TRUE(load_kernel(elf.image(), ram(), {.command_line = "ab"}));
}

TEST_F(LoadKernelTest, FlatImagesAreChecked) {
    const Image flat{"flat.bin", std::vector<uint8_t>(0x1000, 1)};
    EXPECT_THAT(error(flat, {.flat_address = PhysAddr(0xa000)}), HasSubstr("overlap the boot page tables"));
    EXPECT_THAT(error(flat, {.flat_address = PhysAddr(4 * kGiB - 1)}), HasSubstr("past 4 GiB"));
    EXPECT_THAT(error(flat, {.flat_address = PhysAddr(~uint64_t{0})}), HasSubstr("past 4 GiB"));
    EXPECT_THAT(error(flat, {.flat_address = PhysAddr(16 * kMiB - 1)}),
                HasSubstr("expected at least 18 MiB"));
}

TEST_F(LoadKernelTest, InitrdThatDoesNotFitSaysWhatIsNeeded) {
    const Image initrd{"big.cpio", std::vector<uint8_t>(15 * kMiB, 1)};
    EXPECT_THAT(
        error(pvh_kernel().image(), {.initrd = &initrd}),
        HasSubstr(
            "big.cpio: initrd: 0xf00000 bytes do not fit into 16 MiB of RAM; expected at least 18 MiB"));
    mem::GuestRam enough = std::move(*mem::GuestRam::create(18 * kMiB));
    EXPECT_TRUE(load_kernel(pvh_kernel().image(), enough, {.initrd = &initrd}));
}

TEST_F(LoadKernelTest, InitrdFillsTheGapToTheLastPage) {
    // Exactly the pages between the kernel's last and the end of RAM.
    const Image initrd{"i", std::vector<uint8_t>(15 * kMiB - kPageSize, 1)};
    const auto plan = load_kernel(pvh_kernel().image(), ram(), {.initrd = &initrd});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->placed.back().base, PhysAddr(0x101000));
}

TEST_F(LoadKernelTest, InitrdStaysBelow2GiB) {
    const Image initrd{"i", std::vector<uint8_t>(100, 1)};
    mem::GuestRam large = std::move(*mem::GuestRam::create(5 * kGiB));
    const auto plan = load_kernel(pvh_kernel().image(), large, {.initrd = &initrd});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->placed.back().base, PhysAddr(2 * kGiB - kPageSize));
}

TEST_F(LoadKernelTest, CommandLineLength) {
    const std::string longest(kMaxCommandLine, 'x');
    EXPECT_THAT(error(pvh_kernel().image(), {.command_line = longest + "y"}), HasSubstr("4096 bytes"));
    ASSERT_TRUE(load_kernel(pvh_kernel().image(), ram(), {.command_line = longest}));
    EXPECT_EQ(string_at(kCommandLine.raw()), longest);
}

TEST_F(LoadKernelTest, HostileHeaderTable) {
    TestElf elf = pvh_kernel();
    for (uint64_t i = 0; i < 300; ++i) elf.segments.push_back({0x200000 + i * 16, {1}, 0});
    EXPECT_THAT(error(elf.image()), HasSubstr("expected at most 256 segments"));
}

TEST_F(LoadKernelTest, EveryTruncationIsAnError) {
    for (const bool is_64 : {true, false}) {
        TestElf elf = pvh_kernel(40);
        elf.is_64 = is_64;
        elf.pvh_entry_bytes = is_64 ? 8 : 4;
        const Image whole = elf.image();
        for (size_t size = 0; size < whole.bytes.size(); ++size) {
            const Image cut{"cut.elf",
                            {whole.bytes.begin(), whole.bytes.begin() + static_cast<ptrdiff_t>(size)}};
            ASSERT_THAT(error(cut), HasSubstr("cut.elf: ")) << size;
        }
        ASSERT_TRUE(load_kernel(whole, ram(), {}));
        std::memset(ram().at(PhysAddr(0), 2 * kMiB), 0, 2 * kMiB);
    }
}

TEST_F(LoadKernelTest, EveryFlippedByteIsAnErrorOrABootPlan) {
    const Image whole = pvh_kernel(16).image();
    std::mt19937 random(3);
    unsigned refused = 0;
    for (size_t at = 0; at < whole.bytes.size(); ++at) {
        for (int round = 0; round < 8; ++round) {
            Image flipped = whole;
            flipped.bytes[at] ^= static_cast<uint8_t>(round < 4 ? 1u << (2 * round) : 1 + random() % 255);
            const auto result = load_kernel(flipped, ram(), {});
            if (!result) {
                ++refused;
                EXPECT_THAT(result.error().message, HasSubstr("test.elf"));
                EXPECT_THAT(result.error().message, Not(HasSubstr("\n")));
            }
        }
    }
    EXPECT_GT(refused, 200u);
}

}  // namespace
}  // namespace forkscope::loader
