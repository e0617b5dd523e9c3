// The cpio reader: whole archives, chains of them, and every kind of damage.
#include "emu/loader/cpio.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/loader/cpio_builder.hpp"

namespace forkscope::loader {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string text_of(const CpioEntry& entry) { return {entry.data.begin(), entry.data.end()}; }

std::string error_of(const std::vector<uint8_t>& bytes) {
    const auto result = read_cpio("a.cpio", bytes);
    if (result) return "read";
    EXPECT_THAT(result.error().message, Not(HasSubstr("\n")));
    EXPECT_THAT(result.error().message, HasSubstr("a.cpio"));
    return result.error().message;
}

TEST(Cpio, ReadsEntriesInOrder) {
    CpioBuilder builder;
    builder.add("bin", "", {.mode = 040755})
        .add("bin/init", "hello")
        .add("empty", "")
        .add("link", "bin/init", {.mode = 0120777})
        .end();
    const auto entries = read_cpio("a.cpio", builder.bytes);
    ASSERT_TRUE(entries) << entries.error().message;
    ASSERT_EQ(entries->size(), 4u);
    EXPECT_EQ((*entries)[0].path, "bin");
    EXPECT_FALSE((*entries)[0].is_regular());
    EXPECT_EQ((*entries)[1].path, "bin/init");
    EXPECT_EQ((*entries)[1].mode, 0100755u);
    EXPECT_TRUE((*entries)[1].is_regular());
    EXPECT_EQ(text_of((*entries)[1]), "hello");
    EXPECT_EQ((*entries)[1].offset, 116u);
    EXPECT_EQ((*entries)[2].data.size(), 0u);
    EXPECT_EQ(text_of((*entries)[3]), "bin/init");
}

TEST(Cpio, AlignmentOfNamesAndData) {
    for (size_t name = 1; name < 9; ++name) {
        for (size_t size = 0; size < 9; ++size) {
            CpioBuilder builder;
            builder.add(std::string(name, 'n'), std::string(size, 'd')).add("last", "z").end();
            const auto entries = read_cpio("a.cpio", builder.bytes);
            ASSERT_TRUE(entries) << name << " " << size << " " << entries.error().message;
            EXPECT_EQ((*entries)[0].data.size(), size);
            EXPECT_EQ(text_of((*entries)[1]), "z");
        }
    }
}

TEST(Cpio, ArchivesMayFollowEachOtherWithPadding) {
    CpioBuilder builder;
    builder.add("a", "1").end();
    builder.bytes.resize(1024);
    builder.add("b", "2").end();
    builder.bytes.resize(builder.bytes.size() + 300);
    const auto entries = read_cpio("a.cpio", builder.bytes);
    ASSERT_TRUE(entries) << entries.error().message;
    ASSERT_EQ(entries->size(), 2u);
    EXPECT_EQ((*entries)[1].offset, 1024u);
    EXPECT_EQ(text_of((*entries)[1]), "2");
}

TEST(Cpio, HardLinksShareTheLastOnesData) {
    CpioBuilder builder;
    builder.add("one", "", {.links = 3, .inode = 7})
        .add("other", "unrelated")
        .add("two", "", {.links = 3, .inode = 7})
        .add("three", "the data", {.links = 3, .inode = 7})
        .add("lonely", "", {.links = 1, .inode = 7})
        .end();
    builder.add("stranger", "", {.links = 2, .inode = 7}).end();  // another archive: another inode 7
    const auto entries = read_cpio("a.cpio", builder.bytes);
    ASSERT_TRUE(entries) << entries.error().message;
    EXPECT_EQ(text_of((*entries)[0]), "the data");
    EXPECT_EQ(text_of((*entries)[2]), "the data");
    EXPECT_EQ(text_of((*entries)[3]), "the data");
    EXPECT_EQ(text_of((*entries)[4]), "");
    EXPECT_EQ(text_of((*entries)[5]), "");
}

TEST(Cpio, OtherFilesAreRefused) {
    EXPECT_THAT(error_of({}), HasSubstr("no cpio archive"));
    EXPECT_THAT(error_of(std::vector<uint8_t>(512)), HasSubstr("only zeros"));
    EXPECT_THAT(error_of(std::vector<uint8_t>(512, 0x1f)),
                HasSubstr("expected \"070701\" (newc, not compressed)"));
    CpioBuilder builder;
    builder.add("a", "1").end();
    builder.bytes[5] = '7';  // the old portable format
    EXPECT_THAT(error_of(builder.bytes), HasSubstr("no cpio header at offset 0x0"));
}

TEST(Cpio, ErrorsSayWhere) {
    CpioBuilder builder;
    builder.add("first", "1234").add("second", "5678").end();
    // field of the second entry's header: eight digits each, after the magic
    const auto field = [](size_t index) { return 120 + 6 + 8 * index; };
    auto bytes = builder.bytes;
    bytes[field(1)] = 'x';
    EXPECT_THAT(error_of(bytes), HasSubstr("no hexadecimal number at offset 0x86"));
    bytes = builder.bytes;
    bytes[field(6)] = '7';  // file size
    EXPECT_THAT(error_of(bytes), HasSubstr("\"second\" at offset 0x78 has 0x70000004 bytes of data"));
    bytes = builder.bytes;
    bytes[field(11) + 7] = '0';  // name size
    EXPECT_THAT(error_of(bytes), HasSubstr("has a name of 0 bytes"));
    bytes[field(11) + 6] = '1';
    EXPECT_THAT(error_of(bytes), HasSubstr("does not end within 16 bytes"));
    bytes[field(11)] = 'F';
    EXPECT_THAT(error_of(bytes), HasSubstr("expected 1 to 4096"));
}

TEST(Cpio, EveryTruncationIsAnError) {
    CpioBuilder builder;
    builder.add("a", "12345").add("b", "").end();
    const size_t needed = builder.bytes.size();
    ASSERT_TRUE(read_cpio("a.cpio", builder.bytes));
    for (size_t size = 0; size < needed; ++size) {
        const std::vector<uint8_t> cut(builder.bytes.begin(),
                                       builder.bytes.begin() + static_cast<ptrdiff_t>(size));
        const auto result = read_cpio("a.cpio", cut);
        // The last name's padding says nothing.
        ASSERT_EQ(result.has_value(), size >= needed - 3) << size;
    }
}

TEST(Cpio, RandomDamageNeverCrashes) {
    CpioBuilder builder;
    builder.add("dir/a", std::string(50, 'x'))
        .add("b", "", {.links = 2, .inode = 9})
        .add("c", "yy", {.links = 2, .inode = 9})
        .end();
    std::mt19937 random(11);
    unsigned refused = 0;
    for (int round = 0; round < 20000; ++round) {
        std::vector<uint8_t> bytes = builder.bytes;
        for (uint64_t n = random() % 3; n <= 3; ++n)
            bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
        const auto result = read_cpio("a.cpio", bytes);
        if (!result) {
            ++refused;
            continue;
        }
        for (const CpioEntry& entry : *result)
            if (!entry.data.empty()) {
                ASSERT_GE(entry.data.data(), bytes.data());
                ASSERT_LE(entry.data.data() + entry.data.size(), bytes.data() + bytes.size());
            }
    }
    EXPECT_GT(refused, 1000u);
}

}  // namespace
}  // namespace forkscope::loader
