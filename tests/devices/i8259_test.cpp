// The interrupt controllers, corner by corner.
#include "devices/i8259.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/devices/bench.hpp"

namespace forkscope::devices {
namespace {

constexpr uint8_t kMasterBase = 0x20;
constexpr uint8_t kSlaveBase = 0x28;

class I8259Test : public testing::Test {
protected:
    I8259Test() { initialize(); }

    // icw4: 1 is 8086 mode.
    void initialize(unsigned icw4 = 0x01, unsigned icw1 = 0x11) {
        out(pic.master(), 0, icw1);
        out(pic.master(), 1, kMasterBase);
        out(pic.master(), 1, 0x04);
        out(pic.master(), 1, icw4);
        out(pic.slave(), 0, icw1);
        out(pic.slave(), 1, kSlaveBase);
        out(pic.slave(), 1, 0x02);
        out(pic.slave(), 1, 0x01);
    }
    void pulse(unsigned input) {
        pic.set_input(input, true);
        pic.set_input(input, false);
    }
    static uint8_t irr(I8259& chip) {
        out(chip, 0, 0x0a);
        return in(chip, 0);
    }
    static uint8_t isr(I8259& chip) {
        out(chip, 0, 0x0b);
        return in(chip, 0);
    }
    // The vectors that the CPU takes until nothing is pending, with a non-specific EOI after each.
    std::vector<unsigned> drain() {
        std::vector<unsigned> vectors;
        while (pic.pending() && vectors.size() < 32) {
            vectors.push_back(pic.acknowledge());
            if (vectors.back() >= kSlaveBase) out(pic.slave(), 0, 0x20);
            out(pic.master(), 0, 0x20);
        }
        return vectors;
    }

