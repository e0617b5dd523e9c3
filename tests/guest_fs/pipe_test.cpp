// Pipes and FIFOs: order, blocking, PIPE_BUF, end of file, SIGPIPE (man 7 pipe, man 7 fifo).
#include "guest/fs/pipe.hpp"

#include "guest/abi/signal.hpp"
#include "tests/guest_fs/fs_fixture.hpp"

namespace guest_fs_test {
namespace {

using host_kernel::on_sleep;

class PipeTest : public FsTest {
protected:
    void SetUp() override {
        FsTest::SetUp();
        ends_ = guest::create_pipe(0).release_value();
    }
    void TearDown() override {
        ends_ = {};
        FsTest::TearDown();
    }
    static Result<size_t> read_some(guest::file& f, std::string& out, size_t most) {
        out.assign(most, '\0');
        guest::iov_iter to(out.data(), most);
        auto got = guest::vfs_read_at_pos(f, to);
        out.resize(got.ok() ? got.value() : 0);
        return got;
    }
    std::string read(size_t most) {
        std::string out;
        EXPECT_OK(read_some(*ends_.read, out, most));
        return out;
    }
    void set_nonblocking() {
        ends_.read->f_flags |= abi::kONonBlock;
        ends_.write->f_flags |= abi::kONonBlock;
    }
    static constexpr size_t kCapacity = guest::pipe_inode_info::kCapacity;
    guest::pipe_ends ends_;
};

TEST_F(PipeTest, BytesComeOutInOrder) {
    ASSERT_OK(write_to(*ends_.write, "hello "));
    ASSERT_OK(write_to(*ends_.write, "world"));
    EXPECT_EQ(read(8), "hello wo");
    EXPECT_EQ(read(8), "rld");
}

TEST_F(PipeTest, LongTransfersInOddPieces) {
    uint64_t written = 0;
    uint64_t checked = 0;
    set_nonblocking();
    for (int round = 0; round < 500; ++round) {
        std::string piece(static_cast<size_t>(round * 37 % 5000), '\0');
        for (size_t i = 0; i < piece.size(); ++i) piece[i] = static_cast<char>((written + i) * 7);
        auto put = write_to(*ends_.write, piece);
        if (put.ok()) written += put.value();
        std::string out;
        if (read_some(*ends_.read, out, static_cast<size_t>(round * 53 % 4000 + 1)).ok()) {
            for (char c : out) ASSERT_EQ(c, static_cast<char>(checked++ * 7));
        }
    }
    EXPECT_GT(checked, 500'000U);
}

TEST_F(PipeTest, HoldsMemoryOnlyForUnreadBytes) {
    const int64_t before = host_kernel::live_pages();
    ASSERT_OK(write_to(*ends_.write, std::string(3 * 4096, 'x')));
    EXPECT_EQ(host_kernel::live_pages(), before + 3);
    EXPECT_EQ(read(4096 + 1).size(), 4097U);
    EXPECT_EQ(host_kernel::live_pages(), before + 2);
    EXPECT_EQ(read(1 << 20).size(), 2 * 4096U - 1);
    EXPECT_EQ(host_kernel::live_pages(), before);
}

TEST_F(PipeTest, AReaderWaitsForBytesOrForTheLastWriter) {
    on_sleep([&] { ASSERT_OK(write_to(*ends_.write, "late")); });
    EXPECT_EQ(read(10), "late");
    on_sleep([&] { ends_.write.reset(); });
    EXPECT_EQ(read(10), "");
}

TEST_F(PipeTest, AWriterWaitsForRoom) {
    ASSERT_OK(write_to(*ends_.write, std::string(kCapacity, 'x')));
    on_sleep([&] { EXPECT_EQ(read(100).size(), 100U); });
    EXPECT_EQ(write_to(*ends_.write, std::string(100, 'y')).value(), 100U);
    EXPECT_EQ(read(kCapacity).substr(kCapacity - 100), std::string(100, 'y'));
}

TEST_F(PipeTest, AWriteOfPipeBufIsNotSplit) {
    set_nonblocking();
    ASSERT_OK(write_to(*ends_.write, std::string(kCapacity - 10, 'x')));
    EXPECT_ERRNO(write_to(*ends_.write, std::string(11, 'y')), Again);
    EXPECT_EQ(write_to(*ends_.write, std::string(guest::kPipeBuf + 1, 'y')).value(), 10U);
    EXPECT_ERRNO(write_to(*ends_.write, "z"), Again);
}

TEST_F(PipeTest, WithoutReadersAWriteFailsAndSignals) {
    ends_.read.reset();
    EXPECT_ERRNO(write_to(*ends_.write, "x"), Pipe);
    EXPECT_THAT(host_kernel::signals, testing::ElementsAre(abi::kSigPipe));
    EXPECT_EQ(write_to(*ends_.write, "").value(), 0U);
}

TEST_F(PipeTest, AWriterThatWaitsSeesTheLastReaderGo) {
    ASSERT_OK(write_to(*ends_.write, std::string(kCapacity, 'x')));
    on_sleep([&] { ends_.read.reset(); });
    EXPECT_ERRNO(write_to(*ends_.write, "y"), Pipe);
    EXPECT_EQ(host_kernel::signals.size(), 1U);
}

TEST_F(PipeTest, SignalsInterruptWaits) {
    host_kernel::signal_is_pending = true;
    std::string out;
    EXPECT_ERRNO(read_some(*ends_.read, out, 1), RestartSys);
    ASSERT_OK(write_to(*ends_.write, std::string(kCapacity - 1, 'x')));
    EXPECT_ERRNO(write_to(*ends_.write, "ab"), RestartSys);
    // What was written before the signal counts.
    EXPECT_EQ(write_to(*ends_.write, std::string(5000, 'y')).value(), 1U);
}

TEST_F(PipeTest, NonBlockingEndsNeverWait) {
    set_nonblocking();
    std::string out;
    EXPECT_ERRNO(read_some(*ends_.read, out, 1), Again);
    EXPECT_EQ(read_some(*ends_.read, out, 0).value(), 0U);
    ends_.write.reset();
    EXPECT_EQ(read_some(*ends_.read, out, 1).value(), 0U);
}

TEST_F(PipeTest, PollTellsTheState) {
    EXPECT_EQ(guest::vfs_poll(*ends_.read, nullptr), 0U);
    EXPECT_EQ(guest::vfs_poll(*ends_.write, nullptr), abi::kPollOut | abi::kPollWrNorm);
    ASSERT_OK(write_to(*ends_.write, std::string(kCapacity, 'x')));
    EXPECT_EQ(guest::vfs_poll(*ends_.read, nullptr), abi::kPollIn | abi::kPollRdNorm);
    EXPECT_EQ(guest::vfs_poll(*ends_.write, nullptr), 0U);
    ends_.write.reset();
    EXPECT_EQ(guest::vfs_poll(*ends_.read, nullptr), abi::kPollIn | abi::kPollRdNorm | abi::kPollHup);
    ends_ = guest::create_pipe(0).release_value();
    ends_.read.reset();
    EXPECT_EQ(guest::vfs_poll(*ends_.write, nullptr), abi::kPollOut | abi::kPollWrNorm | abi::kPollErr);
}

TEST_F(PipeTest, HasNoOffsetAndAName) {
    EXPECT_ERRNO(guest::vfs_llseek(*ends_.read, 0, abi::kSeekSet), SPipe);
    EXPECT_THAT(path_of(ends_.read->f_path), testing::MatchesRegex("pipe:\\[[0-9]+\\]"));
}

TEST_F(PipeTest, EveryFailedCreationLeavesNothing) {
    for (uint64_t nth = 1; nth < 20; ++nth) {
        const int64_t before = host_kernel::live_allocations();
        host_kernel::fail_allocation(nth);
        auto ends = guest::create_pipe(0);
        const bool reached = host_kernel::failure_happened();
        host_kernel::fail_allocation(0);
        EXPECT_EQ(ends.ok(), !reached);
        if (ends.ok()) return;
        EXPECT_ERRNO(ends, NoMem);
        EXPECT_EQ(host_kernel::live_allocations(), before);
    }
    FAIL() << "create_pipe always fails";
}

class FifoTest : public FsTest {
protected:
    void SetUp() override {
        FsTest::SetUp();
        ASSERT_OK(guest::vfs_mknodat(at(), "/fifo", abi::kIfIfo | 0600, 0));
    }
};

TEST_F(FifoTest, EachSideWaitsForTheOther) {
    guest::RefPtr<guest::file> writer;
    on_sleep([&] { writer = open("/fifo", abi::kOWrOnly).release_value(); });
    auto reader = open("/fifo", abi::kORdOnly);
    ASSERT_OK(reader);
    ASSERT_OK(write_to(*writer, "through"));
    EXPECT_EQ(read_all(*reader.value(), 7), "through");
}

TEST_F(FifoTest, NonBlockingOpens) {
    EXPECT_ERRNO(open("/fifo", abi::kOWrOnly | abi::kONonBlock), NxIo);
    auto reader = open("/fifo", abi::kORdOnly | abi::kONonBlock);
    ASSERT_OK(reader);
    // No writer came yet: that is no hang-up.
    EXPECT_EQ(guest::vfs_poll(*reader.value(), nullptr), 0U);
    auto writer = open("/fifo", abi::kOWrOnly | abi::kONonBlock);
    ASSERT_OK(writer);
    writer.value().reset();
    EXPECT_EQ(guest::vfs_poll(*reader.value(), nullptr), abi::kPollHup);
}

TEST_F(FifoTest, AnInterruptedOpenLeavesNothing) {
    host_kernel::signal_is_pending = true;
    EXPECT_ERRNO(open("/fifo", abi::kORdOnly), RestartSys);
    EXPECT_ERRNO(open("/fifo", abi::kOWrOnly), RestartSys);
    EXPECT_EQ(find("/fifo").value().dentry->d_inode->i_pipe, nullptr);
    EXPECT_ERRNO(open("/fifo", abi::kOWrOnly | abi::kONonBlock), NxIo);
}

TEST_F(FifoTest, BothSidesInOneDescription) {
    auto both = open("/fifo", abi::kORdWr);
    ASSERT_OK(write_to(*both.value(), "echo"));
    EXPECT_EQ(read_all(*both.value(), 4), "echo");
}

}  // namespace
}  // namespace guest_fs_test
