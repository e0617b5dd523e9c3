// What a Writer puts into a file, and that nothing but the events decides about its bytes.
#include "emu/log/writer.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "tests/log/busy_guest.hpp"
#include "tests/log/log_file.hpp"

namespace forkscope::log {
namespace {

using test::read_all;
using test::read_bytes;
using test::TempDir;

std::vector<Event> busy(uint64_t count) {
    std::vector<Event> events;
    test::make_busy_stream(count, 1, [&](const Event& e) { events.push_back(e); });
    return events;
}

TEST(Writer, EventsRoundTripBitForBitOverManyChunks) {
    TempDir dir;
    const auto events = busy(100'000);
    test::write_log(dir / "a.mmu", events);
    auto reader = Reader::open(dir / "a.mmu");
    ASSERT_TRUE(reader) << reader.error().message;
    EXPECT_TRUE((*reader)->damage().none()) << (*reader)->damage().describe();
    EXPECT_EQ((*reader)->event_count(), events.size());
    const auto back = read_all(**reader);
    EXPECT_TRUE(test::same(back.events, events));
    for (size_t i = 0; i < back.numbers.size(); ++i) ASSERT_EQ(back.numbers[i], i);
    EXPECT_LT((*reader)->file_bytes(), events.size() * 8) << "at most 8 bytes an event";
}

TEST(Writer, RandomEventsRoundTrip) {
    TempDir dir;
    for (uint64_t seed = 0; seed < 20; ++seed) {
        const auto events = test::random_events(seed * seed * 10, seed);
        test::write_log(dir / "a.mmu", events, seed % 2 == 0 ? 0 : 97);
        auto reader = Reader::open(dir / "a.mmu");
        ASSERT_TRUE(reader);
        EXPECT_TRUE(test::same(read_all(**reader).events, events));
    }
}

TEST(Writer, MetaAndSymbolsComeBackSorted) {
    TempDir dir;
    SymbolModule user{ModuleKind::User, "forkdemo", "/bin/forkdemo", {{20, 1, "b"}, {10, 1, "a"}}};
    user.files = {"fork.c"};
    user.lines = {{22, 0, 9}, {20, 0, 8}};
    {
        auto writer = Writer::open(dir / "a.mmu", test::some_meta());
        ASSERT_TRUE(writer);
        ASSERT_TRUE((*writer)->add_symbols(test::some_symbols()));
        ASSERT_TRUE((*writer)->add_symbols(user));
        ASSERT_TRUE((*writer)->finish());
    }
    auto reader = Reader::open(dir / "a.mmu");
    ASSERT_TRUE(reader);
    EXPECT_EQ((*reader)->meta(), test::some_meta());
    std::swap(user.symbols[0], user.symbols[1]);
    std::swap(user.lines[0], user.lines[1]);
    EXPECT_EQ((*reader)->symbols(), (std::vector<SymbolModule>{test::some_symbols(), user}));
}

TEST(Writer, BytesDoNotDependOnHowEventsArriveNorOnTime) {
    TempDir dir;
    const auto events = busy(80'000);
    test::write_log(dir / "whole.mmu", events);
    {
        auto writer = Writer::open(dir / "pieces.mmu", test::some_meta());
        ASSERT_TRUE(writer);
        ASSERT_TRUE((*writer)->add_symbols(test::some_symbols()));
        for (size_t i = 0; i < events.size();) {
            const size_t n = std::min<size_t>(events.size() - i, 1 + i % 4099);
            (*writer)->consume({&events[i], n});
            i += n;
            if (i % 7 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
        ASSERT_TRUE((*writer)->finish());
    }
    EXPECT_EQ(read_bytes(dir / "whole.mmu"), read_bytes(dir / "pieces.mmu"));
}

TEST(Writer, SyncPutsAPartialChunkIntoTheFile) {
    TempDir dir;
    const auto events = busy(1000);
    auto writer = Writer::open(dir / "a.mmu", test::some_meta());
    ASSERT_TRUE(writer);
    (*writer)->consume(std::span(events).first(300));
    (*writer)->sync();
    EXPECT_EQ((*writer)->bytes_written(), std::filesystem::file_size(dir / "a.mmu"));
    auto reader = Reader::open(dir / "a.mmu");
    ASSERT_TRUE(reader);
    EXPECT_TRUE(test::same(read_all(**reader).events, std::span(events).first(300)));
    EXPECT_EQ((*reader)->damage().describe(), "cut after chunk 1");
    (*writer)->sync();  // nothing new: no empty chunk
    (*writer)->consume(std::span(events).subspan(300));
    ASSERT_TRUE((*writer)->finish());
    auto whole = Reader::open(dir / "a.mmu");
    ASSERT_TRUE(whole);
    EXPECT_EQ((*whole)->census().event_chunks, 2u);
    EXPECT_TRUE(test::same(read_all(**whole).events, events));
}

TEST(Writer, ALogWithoutEventsIsWhole) {
    TempDir dir;
    test::write_log(dir / "a.mmu", {});
    auto reader = Reader::open(dir / "a.mmu");
    ASSERT_TRUE(reader);
    EXPECT_TRUE((*reader)->damage().none());
    EXPECT_TRUE(read_all(**reader).events.empty());
    EXPECT_EQ((*reader)->census().first_icount, 0u);
}

TEST(Writer, ADroppedWriterFinishesItsFile) {
    TempDir dir;
    const auto events = busy(500);
    {
        auto writer = Writer::open(dir / "a.mmu", test::some_meta());
        ASSERT_TRUE(writer);
        (*writer)->consume(events);
    }
    auto reader = Reader::open(dir / "a.mmu");
    ASSERT_TRUE(reader);
    EXPECT_TRUE((*reader)->damage().none());
    EXPECT_EQ(read_all(**reader).events.size(), events.size());
}

TEST(Writer, EventsAfterFinishAreIgnoredAndFinishRepeats) {
    TempDir dir;
    const auto events = busy(100);
    auto writer = Writer::open(dir / "a.mmu", test::some_meta());
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->finish());
    (*writer)->consume(events);
    (*writer)->sync();
    EXPECT_FALSE((*writer)->add_symbols(test::some_symbols()));
    ASSERT_TRUE((*writer)->finish());
    EXPECT_EQ((*writer)->events(), 0u);
    auto reader = Reader::open(dir / "a.mmu");
    ASSERT_TRUE(reader);
    EXPECT_EQ((*reader)->event_count(), 0u);
}

TEST(Writer, AShorterLogReplacesALongerOne) {
    TempDir dir;
    test::write_log(dir / "a.mmu", busy(50'000));
    test::write_log(dir / "a.mmu", busy(10));
    auto reader = Reader::open(dir / "a.mmu");
    ASSERT_TRUE(reader);
    EXPECT_TRUE((*reader)->damage().none());
    EXPECT_LT((*reader)->event_count(), 10'000u);
}

TEST(Writer, WorksAsTheSinkOfARecorder) {
    TempDir dir;
    const auto events = busy(40'000);
    auto writer = Writer::open(dir / "a.mmu", test::some_meta());
    ASSERT_TRUE(writer);
    Recorder recorder;
    recorder.attach(**writer, kAllKinds);
    for (const Event& e : events) recorder.append(e);
    recorder.flush();
    ASSERT_TRUE((*writer)->finish());
    auto reader = Reader::open(dir / "a.mmu");
    ASSERT_TRUE(reader);
    EXPECT_TRUE(test::same(read_all(**reader).events, events));
}

}  // namespace
}  // namespace forkscope::log
