// Logs that were cut, damaged or never finished: everything whole is read, and what is lost is said.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "emu/log/reader.hpp"
#include "emu/log/writer.hpp"
#include "tests/log/busy_guest.hpp"
#include "tests/log/log_file.hpp"

namespace forkscope::log {
namespace {

using test::read_all;
using test::read_bytes;
using test::TempDir;
using test::write_bytes;

struct Chunk {
    uint64_t begin;
    uint64_t end;
    uint64_t events;
};

// A whole log with several small chunks, and where they lie.
class DamagedLog : public ::testing::Test {
protected:
    void SetUp() override {
        std::vector<Event> stream;
        test::make_busy_stream(4'000, 6, [&](const Event& e) { stream.push_back(e); });
        events_.assign(stream.begin() + 3'000, stream.begin() + 3'200);
        test::write_log(path_, events_, 40);
        good_ = read_bytes(path_);
        auto reader = Reader::open(path_);
        ASSERT_TRUE(reader);
        ASSERT_TRUE((*reader)->damage().none());
        const auto& chunks = (*reader)->chunks();
        for (size_t i = 0; i < chunks.size(); ++i)
            chunks_.push_back({chunks[i].offset, i + 1 < chunks.size() ? chunks[i + 1].offset : good_.size(),
                               chunks[i].count});
    }

    TempDir dir_;
    std::filesystem::path path_ = dir_ / "a.mmu";
    std::vector<Event> events_;
    std::vector<uint8_t> good_;
    std::vector<Chunk> chunks_;
};

TEST_F(DamagedLog, CutAtEveryByteItGivesTheWholeChunksAndSaysWhatWasCut) {
    for (size_t size = 0; size < good_.size(); ++size) {
        write_bytes(path_, std::span(good_).first(size));
        auto reader = Reader::open(path_);
        if (size < kFileHeaderBytes) {
            ASSERT_FALSE(reader);
            EXPECT_NE(reader.error().message.find(size == 0 ? "is empty" : "is cut inside its header"),
                      std::string::npos);
            continue;
        }
        ASSERT_TRUE(reader) << size << ": " << reader.error().message;
        size_t whole = 0;
        uint64_t events = 0;
        for (; whole < chunks_.size() && chunks_[whole].end <= size; ++whole) events += chunks_[whole].events;
        const uint64_t ignored = size - (whole == 0 ? kFileHeaderBytes : chunks_[whole - 1].end);
        const std::string where =
            whole == 0 ? "before the first chunk" : "after chunk " + std::to_string(whole - 1);
        std::string told = "cut " + where;
        if (ignored != 0)
            told += ", " + std::to_string(ignored) + (ignored == 1 ? " byte" : " bytes") + " ignored";
        ASSERT_EQ((*reader)->damage().describe(), told);
        const auto back = read_all(**reader);
        ASSERT_TRUE(test::same(back.events, std::span(events_).first(events))) << size;
    }
}

TEST_F(DamagedLog, AFlippedBitAnywhereLosesAtMostItsOwnChunkAndIsNoticed) {
    std::mt19937_64 random(8);
    for (size_t byte = 0; byte < good_.size(); ++byte) {
        auto bad = good_;
        bad[byte] ^= static_cast<uint8_t>(1u << (random() % 8));
        write_bytes(path_, bad);
        auto reader = Reader::open(path_);
        ASSERT_TRUE(reader) << byte << ": " << reader.error().message;
        const auto back = read_all(**reader);
        (*reader)->verify();
        EXPECT_FALSE((*reader)->damage().none()) << "byte " << byte;
        size_t hit = 0;
        while (hit < chunks_.size() && chunks_[hit].end <= byte) ++hit;
        const uint64_t lost = byte < kFileHeaderBytes ? 0 : chunks_[hit].events;
        ASSERT_EQ(back.events.size(), events_.size() - lost) << "byte " << byte;
        EXPECT_EQ((*reader)->damage().missing_events, lost) << "byte " << byte;
        for (size_t i = 0; i < back.events.size(); ++i)
            ASSERT_TRUE(test::same({&back.events[i], 1}, {&events_[back.numbers[i]], 1}));
    }
}

TEST_F(DamagedLog, AHoleInTheMiddleIsReportedWithItsSize) {
    std::vector<uint8_t> bad(good_.begin(), good_.begin() + static_cast<ptrdiff_t>(chunks_[3].begin));
    bad.insert(bad.end(), good_.begin() + static_cast<ptrdiff_t>(chunks_[4].begin), good_.end());
    write_bytes(path_, bad);
    auto reader = Reader::open(path_);
    ASSERT_TRUE(reader);
    EXPECT_EQ((*reader)->damage().describe(), "1 chunk damaged and left out; 40 events missing");
    const auto back = read_all(**reader);
    EXPECT_EQ(back.events.size(), events_.size() - 40);
    EXPECT_EQ(back.numbers[40], 80u);
}

TEST_F(DamagedLog, BytesAfterTheEndMarkAreIgnored) {
    auto longer = good_;
    longer.insert(longer.end(), 13, 0xaa);
    write_bytes(path_, longer);
    auto reader = Reader::open(path_);
    ASSERT_TRUE(reader);
    EXPECT_EQ((*reader)->damage().describe(), "13 bytes after the end mark ignored");
    EXPECT_TRUE(test::same(read_all(**reader).events, events_));
}

TEST_F(DamagedLog, AnOverwrittenTailDoesNotHideWhatStandsBefore) {
    auto bad = good_;
    std::fill(bad.begin() + static_cast<ptrdiff_t>(chunks_[4].begin), bad.end(), uint8_t{0});
    write_bytes(path_, bad);
    auto reader = Reader::open(path_);
    ASSERT_TRUE(reader);
    EXPECT_EQ((*reader)->damage().describe(),
              "cut after chunk 3, " + std::to_string(good_.size() - chunks_[4].begin) + " bytes ignored");
    EXPECT_EQ(read_all(**reader).events.size(), 80u);
}

TEST_F(DamagedLog, RandomDamageNeverCrashes) {
    std::mt19937_64 random(12);
    for (unsigned round = 0; round < 300; ++round) {
        auto bad = good_;
        for (unsigned i = 0; i < 20; ++i) bad[random() % bad.size()] = static_cast<uint8_t>(random());
        bad.resize(random() % bad.size());
        write_bytes(path_, bad);
        auto reader = Reader::open(path_);
        if (!reader) continue;
        (void)read_all(**reader);
        (void)(*reader)->symbols();
        (void)(*reader)->census();
        (*reader)->verify();
    }
}

// ---- writing that fails

TEST(WriterOpen, AnUnwritablePathIsOneClearLine) {
    TempDir dir;
    const auto message = [&](const std::filesystem::path& path) {
        const auto writer = Writer::open(path, test::some_meta());
        return writer ? std::string("opened") : writer.error().message;
    };
    EXPECT_EQ(message(dir / "no/such/a.mmu"),
              "cannot write the log '" + (dir / "no/such/a.mmu").string() + "': No such file or directory");
    std::filesystem::create_directory(dir / "d");
    EXPECT_NE(message(dir / "d").find("Is a directory"), std::string::npos);
    EXPECT_EQ(message("/dev/full"), "cannot write the log '/dev/full': No space left on device");
    EXPECT_EQ(Writer::open("/dev/full", test::some_meta()).error().status, ExitStatus::BadInput);
}

TEST(WriterOpen, ALogThatIsBeingWrittenIsLeftAlone) {
    TempDir dir;
    auto first = Writer::open(dir / "a.mmu", test::some_meta());
    ASSERT_TRUE(first);
    const auto second = Writer::open(dir / "a.mmu", test::some_meta());
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find("another run is writing it"), std::string::npos);
    ASSERT_TRUE((*first)->finish());
    EXPECT_TRUE(Reader::open(dir / "a.mmu"));
    EXPECT_TRUE(Writer::open(dir / "a.mmu", test::some_meta()));
}

// Runs body in a child process and returns its wait status.
template <typename Body>
int in_child(Body&& body) {
    const pid_t pid = fork();
    if (pid == 0) {
        body();
        _exit(77);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return status;
}

void limit_file_size(uint64_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
}

// The disk is full after `limit` bytes. What is in the file then must be whole.
void fill_the_disk(const std::filesystem::path& path, const std::vector<Event>& events, uint64_t limit) {
    const int status = in_child([&] {
        limit_file_size(limit);
        auto writer = Writer::open(path, test::some_meta());
        if (!writer) _exit(1);
        for (size_t i = 0; i < events.size(); i += 500) {
            (*writer)->consume(std::span(events).subspan(i, std::min<size_t>(500, events.size() - i)));
            (*writer)->sync();
        }
        const bool sticky = !(*writer)->status();
        const auto finished = (*writer)->finish();
        if (!sticky || finished) _exit(2);
        _exit(finished.error().message.find("File too large") != std::string::npos ? 0 : 3);
    });
    ASSERT_EQ(status, 0);
}

TEST(FullDisk, TheErrorStaysAndWhatWasWrittenIsReadable) {
    TempDir dir;
    std::vector<Event> events;
    test::make_busy_stream(20'000, 6, [&](const Event& e) { events.push_back(e); });
    for (const uint64_t limit : std::vector<uint64_t>{4'000, 20'000, 50'000, 50'001, 57'123}) {
        fill_the_disk(dir / "a.mmu", events, limit);
        auto reader = Reader::open(dir / "a.mmu");
        ASSERT_TRUE(reader) << limit;
        const auto back = read_all(**reader);
        EXPECT_TRUE(test::same(back.events, std::span(events).first(back.events.size())));
        const Damage& damage = (*reader)->damage();
        EXPECT_EQ(damage.ignored_bytes, 0u) << damage.describe();
        EXPECT_EQ(damage.damaged_chunks, 0u) << damage.describe();
        EXPECT_GT(back.events.size(), 0u);
        // Either index and end mark still fitted, and then they say what is missing, or they did not.
        EXPECT_TRUE(damage.no_end || damage.unwritten_events == events.size() - back.events.size())
            << damage.describe();
    }
}

// The writing thread takes no signals, so the one that the kernel sends for a file that grew too big does not
// end the program.
TEST(FullDisk, TheSignalForItDoesNotKill) {
    TempDir dir;
    std::vector<Event> events;
    test::make_busy_stream(50'000, 6, [&](const Event& e) { events.push_back(e); });
    const int status = in_child([&] {
        limit_file_size(10'000);
        std::signal(SIGXFSZ, SIG_DFL);
        auto writer = Writer::open(dir / "a.mmu", test::some_meta());
        if (!writer) _exit(1);
        (*writer)->consume(events);
        _exit((*writer)->finish() ? 2 : 0);
    });
    EXPECT_EQ(status, 0);
}

TEST(FullDisk, AtTheStartNoFileIsLeftBehind) {
    TempDir dir;
    const int status = in_child([&] {
        limit_file_size(100);
        _exit(Writer::open(dir / "a.mmu", test::some_meta()) ? 1 : 0);
    });
    EXPECT_EQ(status, 0);
    EXPECT_FALSE(std::filesystem::exists(dir / "a.mmu"));
}

TEST(Kill, AllFinishedChunksOfAKilledWriterAreReadable) {
    TempDir dir;
    std::vector<Event> events;
    test::make_busy_stream(150'000, 6, [&](const Event& e) { events.push_back(e); });
    std::mt19937_64 random(3);
    size_t most = 0;
    for (unsigned round = 0; round < 12; ++round) {
        const auto path = dir / "a.mmu";
        int ready[2];
        ASSERT_EQ(pipe(ready), 0);
        const pid_t pid = fork();
        if (pid == 0) {
            auto writer = Writer::open(path, test::some_meta());
            if (!writer) _exit(1);
            (void)!write(ready[1], "x", 1);
            for (;;) (*writer)->consume(events);
        }
        char byte;
        ASSERT_EQ(read(ready[0], &byte, 1), 1);
        // Somewhere in the first dozen chunks.
        const uint64_t enough = random() % 2'000'000;
        while (std::filesystem::file_size(path) < enough) usleep(100);
        kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
        close(ready[0]);
        close(ready[1]);

        auto reader = Reader::open(path);
        ASSERT_TRUE(reader) << reader.error().message;
        const auto back = read_all(**reader);
        most = std::max(most, back.events.size());
        for (size_t i = 0; i < back.events.size(); ++i)
            ASSERT_TRUE(test::same({&back.events[i], 1}, {&events[i % events.size()], 1}));
        EXPECT_TRUE((*reader)->damage().no_end);
        EXPECT_EQ((*reader)->damage().damaged_chunks, 0u) << (*reader)->damage().describe();
    }
    EXPECT_GT(most, 0u);
}

}  // namespace
}  // namespace forkscope::log
