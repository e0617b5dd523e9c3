// The local APIC: priorities, its timer in exact virtual time, the 8259 behind it, interprocessor interrupts.
#include "devices/local_apic.hpp"

#include <gtest/gtest.h>

#include "tests/devices/bench.hpp"

namespace forkscope::devices {
namespace {

constexpr uint64_t kId = 0x20, kTpr = 0x80, kPpr = 0xa0, kEoi = 0xb0, kLdr = 0xd0, kDfr = 0xe0, kSvr = 0xf0;
constexpr uint64_t kIsr = 0x100, kIrr = 0x200, kEsr = 0x280, kIcrLow = 0x300, kIcrHigh = 0x310;
constexpr uint64_t kLvtTimer = 0x320, kLvtLint0 = 0x350, kInitial = 0x380, kCurrent = 0x390, kDivide = 0x3e0;
constexpr uint32_t kBy1 = 0xb, kPeriodic = 1u << 17, kMasked = 1u << 16;

class Pic final : public bus::InterruptController {
public:
    [[nodiscard]] uint8_t acknowledge() override { return 0x33; }
};

class LocalApicTest : public testing::Test, public bus::EndOfInterruptListener {
protected:
    LocalApicTest() { write(kSvr, 0x1ff); }
    void end_of_interrupt(uint8_t vector) override { ended.push_back(vector); }
    uint32_t read(uint64_t offset) {
        return static_cast<uint32_t>(apic.read({offset, bus::Width::Dword, 0}));
    }
    void write(uint64_t offset, uint32_t value) { apic.write({offset, bus::Width::Dword, 0}, value); }
    void request(uint8_t vector, bus::TriggerMode trigger = bus::TriggerMode::Edge) {
        apic.receive({.trigger = trigger, .vector = vector});
    }

