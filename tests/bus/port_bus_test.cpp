// Port dispatch: claims, splitting, wrong widths, unclaimed ports.
#include "emu/bus/port_bus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>
#include <vector>

namespace forkscope::bus {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Seen {
    Direction direction;
    uint16_t offset;
    Width width;
    uint32_t value;
    CpuId cpu;
    bool operator==(const Seen&) const = default;
};

// Notes every access; a byte at offset n reads as base + n.
class Probe final : public PortDevice {
public:
    explicit Probe(WidthSet widths, uint8_t base = 0) : widths_(widths), base_(base) {}
    [[nodiscard]] WidthSet widths() const override { return widths_; }
    [[nodiscard]] uint32_t read(const PortAccess& access) override {
        uint32_t value = 0;
        for (unsigned i = 0; i < 4; ++i)
            value |= static_cast<uint32_t>(static_cast<uint8_t>(base_ + access.offset + i)) << (8 * i);
        seen.push_back({Direction::Read, access.offset, access.width, 0, access.cpu});
        return value;  // more bits than the width: the bus cuts them off
    }
    void write(const PortAccess& access, uint32_t value) override {
        seen.push_back({Direction::Write, access.offset, access.width, value, access.cpu});
    }

    std::vector<Seen> seen;

private:
    WidthSet widths_;
    uint8_t base_;
};

constexpr WidthSet kAll = width_set(Width::Byte, Width::Word, Width::Dword);

TEST(PortBus, DeviceSeesOffsetWidthAndCpu) {
    PortBus bus;
    Probe probe(kAll, 0x10);
    ASSERT_TRUE(bus.insert("probe", {0x3f8, 8}, probe));
    EXPECT_EQ(bus.read(0x3fa, Width::Word, 3), 0x1312u);
    bus.write(0x3f8, Width::Dword, 0xdeadbeef, 5);
    EXPECT_THAT(probe.seen, ElementsAre(Seen{Direction::Read, 2, Width::Word, 0, 3},
                                        Seen{Direction::Write, 0, Width::Dword, 0xdeadbeef, 5}));
    EXPECT_EQ(bus.claims()[0].counts.reads, 1u);
    EXPECT_EQ(bus.claims()[0].counts.writes, 1u);
    EXPECT_EQ(bus.claims()[0].counts.wrong_width, 0u);
}

TEST(PortBus, WriteValueIsCutToItsWidth) {
    PortBus bus;
    Probe probe(kAll);
    ASSERT_TRUE(bus.insert("probe", {0, 4}, probe));
    bus.write(0, Width::Byte, 0x12345678, 0);
    bus.write(0, Width::Word, 0x12345678, 0);
    EXPECT_EQ(probe.seen[0].value, 0x78u);
    EXPECT_EQ(probe.seen[1].value, 0x5678u);
}

TEST(PortBus, OverlapNamesBothAndClaimsNothing) {
    PortBus bus;
    Probe a(kAll), b(kAll);
    ASSERT_TRUE(bus.insert("first", {0x60, 2}, a));
    const auto result = bus.insert("second", {0x5e, 4}, b);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("0x60"));
    EXPECT_THAT(result.error().message, HasSubstr("first"));
    EXPECT_THAT(result.error().message, HasSubstr("second"));
    EXPECT_EQ(bus.claims().size(), 1u);
    EXPECT_EQ(bus.read(0x5e, Width::Byte, 0), 0xffu);
    EXPECT_TRUE(b.seen.empty());
}

TEST(PortBus, RangeMustFit) {
    PortBus bus;
    Probe probe(kAll);
    EXPECT_FALSE(bus.insert("empty", {0x10, 0}, probe));
    EXPECT_FALSE(bus.insert("past the end", {0xffff, 2}, probe));
    EXPECT_FALSE(bus.insert("huge", {0, 0xffffffff}, probe));
    EXPECT_TRUE(bus.insert("last", {0xffff, 1}, probe));
    EXPECT_TRUE(bus.insert("all others", {0, 0xffff}, probe));
}

TEST(PortBus, WideAccessToByteDeviceIsTakenApartAndCounted) {
    PortBus bus;
    Probe probe(width_set(Width::Byte), 0xa0);
    ASSERT_TRUE(bus.insert("bytes", {0x20, 4}, probe));
    EXPECT_EQ(bus.read(0x20, Width::Dword, 0), 0xa3a2a1a0u);
    bus.write(0x22, Width::Word, 0xbbaa, 0);
    EXPECT_THAT(
        probe.seen,
        ElementsAre(Seen{Direction::Read, 0, Width::Byte, 0, 0}, Seen{Direction::Read, 1, Width::Byte, 0, 0},
                    Seen{Direction::Read, 2, Width::Byte, 0, 0}, Seen{Direction::Read, 3, Width::Byte, 0, 0},
                    Seen{Direction::Write, 2, Width::Byte, 0xaa, 0},
                    Seen{Direction::Write, 3, Width::Byte, 0xbb, 0}));
    EXPECT_EQ(bus.claims()[0].counts.wrong_width, 2u);
}

