// Reading files, and the memory map.
#include "emu/loader/image.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "emu/loader/memory_map.hpp"

namespace forkscope::loader {
namespace {

using testing::HasSubstr;

TEST(Image, ReadsAFileWhole) {
    const std::string path = testing::TempDir() + "/image_test.bin";
    std::string text;
    for (int i = 0; i < 100000; ++i) text += static_cast<char>(i);
    std::ofstream(path, std::ios::binary) << text;
    const auto image = read_image(path);
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_EQ(image->name, path);
    EXPECT_EQ(std::string(image->bytes.begin(), image->bytes.end()), text);
    std::filesystem::remove(path);
}

TEST(Image, RefusesWhatIsNoFile) {
    EXPECT_THAT(read_image("/no/such/file").error().message,
                HasSubstr("/no/such/file: cannot be opened: No such file"));
    EXPECT_THAT(read_image(testing::TempDir()).error().message, HasSubstr("not a regular file"));
    EXPECT_THAT(read_image("/dev/zero").error().message, HasSubstr("not a regular file"));
    const std::string path = testing::TempDir() + "/image_test.empty";
    std::ofstream(path).flush();
    EXPECT_THAT(read_image(path).error().message, HasSubstr("an empty file"));
    std::filesystem::remove(path);
    EXPECT_EQ(read_image(path).error().status, ExitStatus::BadInput);
}

std::vector<MemoryRange> map_of(uint64_t mib) {
    const auto ram = mem::GuestRam::create(mib * kMiB);
    return build_memory_map(*ram);
}

TEST(MemoryMap, SmallMachine) {
    EXPECT_EQ(map_of(2), (std::vector<MemoryRange>{{PhysAddr(0), 0x9fc00, MemoryType::Ram},
                                                   {PhysAddr(0x9fc00), 0x400, MemoryType::Reserved},
                                                   {PhysAddr(0xf0000), 0x10000, MemoryType::Reserved},
                                                   {PhysAddr(0x100000), 0x100000, MemoryType::Ram}}));
}

TEST(MemoryMap, HighRamIsItsOwnRange) {
    const std::vector<MemoryRange> map = map_of(5120);
    ASSERT_EQ(map.size(), 5u);
    EXPECT_EQ(map[3], (MemoryRange{PhysAddr(0x100000), 3 * kGiB - 0x100000, MemoryType::Ram}));
    EXPECT_EQ(map[4], (MemoryRange{PhysAddr(4 * kGiB), 2 * kGiB, MemoryType::Ram}));
}

TEST(MemoryMap, IsOrderedAndWithoutOverlap) {
    for (const uint64_t mib : {2u, 256u, 3072u, 3074u, 8192u}) {
        const std::vector<MemoryRange> map = map_of(mib);
        uint64_t ram = 0;
        for (size_t i = 0; i < map.size(); ++i) {
            if (i > 0) {
                EXPECT_GE(map[i].base, map[i - 1].base + map[i - 1].size);
            }
            if (map[i].type == MemoryType::Ram) ram += map[i].size;
        }
        EXPECT_EQ(ram, mib * kMiB - (0x100000 - 0x9fc00));
    }
}

}  // namespace
}  // namespace forkscope::loader
