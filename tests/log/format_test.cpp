// Header, heads, summaries, index, symbols and meta: to bytes and back, and what is refused.
#include "emu/log/format.hpp"

#include <gtest/gtest.h>

#include "emu/log/meta.hpp"

namespace forkscope::log {
namespace {

TEST(Bytes, VarintsOfEveryLengthRoundTrip) {
    for (unsigned shift = 0; shift < 64; ++shift) {
        for (const uint64_t value :
             {uint64_t{1} << shift, (uint64_t{1} << shift) - 1, ~uint64_t{0} >> shift}) {
            Bytes out;
            append_varint(out, value);
            EXPECT_EQ(out.size(), varint_bytes(value));
            ByteReader in(out);
            EXPECT_EQ(in.varint(), value);
            EXPECT_FALSE(in.failed());
            EXPECT_EQ(in.left(), 0u);
        }
    }
}

TEST(Bytes, OverlongAndCutVarintsFail) {
    const Bytes too_big = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02};
    ByteReader big(too_big);
    (void)big.varint();
    EXPECT_TRUE(big.failed());
    const Bytes cut = {0x80, 0x80};
    ByteReader short_one(cut);
    (void)short_one.varint();
    EXPECT_TRUE(short_one.failed());
    EXPECT_EQ(short_one.word<uint64_t>(), 0u);
}

TEST(Bytes, ZigzagKeepsSmallMagnitudesSmall) {
    EXPECT_EQ(zigzag(0), 0u);
    EXPECT_EQ(zigzag(~uint64_t{0}), 1u);
    EXPECT_EQ(zigzag(1), 2u);
    for (const uint64_t v : {uint64_t{0}, uint64_t{5}, ~uint64_t{4}, uint64_t{1} << 63})
        EXPECT_EQ(unzigzag(zigzag(v)), v);
}

TEST(FileHeader, RoundTripsAndNoticesEveryFlippedBit) {
    const Bytes good = encode_file_header(7);
    ASSERT_EQ(good.size(), kFileHeaderBytes);
    EXPECT_EQ(decode_file_header(good), 7u);
    for (size_t bit = 0; bit < good.size() * 8; ++bit) {
        Bytes bad = good;
        bad[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
        EXPECT_FALSE(decode_file_header(bad)) << bit;
    }
}

ChunkHead some_head() {
    ChunkHead head;
    head.kind = ChunkKind::Symbols;
    head.codec = Codec::Zstd;
    head.stored_bytes = 100;
    head.raw_bytes = 300;
    head.number = 9;
    head.payload_hash = 0x1234'5678'9abc'def0;
    head.summary = {1, 2, 3, 4, 5};
    return head;
}

TEST(ChunkHead, RoundTripsAndNoticesEveryFlippedBit) {
    const Bytes good = encode_head(some_head());
    const auto back = decode_head(good);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->kind, ChunkKind::Symbols);
    EXPECT_EQ(back->stored_bytes, 100u);
    EXPECT_EQ(back->raw_bytes, 300u);
    EXPECT_EQ(back->number, 9u);
    EXPECT_EQ(back->payload_hash, 0x1234'5678'9abc'def0u);
    EXPECT_EQ(back->summary, (Bytes{1, 2, 3, 4, 5}));
    EXPECT_EQ(back->bytes_in_file(), good.size() + 100);
    for (size_t bit = 0; bit < good.size() * 8; ++bit) {
        Bytes bad = good;
        bad[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
        EXPECT_FALSE(decode_head(bad)) << bit;
    }
}

TEST(ChunkHead, SizesBeyondTheLimitsAreRefusedEvenWithAGoodHash) {
    ChunkHead head = some_head();
    head.raw_bytes = kMaxRawBytes + 1;
    EXPECT_FALSE(decode_head(encode_head(head)));
    head = some_head();
    head.codec = Codec::Stored;  // but two sizes
    EXPECT_FALSE(decode_head(encode_head(head)));
}

TEST(EventsSummary, CountsKindsAndRange) {
    std::vector<Event> events(3);
    events[0].kind = EventKind::TlbFill;
    events[0].icount = 50;
    events[0].task = 65;
    events[1].kind = EventKind::PteWrite;
    events[1].icount = 40;  // another CPU
    events[1].root = 0x3000;
    events[2] = events[0];
    const EventsSummary s = summarize(events, 1000);
    EXPECT_EQ(s.first_icount, 40u);
    EXPECT_EQ(s.last_icount, 50u);
    EXPECT_EQ(s.count_of(static_cast<uint8_t>(EventKind::TlbFill)), 2u);
    EXPECT_EQ(s.task_mask, task_bit(0) | task_bit(1));
    EXPECT_EQ(s.root_mask, root_bit(0) | root_bit(0x3000));
    const auto back = decode_events_summary(encode_summary(s));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->kinds, s.kinds);
    EXPECT_EQ(back->first_event, 1000u);
}

TEST(EventsSummary, CountsThatDoNotAddUpAreRefused) {
    EventsSummary s;
    s.count = 5;
    s.kinds = {{1, 2}, {2, 2}};
    EXPECT_FALSE(decode_events_summary(encode_summary(s)));
    s.kinds = {{1, 3}, {2, 2}};
    EXPECT_TRUE(decode_events_summary(encode_summary(s)));
}

TEST(Index, RoundTripsAndRefusesWhatIsCut) {
    std::vector<IndexEntry> entries = {{32, ChunkKind::Meta, 1, 0, 0, 0},
                                       {500, ChunkKind::Events, 1, 10, 999, 32768},
                                       {uint64_t{1} << 40, static_cast<ChunkKind>(77), 3, 5, 6, 7}};
    const Bytes bytes = encode_index(entries);
    EXPECT_EQ(decode_index(bytes), entries);
    for (size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(decode_index(ByteView(bytes).first(n))) << n;
}

TEST(Symbols, RoundTripAndRefuseWhatIsCut) {
    SymbolModule module{
        ModuleKind::User, "forkdemo", "/bin/forkdemo", {{0x401000, 30, "main"}, {0x401020, 0, "x"}}};
    const Bytes bytes = encode_symbols(module);
    EXPECT_EQ(decode_symbols(bytes), module);
    for (size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(decode_symbols(ByteView(bytes).first(n))) << n;
}

TEST(Lines, RoundTripAndRefuseWhatIsCutOrOutOfBounds) {
    SymbolModule module{ModuleKind::Kernel, "kernel", "k", {}, {"mm/copy.cpp", "mm/fault.cpp"}};
    module.lines = {{0x1000, 1, 300}, {0x1004, 0, 7}, {0x1009, 0, 0}, {0x2000, 1, 0xffff'ffff}};
    const Bytes bytes = encode_lines(module);
    EXPECT_EQ(decode_lines(bytes), module);
    for (size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(decode_lines(ByteView(bytes).first(n))) << n;
    module.lines.push_back({0x3000, 2, 1});
    EXPECT_FALSE(decode_lines(encode_lines(module)));
}

TEST(Meta, RoundTripsThroughJson) {
    Meta meta;
    meta.program_version = "1.2";
    meta.cpu_model = "EPYC";
    meta.cpus = 2;
    meta.ram_bytes = 1 << 28;
    meta.ram = {{0, 0xa0000}, {0x100000, 0xff00000}};
    meta.kernel = "a \"path\"";
    meta.initrd = "b";
    meta.command_line = "quiet\ttabs";
    meta.instructions_per_second = 500;
    meta.kinds = mask_of(EventKind::PteWrite) | mask_of(EventKind::Flush);
    meta.options = {{"x", "y"}};
    const auto back = meta_from_json(meta_to_json(meta));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, meta);
}

TEST(Meta, BytesThatAreNoUtf8AreReplaced) {
    Meta meta;
    meta.command_line = "bad \xff byte";
    const auto back = meta_from_json(meta_to_json(meta));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->command_line, "bad \xef\xbf\xbd byte");
}

TEST(Meta, WrongTypesAndUnknownMembersAreIgnoredAndOtherTextRefused) {
    const auto odd =
        meta_from_json(R"({"cpus":"many","ram":[1,{"base":5}],"kinds":["flush","new"],"later":{}})");
    ASSERT_TRUE(odd);
    EXPECT_EQ(odd->cpus, 1u);
    EXPECT_EQ(odd->kinds, mask_of(EventKind::Flush));
    EXPECT_EQ(odd->ram, (std::vector<RamRegion>{{5, 0}}));
    EXPECT_FALSE(meta_from_json("[]"));
    EXPECT_FALSE(meta_from_json("{"));
    EXPECT_FALSE(meta_from_json(""));
}

}  // namespace
}  // namespace forkscope::log
