// Text that is made up when a file is read.
#include "guest/fs/seq_file.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/guest_fs/host_kernel.hpp"

namespace {

using guest::seq_file;

// What a reader gets that asks for `piece` bytes at a time.
std::string read_all(const seq_file& m, size_t piece, int64_t from = 0) {
    std::string text;
    std::string buffer(piece, '\0');
    for (;;) {
        guest::iov_iter to(buffer.data(), piece);
        auto got = m.copy_out(to, from);
        EXPECT_TRUE(got.ok());
        if (!got.ok() || got.value() == 0) return text;
        text.append(buffer, 0, got.value());
    }
}

TEST(SeqFile, IsEmptyAtFirst) {
    const seq_file m;
    EXPECT_EQ(m.size(), 0U);
    EXPECT_EQ(read_all(m, 10), "");
    EXPECT_EQ(host_kernel::live_pages(), 0);
}

TEST(SeqFile, FormatsAndEscapes) {
    seq_file m;
    m.printf("%d %s\n", 7, "seven");
    m.escape("a b\tc\\d", " \t\\");
    m.putc('\n');
    EXPECT_EQ(read_all(m, 100), "7 seven\na\\040b\\011c\\134d\n");
}

TEST(SeqFile, PadsTheCurrentLine) {
    seq_file m;
    m.puts("first line\nab");
    m.pad_to(5);
    m.puts("x\n12345678");
    m.pad_to(5);
    m.puts("y");
    EXPECT_EQ(read_all(m, 100), "first line\nab   x\n12345678 y");
}

TEST(SeqFile, CutsWhatIsTooLongForOnePrintf) {
    seq_file m;
    const std::string lengthy(2000, 'l');
    m.printf("%s", lengthy.c_str());
    EXPECT_EQ(m.size(), 511U);
    m.puts(lengthy.c_str());
    EXPECT_EQ(m.size(), 2511U);
}

// Pages are filled and left behind at any place in a line, and read back in pieces of any size.
TEST(SeqFile, AgreesWithAString) {
    std::mt19937_64 random(1);
    seq_file m;
    std::string model;
    while (model.size() < 30000) {
        const std::string part(random() % 300, static_cast<char>('a' + random() % 26));
        m.write(part.data(), part.size());
        model += part;
        if (random() % 3 == 0) {
            const size_t line = model.rfind('\n') == std::string::npos ? 0 : model.rfind('\n') + 1;
            m.pad_to(200);
            const size_t wanted = line + 200;
            model.append(model.size() < wanted ? wanted - model.size() : 1, ' ');
            m.putc('\n');
            model += '\n';
        }
    }
    EXPECT_EQ(m.size(), model.size());
    for (const size_t piece : {1u, 7u, 4096u, 4097u, 100000u}) EXPECT_EQ(read_all(m, piece), model);
    EXPECT_EQ(read_all(m, 1000, 12345), model.substr(12345));
    EXPECT_EQ(read_all(m, 10, 1 << 20), "");
    EXPECT_TRUE(m.finish().ok());
    m.clear();
    EXPECT_EQ(read_all(m, 10), "");
}

TEST(SeqFile, SaysThatMemoryRanOut) {
    {
        seq_file m;
        const std::string page(4096, 'p');
        m.puts(page.c_str());
        host_kernel::fail_allocation(1);
        m.puts("more");
        m.pad_to(1000000);
        m.puts("and more");
        EXPECT_TRUE(host_kernel::failure_happened());
        ASSERT_FALSE(m.finish().ok());
        EXPECT_EQ(m.finish().error(), guest::Errno::NoMem);
        m.clear();
        m.puts("again");
        EXPECT_TRUE(m.finish().ok());
        EXPECT_EQ(read_all(m, 3), "again");
    }
    EXPECT_EQ(host_kernel::live_pages(), 0);
}

TEST(SeqFile, TellsOfMemoryThatRefuses) {
    seq_file m;
    m.puts("text");
    guest::iov_iter nowhere(guest::VirtAddr(1), 4);
    int64_t pos = 0;
    auto got = m.copy_out(nowhere, pos);
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.error(), guest::Errno::Fault);
    EXPECT_EQ(pos, 0);
}

}  // namespace