    I8259Pair pic;
};

TEST_F(I8259Test, NothingPendingAfterInitialization) {
    EXPECT_FALSE(pic.pending());
    EXPECT_EQ(in(pic.master(), 1), 0);
    EXPECT_EQ(irr(pic.master()), 0);
    EXPECT_EQ(isr(pic.master()), 0);
}

TEST_F(I8259Test, EdgeIsServedOnce) {
    pic.set_input(4, true);
    ASSERT_TRUE(pic.pending());
    EXPECT_EQ(irr(pic.master()), 0x10);
    EXPECT_EQ(pic.acknowledge(), kMasterBase + 4);
    EXPECT_FALSE(pic.pending());
    EXPECT_EQ(irr(pic.master()), 0);
    EXPECT_EQ(isr(pic.master()), 0x10);
    out(pic.master(), 0, 0x20);
    EXPECT_EQ(isr(pic.master()), 0);
    EXPECT_FALSE(pic.pending());  // the line is still high, but that is no new edge
    pic.set_input(4, false);
    pic.set_input(4, true);
    EXPECT_TRUE(pic.pending());
}

TEST_F(I8259Test, EdgeStaysLatchedAfterTheLineDrops) {
    pulse(3);
    EXPECT_TRUE(pic.pending());
    EXPECT_EQ(pic.acknowledge(), kMasterBase + 3);
}

TEST_F(I8259Test, EdgeDuringServiceIsKeptForAfterTheEoi) {
    pulse(3);
    EXPECT_EQ(pic.acknowledge(), kMasterBase + 3);
    pulse(3);
    EXPECT_FALSE(pic.pending());
    EXPECT_EQ(irr(pic.master()), 0x08);
    out(pic.master(), 0, 0x20);
    EXPECT_TRUE(pic.pending());
}

TEST_F(I8259Test, FixedPriorities) {
    for (const unsigned input : {7u, 5u, 1u, 6u, 0u, 3u, 4u}) pulse(input);
    EXPECT_EQ(drain(), (std::vector<unsigned>{0x20, 0x21, 0x23, 0x24, 0x25, 0x26, 0x27}));
}

TEST_F(I8259Test, SlaveInputsRankBetweenOneAndThree) {
    for (const unsigned input : {3u, 15u, 8u, 1u, 11u}) pulse(input);
    EXPECT_EQ(drain(), (std::vector<unsigned>{0x21, 0x28, 0x2b, 0x2f, 0x23}));
}

TEST_F(I8259Test, HigherPriorityInterruptsLowerOnly) {
    pulse(5);
    EXPECT_EQ(pic.acknowledge(), 0x25);
    pulse(6);
    EXPECT_FALSE(pic.pending());
    pulse(5);
    EXPECT_FALSE(pic.pending());
    pulse(1);
    EXPECT_TRUE(pic.pending());
    EXPECT_EQ(pic.acknowledge(), 0x21);
    EXPECT_EQ(isr(pic.master()), 0x22);
    out(pic.master(), 0, 0x20);  // ends the highest, 1
    EXPECT_EQ(isr(pic.master()), 0x20);
    EXPECT_FALSE(pic.pending());
    out(pic.master(), 0, 0x20);
    EXPECT_EQ(pic.acknowledge(), 0x25);
    out(pic.master(), 0, 0x20);
    EXPECT_EQ(pic.acknowledge(), 0x26);
}

TEST_F(I8259Test, MaskHoldsBackAndKeepsTheRequest) {
    out(pic.master(), 1, 0x10);
    EXPECT_EQ(in(pic.master(), 1), 0x10);
    pulse(4);
    EXPECT_FALSE(pic.pending());
    EXPECT_EQ(irr(pic.master()), 0x10);
    out(pic.master(), 1, 0x00);
    EXPECT_TRUE(pic.pending());
}

TEST_F(I8259Test, MaskedCascadeHoldsBackTheSlave) {
    out(pic.master(), 1, 0x04);
    pulse(12);
    EXPECT_FALSE(pic.pending());
    out(pic.master(), 1, 0x00);
    EXPECT_EQ(pic.acknowledge(), 0x2c);
}

TEST_F(I8259Test, SpuriousSevenWhenTheRequestVanishes) {
    pulse(4);
    ASSERT_TRUE(pic.pending());
    out(pic.master(), 1, 0x10);  // masked between INTR and the acknowledge cycle
    EXPECT_FALSE(pic.pending());
    EXPECT_EQ(pic.acknowledge(), 0x27);
    EXPECT_EQ(isr(pic.master()), 0);  // by which a handler knows it
    out(pic.master(), 1, 0x00);
    EXPECT_EQ(pic.acknowledge(), 0x24);
}

TEST_F(I8259Test, SpuriousFifteenLeavesTheCascadeInService) {
    pulse(12);
    out(pic.slave(), 1, 0x10);
    ASSERT_TRUE(pic.pending());  // the master latched the cascade's edge
    EXPECT_EQ(pic.acknowledge(), 0x2f);
    EXPECT_EQ(isr(pic.slave()), 0);
    EXPECT_EQ(isr(pic.master()), 0x04);  // an EOI to the master is due
}

TEST_F(I8259Test, SpecificEoi) {
    pulse(5);
    EXPECT_EQ(pic.acknowledge(), 0x25);
    pulse(1);
    EXPECT_EQ(pic.acknowledge(), 0x21);
    out(pic.master(), 0, 0x60 | 5);
    EXPECT_EQ(isr(pic.master()), 0x02);
    out(pic.master(), 0, 0x60 | 1);
    EXPECT_EQ(isr(pic.master()), 0);
    out(pic.master(), 0, 0x60 | 3);  // not in service: nothing
    out(pic.master(), 0, 0x20);
    EXPECT_EQ(isr(pic.master()), 0);
}

TEST_F(I8259Test, NoOperationCommandChangesNothing) {
    pulse(5);
    (void)pic.acknowledge();
    const I8259::Regs before = pic.master().regs();
    out(pic.master(), 0, 0x40 | 5);
    EXPECT_EQ(pic.master().regs(), before);
}

TEST_F(I8259Test, RotateOnNonSpecificEoiMakesTheServedLowest) {
    pulse(3);
    EXPECT_EQ(pic.acknowledge(), 0x23);
    out(pic.master(), 0, 0xa0);
    pulse(3);
    pulse(4);
    pulse(1);
    EXPECT_EQ(drain(), (std::vector<unsigned>{0x24, 0x21, 0x23}));
}

TEST_F(I8259Test, RotateOnNonSpecificEoiWithNothingServedDoesNotRotate) {
    out(pic.master(), 0, 0xa0);
    EXPECT_EQ(pic.master().regs().lowest, 7);
}

TEST_F(I8259Test, RotateOnSpecificEoiAndSetPriority) {
    pulse(6);
    EXPECT_EQ(pic.acknowledge(), 0x26);
    out(pic.master(), 0, 0xe0 | 6);
    EXPECT_EQ(isr(pic.master()), 0);
    pulse(7);
    pulse(0);
    EXPECT_EQ(drain(), (std::vector<unsigned>{0x27, 0x20}));
    out(pic.master(), 0, 0xc0 | 0);  // 0 is the lowest now
    pulse(0);
    pulse(7);
    EXPECT_EQ(drain(), (std::vector<unsigned>{0x27, 0x20}));
}

TEST_F(I8259Test, RotatedPrioritiesGovernNesting) {
    out(pic.master(), 0, 0xc0 | 4);  // order: 5 6 7 0 1 2 3 4
    pulse(0);
    EXPECT_EQ(pic.acknowledge(), 0x20);
    pulse(1);
    EXPECT_FALSE(pic.pending());
    pulse(7);
    EXPECT_TRUE(pic.pending());
}

TEST_F(I8259Test, AutomaticEoi) {
    initialize(0x03);
    pulse(5);
    pulse(6);
    EXPECT_EQ(pic.acknowledge(), 0x25);
    EXPECT_EQ(isr(pic.master()), 0);
    EXPECT_TRUE(pic.pending());
    EXPECT_EQ(pic.acknowledge(), 0x26);
    EXPECT_FALSE(pic.pending());
}

TEST_F(I8259Test, RotationInAutomaticEoiMode) {
    initialize(0x03);
    out(pic.master(), 0, 0x80);
    pulse(3);
    EXPECT_EQ(pic.acknowledge(), 0x23);
    pulse(3);
    pulse(4);
    EXPECT_EQ(pic.acknowledge(), 0x24);
    EXPECT_EQ(pic.acknowledge(), 0x23);
    out(pic.master(), 0, 0x00);  // rotation off: the order stays as it is
    pulse(0);
    EXPECT_EQ(pic.acknowledge(), 0x20);
    EXPECT_EQ(pic.master().regs().lowest, 3);
}

TEST_F(I8259Test, AutomaticEoiOfTheSlaveLosesNoRequest) {
    out(pic.slave(), 0, 0x11);
    out(pic.slave(), 1, kSlaveBase);
    out(pic.slave(), 1, 0x02);
    out(pic.slave(), 1, 0x03);
    pulse(8);
    pulse(9);
    EXPECT_EQ(pic.acknowledge(), 0x28);
    out(pic.master(), 0, 0x20);
    ASSERT_TRUE(pic.pending());  // the slave's output fell and rose again in the acknowledge cycle
    EXPECT_EQ(pic.acknowledge(), 0x29);
}

TEST_F(I8259Test, SpecialMaskModeLetsLowerLevelsThrough) {
    pulse(3);
    EXPECT_EQ(pic.acknowledge(), 0x23);
    pulse(6);
    EXPECT_FALSE(pic.pending());
    out(pic.master(), 1, 0x08);  // mask the level in service
    EXPECT_FALSE(pic.pending());
    out(pic.master(), 0, 0x68);  // special mask mode
    ASSERT_TRUE(pic.pending());
    EXPECT_EQ(pic.acknowledge(), 0x26);
    out(pic.master(), 0, 0x20);  // skips the masked 3
    EXPECT_EQ(isr(pic.master()), 0x08);
    out(pic.master(), 0, 0x48);  // back to normal
    out(pic.master(), 0, 0x20);
    EXPECT_EQ(isr(pic.master()), 0);
}

TEST_F(I8259Test, SpecialFullyNestedModeLetsTheSlaveNest) {
    initialize(0x11);
    pulse(12);
    EXPECT_EQ(pic.acknowledge(), 0x2c);
    pulse(9);
    ASSERT_TRUE(pic.pending());
    EXPECT_EQ(pic.acknowledge(), 0x29);
    pulse(14);
    EXPECT_FALSE(pic.pending());  // the slave's own priorities hold
    pulse(3);
    EXPECT_FALSE(pic.pending());  // and the master's lower levels stay locked out
}

TEST_F(I8259Test, WithoutSpecialNestingTheSlaveWaitsForTheMaster) {
    pulse(12);
    EXPECT_EQ(pic.acknowledge(), 0x2c);
    pulse(9);
    EXPECT_FALSE(pic.pending());
    out(pic.master(), 0, 0x20);
    EXPECT_EQ(pic.acknowledge(), 0x29);
}

TEST_F(I8259Test, PollServesWithoutAnAcknowledgeCycle) {
    pulse(5);
    out(pic.master(), 0, 0x0c);
    EXPECT_EQ(in(pic.master(), 0), 0x85);
    EXPECT_EQ(isr(pic.master()), 0x20);
    EXPECT_FALSE(pic.pending());
    out(pic.master(), 0, 0x0c);
    EXPECT_EQ(in(pic.master(), 0), 0x00);
    EXPECT_EQ(in(pic.master(), 0), 0x20);  // one read only; then again the register chosen before, ISR
}

TEST_F(I8259Test, PollReadWorksAtEitherPort) {
    pulse(1);
    out(pic.master(), 0, 0x0c);
    EXPECT_EQ(in(pic.master(), 1), 0x81);
    EXPECT_EQ(in(pic.master(), 1), 0x00);  // IMR again
}

TEST_F(I8259Test, StatusReadChoiceStays) {
    pulse(4);
    EXPECT_EQ(irr(pic.master()), 0x10);
    EXPECT_EQ(in(pic.master(), 0), 0x10);
    EXPECT_EQ(isr(pic.master()), 0x00);
    EXPECT_EQ(in(pic.master(), 0), 0x00);
    out(pic.master(), 0, 0x08);  // OCW3 that chooses nothing
    EXPECT_EQ(in(pic.master(), 0), 0x00);
}

TEST_F(I8259Test, LevelInputFollowsItsLine) {
    out(pic.elcr(), 0, 0x20);  // input 5
    EXPECT_EQ(in(pic.elcr(), 0), 0x20);
    pic.set_input(5, true);
    EXPECT_TRUE(pic.pending());
    pic.set_input(5, false);
    EXPECT_FALSE(pic.pending());
    EXPECT_EQ(irr(pic.master()), 0);
    pic.set_input(5, true);
    EXPECT_EQ(pic.acknowledge(), 0x25);
    EXPECT_EQ(irr(pic.master()), 0x20);  // still asking
    out(pic.master(), 0, 0x20);
    EXPECT_TRUE(pic.pending());
    EXPECT_EQ(pic.acknowledge(), 0x25);
    pic.set_input(5, false);
    out(pic.master(), 0, 0x20);
    EXPECT_FALSE(pic.pending());
}

TEST_F(I8259Test, LevelThatDropsBeforeTheAcknowledgeIsSpurious) {
    out(pic.elcr(), 1, 0x08);  // input 11
    pic.set_input(11, true);
    ASSERT_TRUE(pic.pending());
    pic.set_input(11, false);
    EXPECT_EQ(pic.acknowledge(), 0x2f);
}

TEST_F(I8259Test, Icw1CanMakeAllInputsLevelTriggered) {
    initialize(0x01, 0x19);
    pulse(4);
    EXPECT_FALSE(pic.pending());
    pic.set_input(4, true);
    EXPECT_EQ(pic.acknowledge(), 0x24);
    out(pic.master(), 0, 0x20);
    EXPECT_TRUE(pic.pending());
}

TEST_F(I8259Test, ElcrKeepsTheFixedEdgesAndSwitchesPendingInputs) {
    out(pic.elcr(), 0, 0xff);
    out(pic.elcr(), 1, 0xff);
    EXPECT_EQ(in(pic.elcr(), 0), 0xf8);
    EXPECT_EQ(in(pic.elcr(), 1), 0xde);
    out(pic.elcr(), 0, 0x00);
    pic.set_input(5, true);
    (void)pic.acknowledge();
    out(pic.master(), 0, 0x20);
    EXPECT_FALSE(pic.pending());
    out(pic.elcr(), 0, 0x20);  // level now, and the line is high
    EXPECT_TRUE(pic.pending());
    out(pic.elcr(), 0, 0x00);  // edge again: none came
    EXPECT_FALSE(pic.pending());
}

TEST_F(I8259Test, Icw1ResetsWhatTheDataSheetSays) {
    pulse(3);
    (void)pic.acknowledge();
    pic.set_input(6, true);
    out(pic.master(), 1, 0xff);
    out(pic.master(), 0, 0xc0 | 3);
    out(pic.master(), 0, 0x6b);
    out(pic.master(), 0, 0x11);
    EXPECT_EQ(in(pic.master(), 0), 0);  // IRR is chosen, and the edge of 6 is forgotten
    EXPECT_FALSE(pic.pending());
    const I8259::Regs& regs = pic.master().regs();
    EXPECT_EQ(regs.imr, 0);
    EXPECT_EQ(regs.isr, 0);
    EXPECT_EQ(regs.lowest, 7);
    EXPECT_FALSE(regs.special_mask);
    EXPECT_FALSE(regs.read_isr);
}

TEST_F(I8259Test, NoInterruptBeforeTheSequenceIsComplete) {
    out(pic.master(), 0, 0x11);
    pulse(1);
    EXPECT_FALSE(pic.pending());
    out(pic.master(), 1, 0x40);
    out(pic.master(), 1, 0x04);
    EXPECT_FALSE(pic.pending());
    out(pic.master(), 1, 0x01);
    EXPECT_TRUE(pic.pending());
    EXPECT_EQ(pic.acknowledge(), 0x41);
}

TEST_F(I8259Test, VectorBaseIgnoresItsLowBits) {
    out(pic.master(), 0, 0x11);
    out(pic.master(), 1, 0x37);
    out(pic.master(), 1, 0x04);
    out(pic.master(), 1, 0x01);
    pulse(1);
    EXPECT_EQ(pic.acknowledge(), 0x31);
}

TEST_F(I8259Test, SingleModeSkipsIcw3AndTakesTheCascadeForAnInput) {
    out(pic.master(), 0, 0x13);
    out(pic.master(), 1, 0x50);
    out(pic.master(), 1, 0x01);  // ICW4 at once
    EXPECT_EQ(pic.master().regs().step, I8259::Step::Ready);
    pulse(12);
    EXPECT_EQ(pic.acknowledge(), 0x52);
}

TEST_F(I8259Test, WithoutIcw4ItsFunctionsAreOff) {
    initialize(0x13);
    out(pic.master(), 0, 0x10);
    out(pic.master(), 1, 0x60);
    out(pic.master(), 1, 0x04);
    EXPECT_EQ(pic.master().regs().step, I8259::Step::Ready);
    EXPECT_EQ(pic.master().regs().icw4, 0);
    pulse(1);
    EXPECT_EQ(pic.acknowledge(), 0x61);
    EXPECT_EQ(isr(pic.master()), 0x02);
}

TEST_F(I8259Test, MaskIsReadableBeforeInitialization) {
    I8259Pair fresh;
    out(fresh.master(), 1, 0xfb);
    EXPECT_EQ(in(fresh.master(), 1), 0xfb);
    fresh.set_input(2 + 1, true);
    EXPECT_FALSE(fresh.pending());
}

TEST_F(I8259Test, MisnumberedSlaveDoesNotAnswer) {
    out(pic.slave(), 0, 0x11);
    out(pic.slave(), 1, kSlaveBase);
    out(pic.slave(), 1, 0x05);
    out(pic.slave(), 1, 0x01);
    pulse(9);
    EXPECT_EQ(pic.acknowledge(), 0xff);
}

TEST_F(I8259Test, ResetKeepsTheLines) {
    out(pic.elcr(), 0, 0x20);
    pic.set_input(5, true);
    pic.reset();
    EXPECT_FALSE(pic.pending());
    EXPECT_EQ(pic.regs().master.lines, 0x20);
    initialize();
    EXPECT_FALSE(pic.pending());
    pic.set_input(5, false);
    pic.set_input(5, true);
    EXPECT_TRUE(pic.pending());
}

TEST_F(I8259Test, RestoreContinuesAsBefore) {
    pulse(12);
    (void)pic.acknowledge();
    pulse(9);
    pulse(4);
    const I8259Pair::Regs saved = pic.regs();
    out(pic.slave(), 0, 0x20);
    out(pic.master(), 0, 0x20);
    const std::vector<unsigned> expected = drain();
    I8259Pair other;
    other.restore(saved);
    EXPECT_EQ(other.regs(), saved);
    pic.restore(saved);
    EXPECT_EQ(pic.regs(), saved);
    out(pic.slave(), 0, 0x20);
    out(pic.master(), 0, 0x20);
    EXPECT_EQ(drain(), expected);
    EXPECT_EQ(expected, (std::vector<unsigned>{0x29, 0x24}));
}

}  // namespace
}  // namespace forkscope::devices