TEST(PortBus, DwordToWordDeviceGoesInWords) {
    PortBus bus;
    Probe probe(width_set(Width::Byte, Width::Word));
    ASSERT_TRUE(bus.insert("words", {0x1f0, 8}, probe));
    bus.write(0x1f0, Width::Dword, 0x44332211, 0);
    EXPECT_THAT(probe.seen, ElementsAre(Seen{Direction::Write, 0, Width::Word, 0x2211, 0},
                                        Seen{Direction::Write, 2, Width::Word, 0x4433, 0}));
}

TEST(PortBus, TooNarrowAccessIsRefusedAndCounted) {
    PortBus bus;
    Probe probe(width_set(Width::Dword));
    ASSERT_TRUE(bus.insert("dwords", {0xcf8, 4}, probe));
    EXPECT_EQ(bus.read(0xcf8, Width::Byte, 0), 0xffu);
    EXPECT_EQ(bus.read(0xcf8, Width::Word, 0), 0xffffu);
    bus.write(0xcf9, Width::Byte, 6, 0);
    EXPECT_TRUE(probe.seen.empty());
    EXPECT_EQ(bus.claims()[0].counts.wrong_width, 3u);
    EXPECT_TRUE(bus.unclaimed().empty());
}

TEST(PortBus, StraddlingAccessIsSplitByByte) {
    PortBus bus;
    Probe low(kAll, 0x10), high(kAll, 0x80);
    ASSERT_TRUE(bus.insert("low", {0x100, 2}, low));
    ASSERT_TRUE(bus.insert("high", {0x102, 1}, high));
    // two bytes of one, one byte of the other, one of nobody
    EXPECT_EQ(bus.read(0x100, Width::Dword, 2), 0xff801110u);
    bus.write(0x101, Width::Word, 0xbbaa, 2);
    EXPECT_THAT(low.seen, ElementsAre(Seen{Direction::Read, 0, Width::Byte, 0, 2},
                                      Seen{Direction::Read, 1, Width::Byte, 0, 2},
                                      Seen{Direction::Write, 1, Width::Byte, 0xaa, 2}));
    EXPECT_THAT(high.seen, ElementsAre(Seen{Direction::Read, 0, Width::Byte, 0, 2},
                                       Seen{Direction::Write, 0, Width::Byte, 0xbb, 2}));
    EXPECT_EQ(bus.unclaimed().at(0x103).reads, 1u);
}

TEST(PortBus, NeighbouringRangesOfOneDeviceAreStillTwoRanges) {
    PortBus bus;
    Probe probe(kAll, 0);
    ASSERT_TRUE(bus.insert("a", {0x100, 1}, probe));
    ASSERT_TRUE(bus.insert("b", {0x101, 1}, probe));
    (void)bus.read(0x100, Width::Word, 0);
    EXPECT_THAT(probe.seen, ElementsAre(Seen{Direction::Read, 0, Width::Byte, 0, 0},
                                        Seen{Direction::Read, 0, Width::Byte, 0, 0}));
}

TEST(PortBus, LastPortStraddlesIntoNothing) {
    PortBus bus;
    Probe probe(kAll, 0x42);
    ASSERT_TRUE(bus.insert("last", {0xffff, 1}, probe));
    EXPECT_EQ(bus.read(0xffff, Width::Dword, 0), 0xffffff42u);
    bus.write(0xffff, Width::Word, 0x5566, 0);
    EXPECT_EQ(probe.seen.back(), (Seen{Direction::Write, 0, Width::Byte, 0x66, 0}));
    EXPECT_TRUE(bus.unclaimed().empty());
    // and without an owner
    PortBus empty;
    EXPECT_EQ(empty.read(0xffff, Width::Word, 0), 0xffffu);
    EXPECT_EQ(empty.unclaimed().at(0xffff).reads, 1u);
}

TEST(PortBus, UnclaimedPortsReadOnesAndAreReportedOnce) {
    PortBus bus;
    std::vector<std::tuple<uint16_t, Width, Direction>> reports;
    bus.on_unclaimed([&](uint16_t port, Width width, Direction d) { reports.emplace_back(port, width, d); });
    EXPECT_EQ(bus.read(0x80, Width::Byte, 0), 0xffu);
    EXPECT_EQ(bus.read(0xcf8, Width::Dword, 0), 0xffffffffu);
    EXPECT_EQ(bus.read(0x1234, Width::Word, 0), 0xffffu);
    for (int i = 0; i < 10; ++i) bus.write(0x80, Width::Byte, 0, 0);
    EXPECT_THAT(reports, ElementsAre(std::tuple(0x80, Width::Byte, Direction::Read),
                                     std::tuple(0xcf8, Width::Dword, Direction::Read),
                                     std::tuple(0x1234, Width::Word, Direction::Read)));
    EXPECT_EQ(bus.unclaimed().at(0x80).reads, 1u);
    EXPECT_EQ(bus.unclaimed().at(0x80).writes, 10u);
}

}  // namespace
}  // namespace forkscope::bus
