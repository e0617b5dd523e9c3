// Dispatch by physical address.
#include "emu/bus/mmio_bus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace forkscope::bus {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Seen {
    uint64_t offset;
    Width width;
    uint64_t value;
    bool operator==(const Seen&) const = default;
};

class Probe final : public MmioDevice {
public:
    explicit Probe(WidthSet widths, uint8_t base = 0) : widths_(widths), base_(base) {}
    [[nodiscard]] WidthSet widths() const override { return widths_; }
    [[nodiscard]] uint64_t read(const MmioAccess& access) override {
        uint64_t value = 0;
        for (unsigned i = 0; i < 8; ++i)
            value |= uint64_t{static_cast<uint8_t>(base_ + access.offset + i)} << (8 * i);
        seen.push_back({access.offset, access.width, 0});
        return value;
    }
    void write(const MmioAccess& access, uint64_t value) override {
        seen.push_back({access.offset, access.width, value});
    }
    std::vector<Seen> seen;

private:
    WidthSet widths_;
    uint8_t base_;
};

constexpr WidthSet kAll = width_set(Width::Byte, Width::Word, Width::Dword, Width::Qword);

TEST(MmioBus, FindsTheRangeAmongMany) {
    MmioBus bus;
    Probe low(kAll, 0x10), high(kAll, 0x20), middle(kAll, 0x30);
    ASSERT_TRUE(bus.insert("high", {PhysAddr(0xfee00000), 0x1000}, high));
    ASSERT_TRUE(bus.insert("low", {PhysAddr(0xa0000), 0x20000}, low));
    ASSERT_TRUE(bus.insert("middle", {PhysAddr(0xfec00000), 0x1000}, middle));
    EXPECT_EQ(bus.read(PhysAddr(0xa0000), Width::Byte, 0), 0x10u);
    EXPECT_EQ(bus.read(PhysAddr(0xbffff), Width::Byte, 0), (0x10 + 0x1ffffu) & 0xff);
    EXPECT_EQ(bus.read(PhysAddr(0xfee00ff8), Width::Qword, 0), 0x1f1e1d1c1b1a1918u);
    EXPECT_EQ(bus.read(PhysAddr(0xfec00000), Width::Word, 0), 0x3130u);
    EXPECT_EQ(bus.read(PhysAddr(0xc0000), Width::Byte, 0), 0xffu);
    EXPECT_EQ(bus.read(PhysAddr(0x9ffff), Width::Byte, 0), 0xffu);
    EXPECT_TRUE(bus.is_claimed(PhysAddr(0xfee00fff)));
    EXPECT_FALSE(bus.is_claimed(PhysAddr(0xfee01000)));
    EXPECT_EQ(bus.claims()[0].name, "low");
    EXPECT_EQ(bus.claims()[1].name, "middle");
    EXPECT_EQ(bus.claims()[2].name, "high");
}

TEST(MmioBus, OverlapNamesBoth) {
    MmioBus bus;
    Probe probe(kAll);
    ASSERT_TRUE(bus.insert("lapic", {PhysAddr(0xfee00000), 0x1000}, probe));
    for (const MmioRange range :
         {MmioRange{PhysAddr(0xfee00fff), 1}, MmioRange{PhysAddr(0xfedff000), 0x1001},
          MmioRange{PhysAddr(0xfee00000), 0x1000}, MmioRange{PhysAddr(0), 0x100000000}}) {
        const auto result = bus.insert("other", range, probe);
        ASSERT_FALSE(result) << range.base.raw();
        EXPECT_THAT(result.error().message, HasSubstr("lapic"));
        EXPECT_THAT(result.error().message, HasSubstr("other"));
    }
    EXPECT_TRUE(bus.insert("below", {PhysAddr(0xfedff000), 0x1000}, probe));
    EXPECT_TRUE(bus.insert("above", {PhysAddr(0xfee01000), 0x1000}, probe));
}

