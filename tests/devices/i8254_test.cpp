// The timer chip in virtual time: exact instants of IRQ 0, latches, port B.
#include "devices/i8254.hpp"

#include <gtest/gtest.h>

#include "tests/devices/bench.hpp"

namespace forkscope::devices {
namespace {

// The first nanosecond at or after pulse k of 1,193,182 Hz.
VirtualNs at_pulse(uint64_t k) { return (k * kNsPerSecond + I8254::kHz - 1) / I8254::kHz; }

class I8254Test : public testing::Test {
protected:
    void program(unsigned counter, unsigned mode, unsigned count) {
        out(pit, 3, counter << 6 | 0x30 | mode << 1);
        out(pit, static_cast<uint16_t>(counter), count);
        out(pit, static_cast<uint16_t>(counter), count >> 8);
    }
    unsigned read_count(unsigned counter) {
        out(pit, 3, counter << 6);
        const unsigned low = in(pit, static_cast<uint16_t>(counter));
        return low | static_cast<unsigned>(in(pit, static_cast<uint16_t>(counter))) << 8;
    }

    Bench bench;
    bus::IrqLine irq;
    I8254 pit{bench.timers, irq};
    LineWatch watch{bench, irq};
};

TEST_F(I8254Test, QuietUntilProgrammed) {
    EXPECT_TRUE(irq.level());
    EXPECT_EQ(bench.timers.next_deadline(), bus::kNever);
    bench.run_for(10 * kNsPerSecond);
    EXPECT_TRUE(watch.falls.empty());
}

TEST_F(I8254Test, RateGeneratorAt100HzIsExactForAnHour) {
    // Linux's HZ=100 divisor. OUT is high from pulse 1 on; it rises again every 11,932 pulses.
    program(0, 2, 11932);
    constexpr uint64_t kTicks = 3600 * 100;
    bench.run_until(at_pulse(1 + kTicks * 11932));
    ASSERT_EQ(watch.rises.size(), kTicks);
    for (const uint64_t n : {uint64_t{1}, uint64_t{2}, uint64_t{1000}, kTicks}) {
        EXPECT_EQ(watch.rises[n - 1], at_pulse(1 + n * 11932));
        EXPECT_EQ(watch.falls[n - 1], at_pulse(n * 11932));
    }
}

TEST_F(I8254Test, CountStartsAtThePulseAfterTheWrite) {
    bench.run_until(at_pulse(1000) + 300);  // between pulses 1000 and 1001
    program(0, 2, 100);
    bench.run_until(at_pulse(1001 + 100));
    ASSERT_EQ(watch.rises.size(), 1u);
    EXPECT_EQ(watch.rises[0], at_pulse(1101));
}

TEST_F(I8254Test, SquareWaveOfTheFullCountIs18Point2Hz) {
    program(0, 3, 0);
    bench.run_until(at_pulse(1 + 3 * 65536));
    EXPECT_EQ(watch.falls, (std::vector<VirtualNs>{at_pulse(1 + 32768), at_pulse(1 + 65536 + 32768),
                                                   at_pulse(1 + 2 * 65536 + 32768)}));
    EXPECT_EQ(watch.rises, (std::vector<VirtualNs>{at_pulse(1 + 65536), at_pulse(1 + 2 * 65536),
                                                   at_pulse(1 + 3 * 65536)}));
}

TEST_F(I8254Test, OneShotOfMode0) {
    program(0, 0, 1193);
    EXPECT_FALSE(irq.level());
    bench.run_until(at_pulse(1 + 1193) - 1);
    EXPECT_FALSE(irq.level());
    bench.run_until(at_pulse(1 + 1193));
    EXPECT_TRUE(irq.level());
    bench.run_for(kNsPerSecond);
    EXPECT_EQ(watch.rises.size(), 1u);
    EXPECT_EQ(bench.timers.next_deadline(), bus::kNever);
}

TEST_F(I8254Test, ReadsSeeTheExactTimeWithoutTimersRunning) {
    program(0, 2, 1000);
    bench.skip_to(at_pulse(1));
    EXPECT_EQ(read_count(0), 1000u);
    bench.skip_to(at_pulse(2) - 1);
    EXPECT_EQ(read_count(0), 1000u);
    bench.skip_to(at_pulse(2));
    EXPECT_EQ(read_count(0), 999u);
    bench.skip_to(at_pulse(1000));
    EXPECT_EQ(read_count(0), 1u);
    bench.skip_to(at_pulse(1001));
    EXPECT_EQ(read_count(0), 1000u);
}

TEST_F(I8254Test, ReadPastADeadlineStillGivesTheEdgeOnce) {
    program(0, 2, 1000);
    bench.skip_to(at_pulse(1 + 2500));  // two periods and a half, and no timer has run
    (void)read_count(0);
    EXPECT_EQ(watch.rises.size(), 1u);
    bench.timers.run_due(bench.now());
    EXPECT_EQ(watch.rises.size(), 1u);
    bench.run_until(at_pulse(1 + 3000));
    EXPECT_EQ(watch.rises.size(), 2u);
    EXPECT_EQ(watch.rises[1], at_pulse(3001));
}

TEST_F(I8254Test, LatePeriodsAreRunOneByOne) {
    program(0, 2, 1000);
    bench.skip_to(at_pulse(1 + 3000));
    bench.timers.run_due(bench.now());
    EXPECT_EQ(watch.rises.size(), 3u);
}

TEST_F(I8254Test, NewControlWordStopsTheTimer) {
    program(0, 2, 1000);
    bench.run_until(at_pulse(500));
    out(pit, 3, 0x34);
    EXPECT_EQ(bench.timers.next_deadline(), bus::kNever);
}

TEST_F(I8254Test, ReadBackLatchesSeveralAtOnce) {
    program(0, 2, 1000);
    program(1, 2, 2000);
    bench.run_until(at_pulse(11));
    out(pit, 3, 0xc0 | 0x06);  // count and status of counters 0 and 1
    bench.run_until(at_pulse(500));
    EXPECT_EQ(in(pit, 0), 0x80 | 0x34);
    EXPECT_EQ(in(pit, 0) | in(pit, 0) << 8, 990);
    EXPECT_EQ(in(pit, 1), 0x80 | 0x34);
    EXPECT_EQ(in(pit, 1) | in(pit, 1) << 8, 1990);
    out(pit, 3, 0xe0 | 0x02);  // status only
    EXPECT_EQ(in(pit, 0), 0x80 | 0x34);
    out(pit, 3, 0xd0 | 0x02);  // count only
    EXPECT_EQ(in(pit, 0) | in(pit, 0) << 8, 1001 - 500);
}

TEST_F(I8254Test, ControlPortReadsOnes) { EXPECT_EQ(in(pit, 3), 0xff); }

TEST_F(I8254Test, CounterTwoIsGatedThroughPortB) {
    // As a kernel calibrates its clock: mode 0, gate on, wait for OUT 2.
    out(pit.port_b(), 0, 0x00);
    program(2, 0, 11931);
    EXPECT_EQ(in(pit.port_b(), 0) & 0x20, 0);
    bench.run_for(kNsPerSecond);
    EXPECT_EQ(in(pit.port_b(), 0) & 0x20, 0);
    const uint64_t start = bench.now() * I8254::kHz / kNsPerSecond;
    out(pit.port_b(), 0, 0x01);
    bench.run_until(at_pulse(start + 11931) - 1);
    EXPECT_EQ(in(pit.port_b(), 0) & 0x20, 0);
    bench.run_until(at_pulse(start + 11931));
    EXPECT_EQ(in(pit.port_b(), 0) & 0x2f, 0x21);
}

TEST_F(I8254Test, PortBKeepsItsLowBitsAndTogglesRefresh) {
    out(pit.port_b(), 0, 0xff);
    EXPECT_EQ(in(pit.port_b(), 0) & 0xcf, 0x0f);
    out(pit.port_b(), 0, 0x00);
    EXPECT_EQ(in(pit.port_b(), 0) & 0xcf, 0x00);
    bench.skip_to(at_pulse(17));
    EXPECT_EQ(in(pit.port_b(), 0) & 0x10, 0x00);
    bench.skip_to(at_pulse(18));
    EXPECT_EQ(in(pit.port_b(), 0) & 0x10, 0x10);
    bench.skip_to(at_pulse(36));
    EXPECT_EQ(in(pit.port_b(), 0) & 0x10, 0x00);
}

TEST_F(I8254Test, CounterTwoCausesNoInterrupt) {
    out(pit.port_b(), 0, 0x01);
    program(2, 3, 100);
    bench.run_for(kNsPerSecond / 10);
    EXPECT_TRUE(watch.rises.empty());
    EXPECT_TRUE(watch.falls.empty());
}

TEST_F(I8254Test, ResetIsQuiet) {
    program(0, 2, 1000);
    out(pit.port_b(), 0, 0x03);
    bench.run_for(kNsPerSecond);
    pit.reset();
    EXPECT_EQ(bench.timers.next_deadline(), bus::kNever);
    EXPECT_TRUE(irq.level());
    I8254::Regs fresh;
    fresh.pulses = pit.regs().pulses;
    EXPECT_EQ(pit.regs(), fresh);
}

TEST_F(I8254Test, RestoreContinuesExactly) {
    program(0, 2, 1234);
    bench.run_until(at_pulse(5000) + 7);
    (void)read_count(0);
    const I8254::Regs saved = pit.regs();

    Bench other_bench;
    other_bench.skip_to(bench.now());
    bus::IrqLine other_irq;
    I8254 other(other_bench.timers, other_irq);
    other.restore(saved);
    LineWatch other_watch(other_bench, other_irq);
    watch.rises.clear();
    bench.run_until(at_pulse(50000));
    other_bench.run_until(at_pulse(50000));
    EXPECT_EQ(other_watch.rises, watch.rises);
    EXPECT_EQ(watch.rises.size(), 36u);
    EXPECT_EQ(other.regs(), pit.regs());
}

TEST_F(I8254Test, TimeFarInTheFutureDoesNotOverflow) {
    bench.skip_to(uint64_t{1} << 62);  // 146 years
    program(0, 2, 65535);
    const VirtualNs start = bench.now();
    bench.run_for(kNsPerSecond);
    ASSERT_EQ(watch.rises.size(), 18u);
    EXPECT_NEAR(static_cast<double>(watch.rises[0] - start), 65535e9 / 1193182, 1000);
}

}  // namespace
}  // namespace forkscope::devices
