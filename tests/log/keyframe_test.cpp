// Beginning in the middle of a log gives what going through all of it gives.
#include "emu/log/keyframe.hpp"

#include <gtest/gtest.h>

#include "emu/log/replay.hpp"
#include "emu/log/writer.hpp"
#include "tests/log/fake_guest.hpp"
#include "tests/log/log_file.hpp"

namespace forkscope::log {
namespace {

using test::FakeGuest;
using test::kUserHeap;
using test::TempDir;

std::vector<Event> generations(unsigned count) {
    FakeGuest guest;
    guest.touch_new_pages(kUserHeap, 40);
    for (unsigned i = 0; i < count; ++i) {
        const uint32_t child = guest.fork();
        guest.switch_to(child);
        for (unsigned p = 0; p < 10; ++p) guest.write(kUserHeap + ((i + p) % 40) * 0x1000);
        guest.exit(0);
        guest.switch_to(1);
        guest.reap(child);
        guest.write(kUserHeap + (i % 40) * 0x1000);
    }
    // One that has not run yet, and tables of several levels in one frame.
    (void)guest.fork();
    guest.map_root_into_itself(200);
    guest.touch_new_pages(kUserHeap + 0x100'0000, 3);
    return guest.events();
}

// Keyframes as near to each other as chunks allow, whatever they cost.
void write_with_keyframes(const std::filesystem::path& path, std::span<const Event> events, size_t chunk,
                          uint64_t least_events = 1) {
    auto writer = Writer::open(path, test::some_meta(), {.keeper = nullptr, .least_events = least_events});
    ASSERT_TRUE(writer);
    while (!events.empty()) {
        const size_t n = std::min(chunk, events.size());
        (*writer)->consume(events.first(n));
        (*writer)->sync();
        events = events.subspan(n);
    }
    ASSERT_TRUE((*writer)->finish());
}

std::vector<size_t> keyframe_chunks(const Reader& reader) {
    std::vector<size_t> found;
    for (size_t i = 0; i < reader.chunks().size(); ++i)
        if (reader.chunks()[i].kind == ChunkKind::Keyframe) found.push_back(i);
    return found;
}

void expect_same(const Replay& a, const Replay& b) {
    EXPECT_EQ(a.audit_hash().digest(), b.audit_hash().digest());
    EXPECT_EQ(a.roots(), b.roots());
    for (unsigned level = 1; level <= kTopLevel; ++level)
        for (const uint64_t frame : a.tables_at(level)) {
            ASSERT_NE(b.table(frame), nullptr);
            EXPECT_EQ(a.table(frame)->references, b.table(frame)->references);
            EXPECT_EQ(a.table(frame)->span[level], b.table(frame)->span[level]);
        }
}

class Keyframes : public ::testing::Test {
protected:
    void SetUp() override { write_with_keyframes(path_, events_, 500); }
    [[nodiscard]] std::unique_ptr<Reader> open() const {
        auto reader = Reader::open(path_);
        EXPECT_TRUE(reader);
        return std::move(*reader);
    }

    std::vector<Event> events_ = generations(60);
    TempDir dir_;
    std::filesystem::path path_ = dir_ / "a.mmu";
};

TEST_F(Keyframes, GiveTheSameTablesAsAllEvents) {
    const auto reader = open();
    ASSERT_GT(keyframe_chunks(*reader).size(), 3u);
    EXPECT_EQ(reader->event_count(), events_.size());
    Replay replay;
    uint64_t applied = 0;
    for (uint64_t end = 0; end <= events_.size(); end += 1 + events_.size() / 40) {
        for (; applied < end; ++applied) replay.apply(events_[applied], applied);
        expect_same(replay_until(*reader, end), replay);
    }
    const Replay all = replay_until(*reader);
    for (; applied < events_.size(); ++applied) replay.apply(events_[applied], applied);
    expect_same(all, replay);
    EXPECT_EQ(all.report().contradictions, 0u) << all.report().described.front();
    EXPECT_TRUE(reader->damage().none());
}

TEST_F(Keyframes, AreTheLastOnesBefore) {
    const auto reader = open();
    EXPECT_EQ(reader->keyframe_before(0).next_event, 0u);
    EXPECT_TRUE(reader->keyframe_before(0).events.empty());
    const size_t chunk = keyframe_chunks(*reader)[1];
    const uint64_t at = reader->chunks()[chunk].first_event;
    EXPECT_EQ(reader->keyframe_before(at).next_event, at);
    EXPECT_LT(reader->keyframe_before(at - 1).next_event, at);
    EXPECT_FALSE(reader->keyframe_before(at - 1).events.empty());
}

TEST_F(Keyframes, ADamagedOneIsDoneWithout) {
    auto bytes = test::read_bytes(path_);
    const auto whole = open();
    for (const size_t chunk : keyframe_chunks(*whole)) bytes[whole->chunks()[chunk].offset + 80] ^= 1;
    test::write_bytes(path_, bytes);
    const auto reader = open();
    Replay replay;
    for (uint64_t i = 0; i < events_.size(); ++i) replay.apply(events_[i], i);
    expect_same(replay_until(*reader), replay);
    EXPECT_FALSE(reader->damage().none());
    EXPECT_EQ(reader->damage().missing_events, 0u);
}

TEST_F(Keyframes, OfManyEntriesComeInParts) {
    FakeGuest guest;
    for (unsigned i = 0; i < 150; ++i) guest.touch_new_pages(kUserHeap + uint64_t{i} * 0x20'0000, 512);
    for (unsigned i = 0; i < 4; ++i) guest.switch_to(guest.fork());
    const std::vector<Event> events = guest.events();
    // One keyframe, when nearly all is there.
    write_with_keyframes(path_, events, 20'000, events.size() - 30'000);
    const auto reader = open();
    ASSERT_GE(keyframe_chunks(*reader).size(), 2u);
    const Keyframe last = reader->keyframe_before(events.size());
    EXPECT_GT(last.events.size(), kMaxChunkEvents);
    Replay replay;
    for (uint64_t i = 0; i < events.size(); ++i) replay.apply(events[i], i);
    expect_same(replay_until(*reader), replay);
}

TEST(KeyframePace, KeepsADistanceAndASmallShare) {
    KeyframePace pace(1000);
    pace.wrote_events(999, 5000);
    EXPECT_FALSE(pace.is_due());
    pace.wrote_events(1, 1);
    EXPECT_TRUE(pace.is_due());
    pace.wrote_keyframe(1000);
    pace.wrote_events(5000, 1000 * KeyframePace::kShare - 1);
    EXPECT_FALSE(pace.is_due());
    pace.wrote_events(1, 1);
    EXPECT_TRUE(pace.is_due());
}

}  // namespace
}  // namespace forkscope::log
