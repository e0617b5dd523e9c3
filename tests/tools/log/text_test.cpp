// Entries, flags and numbers in words.
#include <gtest/gtest.h>

#include "guest/abi/clone.hpp"
#include "tools/log/analysis/page_range.hpp"
#include "tools/log/text/decode.hpp"
#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/text/output.hpp"

namespace forkscope::tools {
namespace {

constexpr uint64_t kNx = uint64_t{1} << 63;

TEST(EntryText, BitsAndFrame) {
    EXPECT_EQ(entry_text(kNx | 0x12345067, 1), "P W U A D NX frame 0x12345000");
    EXPECT_EQ(entry_text(0x12345067, 2), "P W U A D table 0x12345000");
    EXPECT_EQ(entry_text(0x122000e7, 2), "P W U A D PS frame 0x12200000");
    EXPECT_EQ(entry_text(0x12345081, 1), "P PAT frame 0x12345000");
    EXPECT_EQ(entry_text(0x1000 | 0x201, 1), "P sw 0x200 frame 0x1000");
    EXPECT_EQ(entry_text(0, 1), "0");
    EXPECT_EQ(entry_text(0xff00, 1), "not present, 0xff00");
}

TEST(EntryText, ChangesNameTheDifference) {
    EXPECT_EQ(entry_change(0x5067, 0x5065, 1), "P W U A D -> P U A D frame 0x5000 [-W]");
    EXPECT_EQ(entry_change(0x5005, 0x5067, 1), "P U -> P W U A D frame 0x5000 [+W +A +D]");
    EXPECT_EQ(entry_change(0x5065, 0x6067, 1), "P U A D frame 0x5000 -> P W U A D frame 0x6000");
    EXPECT_EQ(entry_change(0, 0x6067, 1), "0 -> P W U A D frame 0x6000 [mapped]");
    EXPECT_EQ(entry_change(0x6067, 0, 1), "P W U A D frame 0x6000 -> 0 [unmapped]");
    EXPECT_EQ(entry_difference(0x5065, 0x6067, 1), "+W frame 0x5000 -> 0x6000");
    EXPECT_EQ(entry_difference(0x5065, 0x5065, 1), "no change");
}

TEST(EntryText, ErrorCodes) {
    EXPECT_EQ(error_code_text(7), "P W U");
    EXPECT_EQ(error_code_text(0), "0");
    EXPECT_EQ(error_code_text(0x8009), "P RSVD 0x8000");
    EXPECT_EQ(error_code_words(7), "a write by user code: the page is present but read-only");
    EXPECT_EQ(error_code_words(4), "a read by user code: the page is not present");
    EXPECT_EQ(error_code_words(0x11),
              "an instruction fetch by the kernel: the page is present but not for this");
}

TEST(Decode, CloneFlags) {
    EXPECT_EQ(clone_flags_text(17), "SIGCHLD");
    EXPECT_EQ(clone_flags_text(abi::kCloneVm | abi::kCloneVfork | 17), "CLONE_VM|CLONE_VFORK|SIGCHLD");
    EXPECT_EQ(clone_flags_text(0), "0");
    EXPECT_EQ(clone_flags_text(uint64_t{1} << 40), "0x10000000000");
}

TEST(Decode, WaitStatusErrnoAndNames) {
    EXPECT_EQ(wait_status_text(0x700), "exit 7");
    EXPECT_EQ(wait_status_text(0x8b), "killed by SIGSEGV, core dumped");
    EXPECT_EQ(wait_status_text(9), "killed by SIGKILL");
    EXPECT_EQ(errno_text(-12), "ENOMEM");
    EXPECT_EQ(errno_text(-513), "ERESTARTNOINTR");
    EXPECT_EQ(errno_text(-4000), "error -4000");
    EXPECT_EQ(syscall_name(57), "fork");
    EXPECT_EQ(syscall_name(9999), "syscall_9999");
    EXPECT_EQ(vector_text(14), "#PF");
    EXPECT_EQ(vector_text(9), "0x9");
    EXPECT_EQ(vector_text(0x30), "0x30");
    EXPECT_EQ(announcement_name(9), "cow-break");
    EXPECT_EQ(announcement_name(99), "announcement 99");
    EXPECT_EQ(flush_text(99), "flush 99");
}

TEST(Numbers, AsPeopleReadThem) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1000), "1,000");
    EXPECT_EQ(grouped(18446744073709551615u), "18,446,744,073,709,551,615");
    EXPECT_EQ(counted(1, "page"), "1 page");
    EXPECT_EQ(counted(0, "entry", "entries"), "0 entries");
    EXPECT_EQ(bytes_text(4096), "4 KiB");
    EXPECT_EQ(bytes_text(1536), "1.5 KiB");
    EXPECT_EQ(bytes_text(7), "7 bytes");
    EXPECT_EQ(duration_text(1500, 1'000'000'000), "1.5 us");
    EXPECT_EQ(duration_text(1500, 0), "");
    EXPECT_EQ(duration_text(2'000'000'000, 1'000'000'000), "2.000 s");
}

TEST(PageRanges, RowsOfPagesAreFolded) {
    std::vector<analysis::PageRange> ranges;
    for (const uint64_t va : std::vector<uint64_t>{0x1000, 0x2000, 0x3000, 0x5000, 0x4000})
        analysis::add_page(ranges, va, 0x1000);
    analysis::add_page(ranges, 0x200000, 0x200000);
    ASSERT_EQ(ranges.size(), 4u);
    EXPECT_EQ(ranges[0].count, 3u);
    EXPECT_EQ(ranges[0].end(), 0x4000u);
    EXPECT_EQ(analysis::pages_in(ranges), 6u);
}

TEST(Output, ColoursOnlyWhereTheyAreWanted) {
    EXPECT_EQ(Output(stdout, Output::Colour::Never).paint(Style::Red, "x"), "x");
    EXPECT_EQ(Output(stdout, Output::Colour::Always).paint(Style::Red, "x"), "\x1b[31mx\x1b[0m");
    std::FILE* file = std::tmpfile();
    EXPECT_FALSE(Output(file).coloured());
    std::fclose(file);
}

}  // namespace
}  // namespace forkscope::tools
