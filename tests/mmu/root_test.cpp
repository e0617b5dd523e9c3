// The life of roots: when one is linked, held, and given up; and what the engine must flush.
#include "mmu_machine.hpp"

namespace forkscope::mmu {
namespace {

constexpr PhysAddr kRoot(0x10000);
constexpr PhysAddr kOther(0x20000);
constexpr PhysAddr kShared(0x11000);

class RootTest : public ::testing::Test, protected MmuMachine {
protected:
    RootTest() {
        for (const PhysAddr root : {kRoot, kOther}) poke(root + 8 * 256, kShared.raw() | kP | kW);
        poke(kOther, 0x12000 | kP | kW | kU);
        touch(kOther);
        touch(kRoot);
        take_events();
    }
    ~RootTest() override { expect_clean_audit(); }

    void touch(PhysAddr root) {
        if (regs.cr3 != root.raw()) load_cr3(regs, root);
        (void)mmu->fill(VirtAddr(0), Access::Read, Privilege::User, regs, origin);
    }
    std::optional<log::RootDeath> death() {
        const auto events = take_events(log::EventKind::RootDeath);
        if (events.empty()) return std::nullopt;
        EXPECT_EQ(events.size(), 1u);
        EXPECT_EQ(events[0].pa, kOther.raw());
        EXPECT_FALSE(mmu->is_table(kOther));
        EXPECT_FALSE(mmu->is_table(PhysAddr(0x12000)));
        EXPECT_TRUE(mmu->is_table(kShared));
        return static_cast<log::RootDeath>(events[0].aux);
    }

    PagingRegisters regs = long_mode(kRoot);
};

TEST_F(RootTest, ClearingThePageEndsIt) {
    store(kOther + 8, 0);
    EXPECT_FALSE(death()) << "one zero over zero may happen";
    store(kOther + 16, 0);
    EXPECT_EQ(death(), log::RootDeath::Flooded);
}

TEST_F(RootTest, ClearingTheLastPresentEntryEndsIt) {
    store(kOther, 0);
    EXPECT_FALSE(death());
    store(kOther + 8 * 256, 0);
    EXPECT_EQ(death(), log::RootDeath::Emptied);
}

TEST_F(RootTest, SmallStoresEndIt) {
    store(kOther + 12, 0x41, 1);
    EXPECT_EQ(death(), log::RootDeath::Misaligned);
}

TEST_F(RootTest, AnUnalignedStoreEndsIt) {
    store(kOther + 12, 0, 8);
    EXPECT_EQ(death(), log::RootDeath::Misaligned);
}

TEST_F(RootTest, ImplausibleEntriesEndIt) {
    for (const uint64_t value : {uint64_t{0x1234'5678}, uint64_t{0x1'0000'0000} | kP, 0x12000 | kP | kPs}) {
        touch(kOther);
        touch(kRoot);
        take_events();
        store(kOther + 8, value);
        EXPECT_EQ(death(), log::RootDeath::Implausible) << std::hex << value;
        poke(kOther + 8, 0);
    }
}

TEST_F(RootTest, PlausibleEntriesDoNot) {
    store(kOther + 8, 0x13000 | kP | kW | kU | kA | kNx | bit(9) | bit(62));
    store(kOther + 8, 0);
    store(kOther, peek(kOther) | kA);
    EXPECT_FALSE(death());
    EXPECT_TRUE(mmu->is_table(kOther));
}

TEST_F(RootTest, TheCurrentRootDoesNotDie) {
    touch(kOther);
    store(kOther + 12, 0x41, 1);
    store(kOther + 8, 0);
    for (unsigned i = 0; i < 512; ++i) store(kOther + 8 * i, 0);
    EXPECT_FALSE(death());
    EXPECT_TRUE(mmu->is_table(kOther));
    EXPECT_FALSE(mmu->is_table(PhysAddr(0x12000)));
}

TEST_F(RootTest, ALoadOfCr3AloneProtectsAKnownRoot) {
    load_cr3(regs, kOther);
    store(kOther + 12, 0x41, 1);
    EXPECT_FALSE(death());
    load_cr3(regs, kRoot);
    store(kOther + 12, 0x42, 1);
    EXPECT_EQ(death(), log::RootDeath::Misaligned);
}

TEST_F(RootTest, ADeadRootComesBackWithItsNextLoad) {
    store(kOther + 12, 0, 1);
    ASSERT_EQ(death(), log::RootDeath::Misaligned);
    touch(kOther);
    EXPECT_TRUE(mmu->is_table(kOther));
    EXPECT_TRUE(mmu->is_table(PhysAddr(0x12000)));
}

TEST_F(RootTest, PagingOffReleasesTheRoot) {
    const uint64_t cr0 = std::exchange(regs.cr0, regs.cr0 & ~kCr0Paging);
    mmu->on_flush(log::FlushKind::Cr0Write, VirtAddr(0), cr0, regs.cr0, regs, origin);
    store(kRoot + 12, 0x41, 1);
    EXPECT_FALSE(mmu->is_table(kRoot));
}

TEST_F(RootTest, ACpuThatGoesReleasesItsRoot) {
    mmu.reset();
    EXPECT_EQ(mirror.frame(mirror.slot_of(kRoot)).holds, 0);
    mmu = std::make_unique<Mmu>(CpuId{0}, PagingModel{}, ram, mirror, recorder, engine);
}

// A frame that the engine could write without us knowing.
TEST_F(RootTest, AWritableFrameThatBecomesATableIsFlushedFirst) {
    poke(kShared, 0x14000 | kP | kW);
    poke(PhysAddr(0x14000), 0x15000 | kP | kW);
    poke(PhysAddr(0x15000), 0x16000 | kP | kW);
    const VirtAddr va(0xffff'8000'0000'0000);
    mmu->observe_write(kShared, 0, 0x14000 | kP | kW, 8, log::Cause::Software, origin);
    const auto fill = [&](Access access) {
        return mmu->fill(va, access, Privilege::Supervisor, regs, origin);
    };

    ASSERT_TRUE(fill(Access::Read));
    store(kOther + 8, 0x16000 | kP);
    EXPECT_EQ(engine.flushes, 0u) << "it was handed out for reading only";
    store(kOther + 8, 0);
    ASSERT_TRUE(fill(Access::Write));
    store(kOther + 8, 0x16000 | kP);
    EXPECT_EQ(engine.flushes, 1u);
    EXPECT_TRUE(fill(Access::Write)->table);
    store(kOther + 8, 0);

    ASSERT_FALSE(fill(Access::Write)->table);
    mmu->engine_flushed();
    store(kOther + 8, 0x16000 | kP);
    EXPECT_EQ(engine.flushes, 1u) << "the engine has been flushed since";
}

TEST_F(RootTest, StoresThroughLeftoverAliasesFlushOnceIn64) {
    const PhysAddr no_table(0x30000);
    for (unsigned i = 0; i < 63; ++i)
        EXPECT_EQ(mmu->observe_write(no_table, 0, 1, 8, log::Cause::Software, origin), TableState::NotTable);
    EXPECT_EQ(engine.flushes, 0u);
    mmu->observe_write(no_table, 0, 1, 8, log::Cause::Software, origin);
    EXPECT_EQ(engine.flushes, 1u);
    for (unsigned i = 0; i < 63; ++i) mmu->observe_write(no_table, 0, 1, 8, log::Cause::Software, origin);
    mmu->engine_flushed();
    mmu->observe_write(no_table, 0, 1, 8, log::Cause::Software, origin);
    EXPECT_EQ(engine.flushes, 1u);
}

}  // namespace
}  // namespace forkscope::mmu
