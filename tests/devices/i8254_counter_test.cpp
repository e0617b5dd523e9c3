// One counter, mode by mode, pulse by pulse, against the waveforms of the 8254 data sheet.
#include "devices/i8254_counter.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace forkscope::devices {
namespace {

constexpr uint8_t kLowOnly = 0x10;

uint8_t control(unsigned mode, unsigned access = kLowOnly) {
    return static_cast<uint8_t>(access | mode << 1);
}

// OUT after each of the next `pulses`, as '-' and '_'.
std::string wave(I8254Counter& counter, unsigned pulses) {
    std::string text;
    for (unsigned i = 0; i < pulses; ++i) {
        counter.advance(1);
        text += counter.out() ? '-' : '_';
    }
    return text;
}

// The counts read after each of the next `pulses`.
std::string counts(I8254Counter& counter, unsigned pulses) {
    std::string text;
    for (unsigned i = 0; i < pulses; ++i) {
        counter.advance(1);
        text += std::to_string(counter.read()) + " ";
    }
    return text;
}

I8254Counter started(unsigned mode, uint8_t count) {
    I8254Counter counter;
    counter.write_control(control(mode));
    counter.write(count);
    return counter;
}

TEST(I8254Counter, ControlWordSetsOut) {
    for (unsigned mode = 0; mode < 6; ++mode) {
        I8254Counter counter;
        counter.write_control(control(mode));
        EXPECT_EQ(counter.out(), mode != 0) << mode;
        EXPECT_EQ(counter.pulses_to_event(), I8254Counter::kNoEvent) << mode;
        EXPECT_FALSE(counter.advance(100000)) << mode;
        EXPECT_EQ(counter.out(), mode != 0) << mode;
    }
}

TEST(I8254Counter, Mode0GoesHighAfterNPlus1Pulses) {
    I8254Counter counter = started(0, 4);
    EXPECT_EQ(wave(counter, 7), "____---");
    counter = started(0, 4);
    EXPECT_EQ(counts(counter, 7), "4 3 2 1 0 255 254 ");
}

TEST(I8254Counter, Mode0GateSuspendsWithoutTouchingOut) {
    I8254Counter counter = started(0, 3);
    EXPECT_EQ(counts(counter, 2), "3 2 ");
    counter.set_gate(false);
    EXPECT_EQ(counts(counter, 3), "2 2 2 ");
    EXPECT_FALSE(counter.out());
    counter.set_gate(true);
    EXPECT_EQ(wave(counter, 3), "_--");
    counter.set_gate(false);
    EXPECT_TRUE(counter.out());
}

TEST(I8254Counter, Mode0LoadsWithTheGateLow) {
    I8254Counter counter;
    counter.set_gate(false);
    counter.write_control(control(0));
    counter.write(2);
    EXPECT_EQ(counts(counter, 2), "2 2 ");
    counter.set_gate(true);
    EXPECT_EQ(wave(counter, 2), "_-");  // N pulses after the gate
}

TEST(I8254Counter, Mode0NewCountRestarts) {
    I8254Counter counter = started(0, 2);
    EXPECT_EQ(wave(counter, 3), "__-");
    counter.write(3);
    EXPECT_FALSE(counter.out());
    EXPECT_EQ(wave(counter, 5), "___--");
}

TEST(I8254Counter, Mode0FirstByteOfTwoStopsCounting) {
    I8254Counter counter;
    counter.write_control(control(0, 0x30));
    counter.write(5);
    counter.write(0);
    counter.advance(7);
    EXPECT_TRUE(counter.out());
    counter.write(4);
    EXPECT_FALSE(counter.out());
    const I8254Counter::Regs before = counter.regs();
    counter.advance(50);
    EXPECT_EQ(counter.regs(), before);
    counter.write(0);
    EXPECT_EQ(wave(counter, 6), "____--");
}

TEST(I8254Counter, Mode1IsARetriggerableOneShot) {
    I8254Counter counter;
    counter.set_gate(false);
    counter.write_control(control(1));
    counter.write(3);
    EXPECT_EQ(wave(counter, 3), "---");
    EXPECT_TRUE(counter.regs().null_count);
    counter.set_gate(true);
    EXPECT_EQ(wave(counter, 5), "___--");
    counter.set_gate(false);
    counter.set_gate(true);
    EXPECT_EQ(wave(counter, 2), "__");
    counter.set_gate(false);  // the level does not matter
    counter.set_gate(true);   // the edge starts it over
    EXPECT_EQ(wave(counter, 5), "___--");
}

TEST(I8254Counter, Mode1NewCountWaitsForTheTrigger) {
    I8254Counter counter;
    counter.set_gate(false);
    counter.write_control(control(1));
    counter.write(2);
    counter.set_gate(true);
    counter.advance(1);
    counter.write(4);
    EXPECT_EQ(wave(counter, 4), "_---");
    counter.set_gate(false);
    counter.set_gate(true);
    EXPECT_EQ(wave(counter, 6), "____--");
}

TEST(I8254Counter, Mode2DividesByN) {
    I8254Counter counter = started(2, 3);
    EXPECT_EQ(wave(counter, 10), "--_--_--_-");
    counter = started(2, 3);
    EXPECT_EQ(counts(counter, 7), "3 2 1 3 2 1 3 ");
}

TEST(I8254Counter, Mode2NewCountWaitsForThePeriod) {
    I8254Counter counter = started(2, 4);
    counter.advance(2);
    counter.write(3);
    EXPECT_TRUE(counter.regs().null_count);
    EXPECT_EQ(wave(counter, 8), "-_--_--_");
    EXPECT_FALSE(counter.regs().null_count);
}

TEST(I8254Counter, Mode2GateLowForcesOutHighAndItsEdgeReloads) {
    I8254Counter counter = started(2, 3);
    EXPECT_EQ(wave(counter, 3), "--_");
    counter.set_gate(false);
    EXPECT_TRUE(counter.out());
    EXPECT_EQ(wave(counter, 4), "----");
    counter.set_gate(true);
    EXPECT_EQ(wave(counter, 7), "--_--_-");
}

TEST(I8254Counter, Mode3EvenAndOdd) {
    I8254Counter counter = started(3, 4);
    EXPECT_EQ(wave(counter, 9), "--__--__-");
    counter = started(3, 4);
    EXPECT_EQ(counts(counter, 9), "4 2 4 2 4 2 4 2 4 ");
    counter = started(3, 5);
    EXPECT_EQ(wave(counter, 11), "---__---__-");
    counter = started(3, 5);
    EXPECT_EQ(counts(counter, 11), "4 2 0 4 2 4 2 0 4 2 4 ");
}

TEST(I8254Counter, Mode3NewCountWaitsForTheHalf) {
    I8254Counter counter = started(3, 8);
    counter.advance(2);
    counter.write(4);
    EXPECT_EQ(wave(counter, 8), "--__--__");
}

TEST(I8254Counter, Mode3Gate) {
    I8254Counter counter = started(3, 4);
    EXPECT_EQ(wave(counter, 3), "--_");
    counter.set_gate(false);
    EXPECT_TRUE(counter.out());
    EXPECT_EQ(wave(counter, 3), "---");
    counter.set_gate(true);
    EXPECT_EQ(wave(counter, 5), "--__-");
}

TEST(I8254Counter, Mode4StrobesOnce) {
    I8254Counter counter = started(4, 3);
    EXPECT_EQ(wave(counter, 300), "---_" + std::string(296, '-'));
    counter.write(2);
    EXPECT_EQ(wave(counter, 5), "--_--");
}

TEST(I8254Counter, Mode4GateSuspends) {
    I8254Counter counter = started(4, 3);
    counter.advance(2);
    counter.set_gate(false);
    EXPECT_EQ(wave(counter, 5), "-----");
    counter.set_gate(true);
    EXPECT_EQ(wave(counter, 4), "-_--");
}

TEST(I8254Counter, Mode5StrobesAfterTheTrigger) {
    I8254Counter counter;
    counter.set_gate(false);
    counter.write_control(control(5));
    counter.write(2);
    EXPECT_EQ(wave(counter, 5), "-----");
    counter.set_gate(true);
    counter.set_gate(false);
    EXPECT_EQ(wave(counter, 5), "--_--");
    counter.set_gate(true);
    EXPECT_EQ(wave(counter, 2), "--");
    counter.set_gate(false);
    counter.set_gate(true);
    EXPECT_EQ(wave(counter, 4), "--_-");
}

TEST(I8254Counter, Modes6And7Are2And3) {
    I8254Counter counter;
    counter.write_control(control(6));
    counter.write(3);
    EXPECT_EQ(wave(counter, 6), "--_--_");
    counter.write_control(control(7));
    counter.write(4);
    EXPECT_EQ(wave(counter, 5), "--__-");
    counter.latch_status();
    EXPECT_EQ(counter.read(), 0x80 | kLowOnly | 7 << 1);
}

TEST(I8254Counter, ZeroMeansAllOfTheModulus) {
    I8254Counter counter;
    counter.write_control(control(0, 0x30));
    counter.write(0);
    counter.write(0);
    EXPECT_EQ(counter.pulses_to_event(), 1u);
    counter.advance(1);
    EXPECT_EQ(counter.pulses_to_event(), 65536u);
    counter.write_control(control(2, 0x31));  // BCD
    counter.write(0);
    counter.write(0);
    counter.advance(1);
    EXPECT_EQ(counter.regs().element, 10000u);
}

TEST(I8254Counter, BcdCountsInDecimal) {
    I8254Counter counter;
    counter.write_control(control(0, kLowOnly | 1));
    counter.write(0x12);
    const auto next = [&] {
        counter.advance(1);
        return counter.read();
    };
    EXPECT_EQ(next(), 0x12);
    EXPECT_EQ(next(), 0x11);
    EXPECT_EQ(next(), 0x10);
    EXPECT_EQ(next(), 0x09);
    counter.advance(9);
    EXPECT_TRUE(counter.out());
    counter.latch_count();
    EXPECT_EQ(counter.read(), 0x00);
    counter.advance(1);
    EXPECT_EQ(counter.read(), 0x99);
}

TEST(I8254Counter, ByteAccessModes) {
    I8254Counter counter;
    counter.write_control(control(2, 0x20));  // high byte only
    counter.write(0x12);
    counter.advance(1);
    EXPECT_EQ(counter.regs().element, 0x1200u);
    EXPECT_EQ(counter.read(), 0x12);
    EXPECT_EQ(counter.read(), 0x12);
    counter.write_control(control(2, 0x30));
    counter.write(0x34);
    counter.write(0x12);
    counter.advance(1);
    EXPECT_EQ(counter.read(), 0x34);
    EXPECT_EQ(counter.read(), 0x12);
    EXPECT_EQ(counter.read(), 0x34);
}

TEST(I8254Counter, LatchHoldsUntilReadWhole) {
    I8254Counter counter;
    counter.write_control(control(2, 0x30));
    counter.write(0x00);
    counter.write(0x10);
    counter.advance(1 + 0x10);
    counter.latch_count();
    counter.advance(0x100);
    counter.latch_count();  // ignored
    EXPECT_EQ(counter.read(), 0xf0);
    EXPECT_EQ(counter.read(), 0x0f);
    EXPECT_EQ(counter.read(), 0xf0);  // live again: 0x1000 - 0x110
    EXPECT_EQ(counter.read(), 0x0e);
}

TEST(I8254Counter, ControlWordDropsLatches) {
    I8254Counter counter = started(2, 9);
    counter.advance(3);
    counter.latch_count();
    counter.latch_status();
    counter.write_control(control(2));
    EXPECT_FALSE(counter.regs().count_latched);
    EXPECT_FALSE(counter.regs().status_latched);
}

TEST(I8254Counter, StatusComesBeforeTheCountAndShowsNullCount) {
    I8254Counter counter;
    counter.write_control(control(3, 0x30));
    counter.latch_status();
    EXPECT_EQ(counter.read(), 0x80 | 0x40 | 0x36);
    counter.write(10);
    counter.write(0);
    counter.latch_status();
    EXPECT_EQ(counter.read(), 0x80 | 0x40 | 0x36);
    counter.advance(1);
    counter.latch_count();
    counter.latch_status();
    counter.advance(5);
    EXPECT_EQ(counter.read(), 0x80 | 0x36);
    EXPECT_EQ(counter.read(), 10);
    EXPECT_EQ(counter.read(), 0);
    counter.latch_status();
    EXPECT_EQ(counter.read(), 0x36);  // OUT is low now
}

TEST(I8254Counter, ForbiddenCountOfOneMakesNoEdges) {
    for (const unsigned mode : {2u, 3u}) {
        I8254Counter counter = started(mode, 1);
        EXPECT_FALSE(counter.advance(1'000'000)) << mode;
        EXPECT_TRUE(counter.out());
        EXPECT_EQ(counter.pulses_to_event(), I8254Counter::kNoEvent);
        counter.write(4);
        EXPECT_EQ(counter.pulses_to_event(), 1u);
        EXPECT_TRUE(counter.advance(100)) << mode;
    }
}

// A jump over any number of pulses ends where single steps end, and reports whether OUT rose; and
// nothing happens before the pulse that pulses_to_event() names.
TEST(I8254Counter, JumpsAgreeWithSingleSteps) {
    std::mt19937 random(42);
    for (int round = 0; round < 500; ++round) {
        I8254Counter jumping;
        I8254Counter stepping;
        const auto both = [&](auto&& action) {
            action(jumping);
            action(stepping);
        };
        for (int action = 0; action < 40; ++action) {
            const auto value = static_cast<uint8_t>(random() % 3 == 0 ? random() : random() % 6);
            switch (random() % 8) {
                case 0:
                    both([&](I8254Counter& c) { c.write_control(static_cast<uint8_t>(value | 0x10)); });
                    break;
                case 1:
                    both([&](I8254Counter& c) { c.set_gate((value & 1) != 0); });
                    break;
                case 2:
                    both([&](I8254Counter& c) { c.latch_count(); });
                    break;
                case 3:
                    both([&](I8254Counter& c) { c.latch_status(); });
                    break;
                case 4:
                    both([&](I8254Counter& c) { (void)c.read(); });
                    break;
                default:
                    both([&](I8254Counter& c) { c.write(value); });
                    break;
            }
            const uint64_t pulses = random() % 50 == 0 ? random() % 70000 : random() % 12;
            const uint64_t event = stepping.pulses_to_event();
            const bool out_before = stepping.out();
            bool rose = false;
            for (uint64_t i = 0; i < pulses; ++i) {
                const bool before = stepping.out();
                rose |= stepping.advance(1);
                ASSERT_TRUE(rose || before || !stepping.out());
                if (i + 1 < event) {
                    ASSERT_EQ(stepping.out(), out_before) << "changed before its event";
                }
            }
            ASSERT_EQ(jumping.advance(pulses), rose) << round << " " << action;
            ASSERT_EQ(jumping.regs(), stepping.regs()) << round << " " << action;
        }
    }
}

}  // namespace
}  // namespace forkscope::devices
