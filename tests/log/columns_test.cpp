// Events to columns and back.
#include "emu/log/columns.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "tests/log/busy_guest.hpp"

namespace forkscope::log {
namespace {

KindSet every_kind() { return KindSet().set(); }

void expect_round_trip(std::span<const Event> events) {
    ColumnEncoder encoder;
    ColumnDecoder decoder;
    std::vector<Event> back;
    std::vector<uint32_t> positions;
    const auto decoded = decoder.decode(encoder.encode(events), static_cast<uint32_t>(events.size()),
                                        every_kind(), back, positions);
    ASSERT_TRUE(decoded) << decoded.error().message;
    ASSERT_EQ(back.size(), events.size());
    for (size_t i = 0; i < back.size(); ++i) {
        ASSERT_EQ(std::memcmp(&back[i], &events[i], sizeof(Event)), 0) << "event " << i;
        ASSERT_EQ(positions[i], i);
    }
}

// Any bytes at all, unknown kinds and `reserved` included.
std::vector<Event> noise(size_t count, uint64_t seed, unsigned kinds) {
    std::mt19937_64 random(seed);
    std::vector<Event> events(count);
    for (Event& e : events) {
        uint64_t words[sizeof(Event) / 8];
        for (uint64_t& word : words) word = random() >> (random() % 64);
        std::memcpy(static_cast<void*>(&e), words, sizeof(e));
        e.kind = static_cast<EventKind>(random() % kinds);
    }
    return events;
}

TEST(Columns, NothingBecomesNothing) { expect_round_trip({}); }

TEST(Columns, OneEventOfEachKindRoundTrips) {
    for (unsigned kind = 0; kind < kKindValues; ++kind) {
        Event e;
        e.kind = static_cast<EventKind>(kind);
        e.icount = kind;
        e.b = ~uint64_t{0};
        expect_round_trip({&e, 1});
    }
}

TEST(Columns, AnyBytesRoundTrip) {
    for (uint64_t seed = 0; seed < 200; ++seed)
        expect_round_trip(noise(seed * 7 % 500, seed, seed % 3 == 0 ? 256 : 4));
}

TEST(Columns, ExtremeValuesRoundTrip) {
    std::vector<Event> events;
    for (const uint64_t a : {uint64_t{0}, ~uint64_t{0}, uint64_t{1} << 63, uint64_t{1}}) {
        for (const uint64_t b : {uint64_t{0}, ~uint64_t{0}, uint64_t{1} << 63}) {
            Event e;
            e.kind = EventKind::PteWrite;
            e.icount = a;
            e.va = b;
            e.pa = a ^ b;
            e.a = a;
            e.b = b;
            e.rip = a + b;
            e.task = static_cast<uint32_t>(a);
            e.reserved = static_cast<uint32_t>(b);
            events.push_back(e);
        }
    }
    expect_round_trip(events);
}

TEST(Columns, ARealisticStreamRoundTripsAndIsSmall) {
    std::vector<Event> events;
    test::make_busy_stream(30'000, 3, [&](const Event& e) { events.push_back(e); });
    expect_round_trip(events);
    ColumnEncoder encoder;
    EXPECT_LT(encoder.encode(events).size(), events.size() * 16);
}

TEST(Columns, OnlyWantedKindsAreDecodedWithTheirPositions) {
    const auto events = noise(1000, 5, 20);
    ColumnEncoder encoder;
    ColumnDecoder decoder;
    std::vector<Event> back;
    std::vector<uint32_t> positions;
    KindSet wanted;
    wanted.set(3).set(7);
    ASSERT_TRUE(decoder.decode(encoder.encode(events), 1000, wanted, back, positions));
    std::vector<uint32_t> expected;
    for (uint32_t i = 0; i < 1000; ++i)
        if (wanted.test(static_cast<size_t>(events[i].kind))) expected.push_back(i);
    ASSERT_EQ(positions, expected);
    for (size_t i = 0; i < back.size(); ++i)
        EXPECT_EQ(std::memcmp(&back[i], &events[positions[i]], sizeof(Event)), 0);
}

TEST(Columns, TheSameEventsGiveTheSameBytesWhateverCameBefore) {
    const auto first = noise(400, 1, 18);
    const auto second = noise(900, 2, 18);
    ColumnEncoder fresh;
    const ByteView expected = fresh.encode(first);
    ColumnEncoder used;
    (void)used.encode(second);
    const ByteView again = used.encode(first);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), again.begin(), again.end()));
}

TEST(Columns, DamagedPayloadsAreRefusedOrDecodedButNeverCrash) {
    const auto events = noise(60, 9, 18);
    ColumnEncoder encoder;
    const ByteView whole = encoder.encode(events);
    const Bytes good(whole.begin(), whole.end());
    ColumnDecoder decoder;
    std::mt19937_64 random(11);
    unsigned refused = 0;
    for (unsigned round = 0; round < 20'000; ++round) {
        Bytes bad = good;
        const unsigned flips = 1 + static_cast<unsigned>(random() % 4);
        for (unsigned i = 0; i < flips; ++i)
            bad[random() % bad.size()] ^= static_cast<uint8_t>(1 + random() % 255);
        if (random() % 3 == 0) bad.resize(random() % bad.size());
        std::vector<Event> back;
        std::vector<uint32_t> positions;
        const auto count = static_cast<uint32_t>(random() % 5 == 0 ? random() : 60);
        if (!decoder.decode(bad, count, every_kind(), back, positions)) {
            ++refused;
            EXPECT_TRUE(back.empty());
            EXPECT_TRUE(positions.empty());
        }
    }
    EXPECT_GT(refused, 5000u);
}

TEST(Columns, AColumnMayNotReferToOneThatComesLater) {
    // One event; whole-chunk kind = PteWrite, then field va as a difference from field pa.
    Bytes payload = {2, 0, 0, 0, 0, 0, 1, 1, 1, 12, 4, 13, 1, 1, 0};
    ColumnDecoder decoder;
    std::vector<Event> back;
    std::vector<uint32_t> positions;
    const auto forward = decoder.decode(payload, 1, every_kind(), back, positions);
    ASSERT_FALSE(forward);
    EXPECT_EQ(forward.error().message, "column 12 refers to column 13");
    payload[11] = 5;
    EXPECT_TRUE(decoder.decode(payload, 1, every_kind(), back, positions));
}

TEST(Columns, AFieldOfALaterFormatIsLeftOut) {
    const Bytes payload = {2, 0, 0, 0, 0, 0, 1, 1, 1, 200, 0, 0, 1, 1, 42};
    ColumnDecoder decoder;
    std::vector<Event> back;
    std::vector<uint32_t> positions;
    ASSERT_TRUE(decoder.decode(payload, 1, every_kind(), back, positions));
    ASSERT_EQ(back.size(), 1u);
    EXPECT_EQ(back[0].kind, EventKind::PteWrite);
}

}  // namespace
}  // namespace forkscope::log
