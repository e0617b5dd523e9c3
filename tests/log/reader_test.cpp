// Filters, seeking, and what a reader does with things that it does not know.
#include "emu/log/reader.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "emu/log/chunk_file.hpp"
#include "tests/log/busy_guest.hpp"
#include "tests/log/log_file.hpp"

namespace forkscope::log {
namespace {

using test::read_all;
using test::TempDir;

class ReaderTest : public ::testing::Test {
protected:
    void SetUp() override {
        test::make_busy_stream(60'000, 2, [this](const Event& e) { events_.push_back(e); });
        // Small chunks, so that there is something to skip.
        test::write_log(dir_ / "a.mmu", events_, 1000);
        auto opened = Reader::open(dir_ / "a.mmu");
        ASSERT_TRUE(opened);
        reader_ = std::move(*opened);
    }

    void expect_filtered(const EventFilter& filter) {
        std::vector<Event> expected;
        std::vector<uint64_t> numbers;
        for (size_t i = 0; i < events_.size(); ++i) {
            if (i < filter.from_event || i > filter.to_event || !filter.passes(events_[i])) continue;
            if ((filter.kinds & mask_of(events_[i].kind)) == 0) continue;
            expected.push_back(events_[i]);
            numbers.push_back(i);
        }
        const auto got = read_all(*reader_, filter);
        EXPECT_TRUE(test::same(got.events, expected)) << got.events.size() << " of " << expected.size();
        EXPECT_EQ(got.numbers, numbers);
        for (const size_t seen : {size_t{0}, expected.size() / 2, expected.size()}) {
            auto cursor = reader_->events(filter);
            for (size_t i = 0; i < seen; ++i) ASSERT_TRUE(cursor.next());
            EXPECT_EQ(cursor.count_rest(), expected.size() - seen);
            EXPECT_FALSE(cursor.next());
        }
    }

    TempDir dir_;
    std::vector<Event> events_;
    std::unique_ptr<Reader> reader_;
};

TEST_F(ReaderTest, FiltersGiveWhatASlowComparisonGives) {
    const uint64_t middle = events_[events_.size() / 2].icount;
    expect_filtered({});
    expect_filtered({.kinds = mask_of(EventKind::PageFault)});
    expect_filtered({.kinds = mask_of(EventKind::Flush) | mask_of(EventKind::RootDeath)});
    expect_filtered({.from_icount = middle, .to_icount = middle + 5000});
    expect_filtered({.from_icount = ~uint64_t{0}});
    expect_filtered({.tasks = {3}});
    expect_filtered({.tasks = {9999}});
    expect_filtered({.tasks = {9999, 2, 3}});
    expect_filtered({.root = events_[events_.size() / 3].root});
    expect_filtered({.va = VaRange{0x7f12'3400'2000, 0x7f12'3400'3fff}});
    expect_filtered({.level = uint8_t{4}});
    expect_filtered({.from_event = 31'007});
    expect_filtered({.to_event = 0});
    expect_filtered({.from_event = 999, .to_event = 2000, .kinds = mask_of(EventKind::TlbFill)});
    expect_filtered({.from_icount = middle, .to_event = 40'123});
    expect_filtered({.from_event = 10'000'000});
    expect_filtered({.from_event = 1'000'000});
    expect_filtered({.from_icount = middle, .kinds = mask_of(EventKind::TlbFill), .tasks = {1}});
}

TEST_F(ReaderTest, RandomFiltersGiveWhatASlowComparisonGives) {
    std::mt19937_64 random(4);
    for (unsigned round = 0; round < 60; ++round) {
        const Event& e = events_[random() % events_.size()];
        EventFilter filter;
        if (random() % 2 == 0) filter.from_icount = e.icount;
        if (random() % 2 == 0) filter.to_icount = e.icount + random() % 100'000;
        if (random() % 3 == 0) filter.kinds = random() & kKnownKinds;
        if (random() % 4 == 0) filter.tasks = {e.task};
        if (random() % 4 == 0) filter.va = VaRange{e.va, e.va + random() % 0x10000};
        if (random() % 5 == 0) filter.from_event = random() % events_.size();
        expect_filtered(filter);
    }
}

TEST_F(ReaderTest, TwoCursorsDoNotDisturbEachOther) {
    auto one = reader_->events();
    auto two = reader_->events({.kinds = mask_of(EventKind::PageFault)});
    size_t ones = 0;
    size_t twos = 0;
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < 50 && one.next(); ++i, more = true) ASSERT_EQ(one.number(), ones++);
        if (two.next()) more = true, ++twos;
    }
    EXPECT_EQ(ones, events_.size());
    EXPECT_GT(twos, 100u);
}

TEST_F(ReaderTest, TheCensusCountsWithoutDecoding) {
    const Census census = reader_->census();
    std::array<uint64_t, kKindValues> kinds{};
    for (const Event& e : events_) ++kinds[static_cast<size_t>(e.kind)];
    EXPECT_EQ(census.kinds, kinds);
    EXPECT_EQ(census.events, events_.size());
    EXPECT_EQ(census.first_icount, events_.front().icount);
    EXPECT_EQ(census.last_icount, events_.back().icount);
    EXPECT_EQ(census.event_chunks, (events_.size() + 999) / 1000);
}

TEST_F(ReaderTest, TwoCpusWithTheirOwnCountsAreBothFound) {
    std::vector<Event> events(5000);
    for (size_t i = 0; i < events.size(); ++i) {
        events[i].kind = EventKind::TlbFill;
        events[i].cpu = i % 2;
        events[i].icount = i % 2 == 0 ? 10 * i : 10 * i + 20'000;
    }
    test::write_log(dir_ / "smp.mmu", events, 100);
    auto reader = Reader::open(dir_ / "smp.mmu");
    ASSERT_TRUE(reader);
    const EventFilter filter{.from_icount = 25'000, .to_icount = 26'000};
    size_t expected = 0;
    for (const Event& e : events) expected += filter.passes(e) ? 1u : 0u;
    EXPECT_EQ(read_all(**reader, filter).events.size(), expected);
}

Event of_kind(unsigned kind, uint64_t icount) {
    Event e;
    e.kind = static_cast<EventKind>(kind);
    e.icount = icount;
    return e;
}

TEST(ReaderOfLaterLogs, UnknownKindsOfEventsAndChunksAreSkippedAndCounted) {
    TempDir dir;
    const std::vector<Event> events = {of_kind(1, 10), of_kind(200, 11), of_kind(5, 12), of_kind(0, 13)};
    {
        auto file = ChunkFile::create(dir / "a.mmu");
        ASSERT_TRUE(file);
        const Bytes payload = {1, 2, 3};
        ASSERT_TRUE((*file)->append(static_cast<ChunkKind>(99), payload, {}, {}));
        ColumnEncoder encoder;
        const auto summary = summarize(events, 0);
        IndexEntry entry;
        entry.first_icount = summary.first_icount;
        entry.last_icount = summary.last_icount;
        entry.count = summary.count;
        ASSERT_TRUE(
            (*file)->append(ChunkKind::Events, encoder.encode(events), encode_summary(summary), entry));
        ASSERT_TRUE((*file)->append_end(4, 0));
        ASSERT_TRUE((*file)->close());
    }
    auto bytes = test::read_bytes(dir / "a.mmu");
    const Bytes header = encode_file_header(kFormatVersion + 1);
    std::copy(header.begin(), header.end(), bytes.begin());
    test::write_bytes(dir / "a.mmu", bytes);

    auto reader = Reader::open(dir / "a.mmu");
    ASSERT_TRUE(reader);
    const auto got = read_all(**reader);
    EXPECT_EQ(got.numbers, (std::vector<uint64_t>{0, 2}));
    (void)(*reader)->census();
    EXPECT_TRUE((*reader)->damage().none()) << (*reader)->damage().describe();
    EXPECT_EQ((*reader)->unknown().chunks, 1u);
    EXPECT_EQ((*reader)->unknown().events, 2u);
    EXPECT_EQ((*reader)->unknown().describe(),
              fmt::format("written in format version {}, this program knows {}; 1 chunk of unknown kind or "
                          "version left out; 2 events of unknown kind left out",
                          kFormatVersion + 1, kFormatVersion));
}

TEST(ReaderOpen, SaysWhatIsWrongInOneLine) {
    TempDir dir;
    const auto message = [&](const std::string& name) {
        const auto reader = Reader::open(dir / name);
        return reader ? std::string("opened") : reader.error().message;
    };
    EXPECT_NE(message("none.mmu").find("No such file"), std::string::npos);
    test::write_bytes(dir / "empty.mmu", {});
    EXPECT_NE(message("empty.mmu").find("is empty"), std::string::npos);
    const std::string text = "#!/bin/sh\necho this is a script and no log, however long it may be\n";
    test::write_bytes(dir / "text.mmu", {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    EXPECT_NE(message("text.mmu").find("is not a Forkscope log"), std::string::npos);
    std::filesystem::create_directory(dir / "dir.mmu");
    EXPECT_NE(message("dir.mmu").find("not a regular file"), std::string::npos);
}

}  // namespace
}  // namespace forkscope::log