    Bench bench;
    Pic pic;
    std::vector<uint8_t> ended;
    LocalApic apic{bench.timers, pic, *this};
};

TEST_F(LocalApicTest, ResetPassesThe8259On) {
    LocalApic fresh(bench.timers, pic, *this);
    EXPECT_EQ(fresh.apic_base(), 0xfee00900u);
    EXPECT_FALSE(fresh.pending());
    fresh.set_input(0, true);
    EXPECT_TRUE(fresh.pending());
    EXPECT_EQ(fresh.acknowledge(), 0x33);
    fresh.set_input(0, false);
    EXPECT_FALSE(fresh.pending());
    EXPECT_EQ(read(0x30), 0x50014u);  // version 14h, six local vectors
}

TEST_F(LocalApicTest, MaskedLint0KeepsThe8259Away) {
    write(kLvtLint0, kMasked | 0x700);
    apic.set_input(0, true);
    EXPECT_FALSE(apic.pending());
    write(kLvtLint0, 0x700);
    EXPECT_TRUE(apic.pending());
    // Disabled as a whole, the line is the CPU's pin again.
    write(kLvtLint0, kMasked);
    ASSERT_TRUE(apic.set_apic_base(0xfee00100));
    EXPECT_TRUE(apic.pending());
    EXPECT_EQ(read(kId), 0xffffffffu);
}

TEST_F(LocalApicTest, HigherClassInterruptsLowerOnly) {
    request(0x41);
    EXPECT_EQ(apic.acknowledge(), 0x41);
    EXPECT_EQ(read(kIsr + 0x20), 2u);
    EXPECT_EQ(read(kPpr), 0x40u);
    request(0x4f);  // the same class waits
    EXPECT_FALSE(apic.pending());
    EXPECT_EQ(read(kIrr + 0x20), 1u << 15);
    request(0x50);
    ASSERT_TRUE(apic.pending());
    EXPECT_EQ(apic.acknowledge(), 0x50);
    write(kEoi, 0);
    EXPECT_FALSE(apic.pending());
    write(kEoi, 0);
    EXPECT_EQ(apic.acknowledge(), 0x4f);
    write(kEoi, 0);
    EXPECT_EQ(read(kPpr), 0u);
    EXPECT_TRUE(ended.empty());  // all were edges
}

TEST_F(LocalApicTest, TaskPriorityHoldsBack) {
    write(kTpr, 0x45);
    request(0x4f);
    EXPECT_FALSE(apic.pending());
    EXPECT_EQ(read(kPpr), 0x45u);
    write(kTpr, 0x3f);
    EXPECT_TRUE(apic.pending());
}

TEST_F(LocalApicTest, SpuriousWhenTheRequestVanished) {
    request(0x20);
    write(kTpr, 0xff);
    EXPECT_EQ(apic.acknowledge(), 0xff);
    EXPECT_EQ(read(kIrr + 0x10), 1u);  // it still waits
}

TEST_F(LocalApicTest, EndOfLevelInterruptIsTold) {
    request(0x60, bus::TriggerMode::Level);
    EXPECT_EQ(apic.acknowledge(), 0x60);
    write(kEoi, 0);
    EXPECT_EQ(ended, std::vector<uint8_t>{0x60});
    write(kEoi, 0);  // nothing in service
    EXPECT_EQ(ended.size(), 1u);
}

TEST_F(LocalApicTest, OneShotTimerIsExact) {
    write(kDivide, kBy1);
    write(kLvtTimer, 0x30);
    bench.run_until(1000);
    write(kInitial, 500);
    bench.run_until(1200);
    EXPECT_EQ(read(kCurrent), 300u);
    bench.run_until(1499);
    EXPECT_FALSE(apic.pending());
    bench.run_until(1500);
    EXPECT_EQ(apic.acknowledge(), 0x30);
    EXPECT_EQ(read(kCurrent), 0u);
    bench.run_until(10000);
    EXPECT_FALSE(apic.pending());
    EXPECT_EQ(bench.timers.next_deadline(), bus::kNever);
}

TEST_F(LocalApicTest, PeriodicTimerWithEveryDivider) {
    const unsigned codes[] = {0xb, 0, 1, 2, 3, 8, 9, 0xa};
    for (unsigned i = 0; i < 8; ++i) {
        write(kDivide, codes[i]);
        write(kLvtTimer, kPeriodic | 0x31);
        const VirtualNs start = bench.now(), period = 100ull << i;
        write(kInitial, 100);
        for (unsigned n = 1; n <= 3; ++n) {
            bench.run_until(start + n * period - 1);
            EXPECT_FALSE(apic.pending()) << i;
            bench.run_until(start + n * period);
            ASSERT_TRUE(apic.pending()) << i;
            EXPECT_EQ(apic.acknowledge(), 0x31);
            write(kEoi, 0);
        }
        write(kInitial, 0);
        EXPECT_EQ(bench.timers.next_deadline(), bus::kNever);
    }
}

TEST_F(LocalApicTest, ShortPeriodsThatPassedAreOneInterrupt) {
    write(kDivide, kBy1);
    write(kLvtTimer, kPeriodic | 0x31);
    write(kInitial, 1);
    bench.skip_to(1'000'000'000);
    bench.timers.run_due(bench.now());
    EXPECT_EQ(apic.acknowledge(), 0x31);
    EXPECT_FALSE(apic.pending());
    EXPECT_EQ(bench.timers.next_deadline(), 1'000'000'001u);
}

TEST_F(LocalApicTest, MaskedTimerRunsSilently) {
    write(kDivide, kBy1);
    write(kLvtTimer, kMasked | 0x30);
    write(kInitial, 100);
    bench.run_until(1000);
    EXPECT_FALSE(apic.pending());
}

TEST_F(LocalApicTest, SelfInterruptsAndDestinations) {
    write(kIcrLow, 0x40000 | 0x55);  // self
    EXPECT_EQ(apic.acknowledge(), 0x55);
    write(kEoi, 0);
    write(kIcrLow, 0xc0000 | 0x56);  // all but self
    EXPECT_FALSE(apic.pending());
    write(kIcrHigh, 1u << 24);
    write(kIcrLow, 0x57);  // another APIC's ID
    EXPECT_FALSE(apic.pending());
    write(kLdr, 4u << 24);
    write(kIcrHigh, 6u << 24);
    write(kIcrLow, 0x800 | 0x58);  // logical, flat
    EXPECT_EQ(apic.acknowledge(), 0x58);
    write(kEoi, 0);
    write(kDfr, 0);  // cluster model
    write(kLdr, 0x21u << 24);
    write(kIcrHigh, 0x13u << 24);
    write(kIcrLow, 0x800 | 0x59);
    EXPECT_FALSE(apic.pending());
    write(kIcrHigh, 0x23u << 24);
    write(kIcrLow, 0x800 | 0x59);
    EXPECT_TRUE(apic.pending());
}

TEST_F(LocalApicTest, NmiGoesToItsOwnPin) {
    write(kIcrLow, 0x40000 | 0x400);
    EXPECT_TRUE(apic.nmi_pending());
    EXPECT_FALSE(apic.pending());
    apic.take_nmi();
    EXPECT_FALSE(apic.nmi_pending());
}

TEST_F(LocalApicTest, ErrorsAreLatchedAtAWrite) {
    write(kIcrLow, 0x40000 | 0x0f);
    request(0x0e);
    EXPECT_EQ(read(kEsr), 0u);
    write(kEsr, 0);
    EXPECT_EQ(read(kEsr), 0x60u);
    EXPECT_EQ(read(0x3f0), 0u);
    write(kEsr, 0);
    EXPECT_EQ(read(kEsr), 0x80u);
    write(kEsr, 0);
    EXPECT_EQ(read(kEsr), 0u);
}

TEST_F(LocalApicTest, SoftwareDisableMasksTheLocalVectors) {
    write(kLvtTimer, 0x30);
    write(kSvr, 0xff);
    EXPECT_EQ(read(kLvtTimer), kMasked | 0x30);
    request(0x60);
    EXPECT_FALSE(apic.pending());
    write(kLvtTimer, 0x30);
    EXPECT_EQ(read(kLvtTimer), kMasked | 0x30);
}

TEST_F(LocalApicTest, BaseRegister) {
    EXPECT_FALSE(apic.set_apic_base(0xfee00d00));         // x2APIC is not there
    EXPECT_FALSE(apic.set_apic_base(1));                  // reserved
    EXPECT_FALSE(apic.set_apic_base(uint64_t{1} << 40));  // past the physical addresses
    write(kTpr, 0x40);
    EXPECT_TRUE(apic.set_apic_base(0xfee00100));
    EXPECT_TRUE(apic.set_apic_base(0xfee00900));
    EXPECT_EQ(read(kTpr), 0u);
}

TEST_F(LocalApicTest, RestoreGoesOn) {
    write(kDivide, kBy1);
    write(kLvtTimer, kPeriodic | 0x31);
    write(kInitial, 1000);
    bench.run_until(300);
    const LocalApic::Regs saved = apic.regs();
    LocalApic other(bench.timers, pic, *this);
    other.restore(saved);
    EXPECT_EQ(other.regs(), saved);
    bench.run_until(1000);
    EXPECT_TRUE(other.pending());
}

}  // namespace
}  // namespace forkscope::devices
