// Clock, calendar, alarm and CMOS memory.
#include "devices/cmos_rtc.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/devices/bench.hpp"

namespace forkscope::devices {
namespace {

class CmosRtcTest : public testing::Test {
protected:
    explicit CmosRtcTest(CmosRtc::Config config = {}) : rtc(bench.timers, irq, config) {}
    uint8_t get(unsigned index) {
        out(rtc, 0, index);
        return in(rtc, 1);
    }
    void put(unsigned index, unsigned value) {
        out(rtc, 0, index);
        out(rtc, 1, value);
    }
    std::string now() {
        return fmt::format("{:02x}{:02x}-{:02x}-{:02x} {:02x}:{:02x}:{:02x} day {}", get(0x32), get(9),
                           get(8), get(7), get(4), get(2), get(0), get(6));
    }

    Bench bench;
    bus::IrqLine irq;
    CmosRtc rtc;
    LineWatch watch{bench, irq};
};

TEST_F(CmosRtcTest, StartsAtAFixedDateAndRunsWithVirtualTime) {
    EXPECT_EQ(now(), "2024-01-01 00:00:00 day 2");
    bench.run_for(59 * kNsPerSecond);
    EXPECT_EQ(now(), "2024-01-01 00:00:59 day 2");
    bench.run_for(kNsPerSecond);
    EXPECT_EQ(now(), "2024-01-01 00:01:00 day 2");
    bench.run_for(uint64_t{59} * 86400 * kNsPerSecond);
    EXPECT_EQ(now(), "2024-02-29 00:01:00 day 5");
    EXPECT_EQ(bench.timers.next_deadline(), bus::kNever);
}

TEST_F(CmosRtcTest, SecondsTurnExactly) {
    bench.skip_to(kNsPerSecond - 1);
    EXPECT_EQ(get(0), 0x00);
    bench.skip_to(kNsPerSecond);
    EXPECT_EQ(get(0), 0x01);
}

TEST_F(CmosRtcTest, UpdateInProgressEightTicksBeforeTheSecond) {
    constexpr VirtualNs kTick = kNsPerSecond / 32768;
    EXPECT_EQ(get(0x0a), 0x26);
    bench.skip_to(kNsPerSecond - 9 * kTick);
    EXPECT_EQ(get(0x0a), 0x26);
    bench.skip_to(kNsPerSecond - 7 * kTick);
    EXPECT_EQ(get(0x0a), 0xa6);
    EXPECT_EQ(get(0), 0x00);
    bench.skip_to(kNsPerSecond);
    EXPECT_EQ(get(0x0a), 0x26);
}

TEST_F(CmosRtcTest, BinaryAndTwelveHourFormats) {
    bench.run_for(uint64_t{15} * 3600 * kNsPerSecond);
    EXPECT_EQ(get(4), 0x15);
    put(0x0b, 0x06);  // binary
    EXPECT_EQ(get(4), 15);
    EXPECT_EQ(get(9), 24);
    put(0x0b, 0x04);  // binary, 12 hours
    EXPECT_EQ(get(4), 0x80 | 3);
    put(0x0b, 0x00);  // BCD, 12 hours
    bench.run_for(uint64_t{7} * 3600 * kNsPerSecond);
    EXPECT_EQ(get(4), 0x80 | 0x10);
    bench.run_for(uint64_t{2} * 3600 * kNsPerSecond);
    EXPECT_EQ(get(4), 0x12);  // midnight is 12 AM
    bench.run_for(uint64_t{12} * 3600 * kNsPerSecond);
    EXPECT_EQ(get(4), 0x92);  // noon is 12 PM
}

TEST_F(CmosRtcTest, SettingTheClock) {
    put(0x0b, 0x82);
    put(0x00, 0x58);
    put(0x02, 0x59);
    put(0x04, 0x23);
    put(0x07, 0x31);
    put(0x08, 0x12);
    put(0x09, 0x99);
    put(0x32, 0x19);
    bench.run_for(10 * kNsPerSecond);
    EXPECT_EQ(now(), "1999-12-31 23:59:58 day 2");  // stands still; the day is as it was frozen
    put(0x0b, 0x02);
    EXPECT_EQ(now(), "1999-12-31 23:59:58 day 6");
    bench.run_for(2 * kNsPerSecond);
    EXPECT_EQ(now(), "2000-01-01 00:00:00 day 7");
}

TEST_F(CmosRtcTest, LinuxSetsTheTimeWithTheDividerHeld) {
    // mc146818_set_time(): SET, divider reset, registers, then both back.
    bench.run_for(3 * kNsPerSecond + kNsPerSecond / 3);
    put(0x0b, 0x82);
    put(0x0a, 0x76);
    put(0x02, 0x30);
    put(0x00, 0x00);
    bench.run_for(5 * kNsPerSecond);
    put(0x0b, 0x02);
    put(0x0a, 0x26);
    EXPECT_EQ(now(), "2024-01-01 00:30:00 day 2");
    bench.run_for(kNsPerSecond / 2 - 1);
    EXPECT_EQ(get(0), 0x00);
    bench.run_for(1);  // the first second ends half a second after the release
    EXPECT_EQ(get(0), 0x01);
    bench.run_for(kNsPerSecond);
    EXPECT_EQ(get(0), 0x02);
}

TEST_F(CmosRtcTest, WritingARunningRegisterGoesOnFromThere) {
    put(0x02, 0x45);
    bench.run_for(61 * kNsPerSecond);
    EXPECT_EQ(now(), "2024-01-01 00:46:01 day 2");
}

TEST_F(CmosRtcTest, PeriodicInterruptAtEachRate) {
    for (unsigned rate = 1; rate < 16; ++rate) {
        const unsigned hz = 32768u >> ((rate <= 2 ? rate + 7 : rate) - 1);
        put(0x0a, 0x20 | rate);
        put(0x0b, 0x42);
        (void)get(0x0c);
        watch.rises.clear();
        unsigned count = 0;
        const VirtualNs end = bench.now() + kNsPerSecond;
        while (bench.timers.next_deadline() <= end) {
            bench.run_until(bench.timers.next_deadline());
            ASSERT_EQ(get(0x0c) & 0xc0, 0xc0);
            ++count;
        }
        bench.run_until(end);
        EXPECT_EQ(count, hz) << rate;
        EXPECT_EQ(watch.rises.size(), hz) << rate;
        put(0x0b, 0x02);
    }
}

TEST_F(CmosRtcTest, RateZeroIsOff) {
    put(0x0a, 0x20);
    put(0x0b, 0x42);
    bench.run_for(kNsPerSecond);
    EXPECT_TRUE(watch.rises.empty());
    EXPECT_EQ(get(0x0c) & 0x40, 0);
}

TEST_F(CmosRtcTest, FlagsRiseWithoutInterruptsAndReadingClearsThem) {
    bench.skip_to(kNsPerSecond + 1);
    EXPECT_EQ(get(0x0c), 0x50);  // periodic and update-ended
    EXPECT_EQ(get(0x0c), 0x00);
    EXPECT_TRUE(watch.rises.empty());
}

TEST_F(CmosRtcTest, LineStaysHighUntilRegisterCIsRead) {
    put(0x0b, 0x12);
    bench.run_for(3 * kNsPerSecond);
    EXPECT_EQ(watch.rises, (std::vector<VirtualNs>{kNsPerSecond}));
    EXPECT_TRUE(irq.level());
    EXPECT_EQ(get(0x0c) & 0x90, 0x90);
    EXPECT_FALSE(irq.level());
    bench.run_for(kNsPerSecond);
    EXPECT_EQ(watch.rises.back(), 4 * kNsPerSecond);
}

TEST_F(CmosRtcTest, AlarmAtATimeOfDay) {
    put(0x01, 0x30);
    put(0x03, 0x15);
    put(0x05, 0x06);
    put(0x0b, 0x22);
    constexpr VirtualNs kAt = (6 * 3600 + 15 * 60 + 30) * kNsPerSecond;
    bench.run_for(kAt);
    EXPECT_EQ(watch.rises, (std::vector<VirtualNs>{kAt}));
    EXPECT_EQ(get(0x0c) & 0xa0, 0xa0);
    bench.run_for(uint64_t{86400} * kNsPerSecond);
    EXPECT_EQ(watch.rises.back(), kAt + uint64_t{86400} * kNsPerSecond);
}

TEST_F(CmosRtcTest, AlarmWildcards) {
    put(0x05, 0xff);
    put(0x03, 0xc0);
    put(0x01, 0x20);
    put(0x0b, 0x22);
    for (uint64_t minute = 0; minute < 3; ++minute) {
        bench.run_until((60 * minute + 20) * kNsPerSecond);
        ASSERT_EQ(watch.rises.size(), minute + 1);
        EXPECT_EQ(watch.rises.back(), (60 * minute + 20) * kNsPerSecond);
        (void)get(0x0c);
    }
}

TEST_F(CmosRtcTest, AlarmThatCannotMatchNeverComes) {
    put(0x05, 0xff);
    put(0x03, 0xff);
    put(0x01, 0x75);
    put(0x0b, 0x22);
    EXPECT_EQ(bench.timers.next_deadline(), bus::kNever);
    bench.skip_to(uint64_t{86400} * kNsPerSecond);
    EXPECT_EQ(get(0x0c) & 0x20, 0);
}

TEST_F(CmosRtcTest, SetStopsUpdatesAndTheirInterrupt) {
    put(0x0b, 0x92);
    EXPECT_EQ(get(0x0b), 0x82);
    bench.run_for(5 * kNsPerSecond);
    EXPECT_TRUE(watch.rises.empty());
    EXPECT_EQ(get(0x0c) & 0x30, 0);
    EXPECT_EQ(get(0), 0x00);
}

TEST_F(CmosRtcTest, ReadOnlyAndIndexRegisters) {
    put(0x0c, 0xff);
    put(0x0d, 0x00);
    EXPECT_EQ(get(0x0c), 0x00);
    EXPECT_EQ(get(0x0d), 0x80);
    EXPECT_EQ(in(rtc, 0), 0xff);
    put(0x80 | 0x40, 0x5a);  // the NMI mask bit is no part of the index
    EXPECT_EQ(get(0x40), 0x5a);
}

TEST_F(CmosRtcTest, NonsenseDatesBecomeSomeDate) {
    for (const unsigned b : {0x80u, 0x82u, 0x84u, 0x86u}) {
        put(0x0b, b);
        for (const unsigned index : {0u, 2u, 4u, 6u, 7u, 8u, 9u, 0x32u}) put(index, 0xff);
        put(0x0b, b & 0x7f);
        bench.run_for(kNsPerSecond);
        (void)now();
        for (const unsigned index : {0u, 2u, 4u, 6u, 7u, 8u, 9u, 0x32u}) put(index, 0x00);
        (void)now();
    }
}

TEST_F(CmosRtcTest, RestoreContinuesExactly) {
    put(0x02, 0x45);
    put(0x0b, 0x52);
    bench.run_for(7 * kNsPerSecond + 12345);
    const CmosRtc::Regs saved = rtc.regs();
    Bench other_bench;
    other_bench.skip_to(bench.now());
    bus::IrqLine other_irq;
    CmosRtc other(other_bench.timers, other_irq, {});
    other.restore(saved);
    EXPECT_EQ(other_irq.level(), irq.level());
    out(other, 0, 0x0c);
    EXPECT_EQ(in(other, 1), get(0x0c));
    EXPECT_EQ(other_bench.timers.next_deadline(), bench.timers.next_deadline());
    EXPECT_EQ(other.regs(), rtc.regs());
}

class CmosSizesTest : public CmosRtcTest {
protected:
    CmosSizesTest() : CmosRtcTest({.low_ram = 3 * kGiB, .high_ram = 5 * kGiB}) {}
    unsigned word(unsigned index) { return get(index) | static_cast<unsigned>(get(index + 1)) << 8; }
};

TEST_F(CmosSizesTest, MemorySizes) {
    EXPECT_EQ(word(0x15), 640u);
    EXPECT_EQ(word(0x17), 0xffffu);
    EXPECT_EQ(word(0x30), 0xffffu);
    EXPECT_EQ(word(0x34), (3 * kGiB - 16 * kMiB) / 65536);
    EXPECT_EQ(word(0x5b) | static_cast<unsigned>(get(0x5d)) << 16, 5 * kGiB / 65536);
    unsigned sum = 0;
    for (unsigned i = 0x10; i <= 0x2d; ++i) sum += get(i);
    EXPECT_EQ(static_cast<unsigned>(get(0x2e)) << 8 | get(0x2f), sum);
}

class CmosSmallTest : public CmosRtcTest {
protected:
    CmosSmallTest() : CmosRtcTest({.start = 951'782'399, .low_ram = 8 * kMiB}) {}
};

TEST_F(CmosSmallTest, SmallMemoryAndAnotherStart) {
    EXPECT_EQ(get(0x17) | get(0x18) << 8, 7 * 1024);
    EXPECT_EQ(get(0x34) | get(0x35) << 8, 0);
    EXPECT_EQ(now(), "2000-02-28 23:59:59 day 2");
    bench.run_for(kNsPerSecond);
    EXPECT_EQ(now(), "2000-02-29 00:00:00 day 3");
}

}  // namespace
}  // namespace forkscope::devices