TEST(MmioBus, RangeMustBeOne) {
    MmioBus bus;
    Probe probe(kAll);
    EXPECT_FALSE(bus.insert("empty", {PhysAddr(0x1000), 0}, probe));
    EXPECT_FALSE(bus.insert("wraps", {PhysAddr(0x1000), std::numeric_limits<uint64_t>::max()}, probe));
}

TEST(MmioBus, WidthsAreTakenApartAndCounted) {
    MmioBus bus;
    Probe lapic(width_set(Width::Dword));
    ASSERT_TRUE(bus.insert("lapic", {PhysAddr(0x1000), 0x100}, lapic));
    bus.write(PhysAddr(0x1010), Width::Qword, 0x8877665544332211, 0);
    EXPECT_THAT(lapic.seen,
                ElementsAre(Seen{0x10, Width::Dword, 0x44332211}, Seen{0x14, Width::Dword, 0x88776655}));
    EXPECT_EQ(bus.read(PhysAddr(0x1010), Width::Word, 0), 0xffffu);
    EXPECT_EQ(bus.claims()[0].counts.wrong_width, 2u);
    EXPECT_EQ(bus.claims()[0].counts.reads, 1u);
    EXPECT_EQ(bus.claims()[0].counts.writes, 1u);
}

TEST(MmioBus, StraddlingAccessIsSplitByByte) {
    MmioBus bus;
    Probe a(kAll, 0x10), b(kAll, 0x80);
    ASSERT_TRUE(bus.insert("a", {PhysAddr(0x1000), 2}, a));
    ASSERT_TRUE(bus.insert("b", {PhysAddr(0x1002), 1}, b));
    EXPECT_EQ(bus.read(PhysAddr(0x1000), Width::Dword, 0), 0xff801110u);
    bus.write(PhysAddr(0x1001), Width::Word, 0xbbaa, 0);
    EXPECT_EQ(a.seen.back(), (Seen{1, Width::Byte, 0xaa}));
    EXPECT_EQ(b.seen.back(), (Seen{0, Width::Byte, 0xbb}));
}

TEST(MmioBus, EndOfAddressSpace) {
    MmioBus bus;
    const PhysAddr last(std::numeric_limits<uint64_t>::max());
    EXPECT_EQ(bus.read(last, Width::Byte, 0), 0xffu);
    EXPECT_EQ(bus.read(last - 1, Width::Qword, 0), ~uint64_t{0});
    bus.write(last, Width::Qword, 0, 0);
    Probe probe(kAll, 0x42);
    ASSERT_TRUE(bus.insert("near the end", {last - 1, 1}, probe));
    EXPECT_EQ(bus.read(last - 1, Width::Dword, 0), 0xffffff42u);
}

TEST(MmioBus, UnclaimedPagesAreReportedOnceAndBounded) {
    MmioBus bus;
    unsigned reports = 0;
    bus.on_unclaimed([&](PhysAddr, Width, Direction) { ++reports; });
    for (int i = 0; i < 3; ++i)
        (void)bus.read(PhysAddr(0x5000 + 8u * static_cast<unsigned>(i)), Width::Qword, 0);
    EXPECT_EQ(reports, 1u);
    EXPECT_EQ(bus.unclaimed().at(PhysAddr(0x5000)).reads, 3u);
    for (uint64_t page = 0; page < 2 * MmioBus::kMaxUnclaimedPages; ++page)
        bus.write(PhysAddr(kGiB + page * kPageSize), Width::Dword, 0, 0);
    EXPECT_EQ(bus.unclaimed().size(), MmioBus::kMaxUnclaimedPages);
    EXPECT_EQ(reports, MmioBus::kMaxUnclaimedPages);
    EXPECT_EQ(bus.unclaimed_total().writes, 2 * MmioBus::kMaxUnclaimedPages);
    EXPECT_EQ(bus.unclaimed_total().reads, 3u);
}

}  // namespace
}  // namespace forkscope::bus
