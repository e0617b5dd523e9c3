// Two CPUs over one RAM and one mirror: tables are everybody's, TLBs are not.
#include "mmu_machine.hpp"

namespace forkscope::mmu {
namespace {

constexpr std::array<PhysAddr, 4> kTables = {PhysAddr(0x10000), PhysAddr(0x11000), PhysAddr(0x12000),
                                             PhysAddr(0x13000)};
constexpr VirtAddr kVa(0x40'0000);
constexpr uint64_t kLeaf = 0x5000 | kP | kW | kU;

class SeveralCpusTest : public ::testing::Test, protected MmuMachine {
protected:
    SeveralCpusTest() : other(CpuId{1}, {}, ram, mirror, recorder, other_engine) {
        map(kVa, kTables, kLeaf);
        other_origin.cpu = 1;
        other_origin.root = kTables[0].raw();
        origin.root = kTables[0].raw();
    }
    FillResult fill(Mmu& cpu, const log::Origin& by, Access access = Access::Write) {
        return cpu.fill(kVa, access, Privilege::User, regs, by);
    }
    PhysAddr leaf() const { return entry(kTables[3], kVa, 1); }

    FakeEngine other_engine;
    Mmu other;
    log::Origin other_origin;
    PagingRegisters regs = long_mode(kTables[0]);
};

TEST_F(SeveralCpusTest, ARootIsLinkedOnceAndHeldByBoth) {
    ASSERT_TRUE(fill(*mmu, origin));
    take_events();
    ASSERT_TRUE(fill(other, other_origin));
    EXPECT_TRUE(take_events(log::EventKind::TableLink).empty());
    EXPECT_EQ(mirror.frame(mirror.slot_of(kTables[0])).holds, 2);
    load_cr3(regs, PhysAddr(0x20000));
    store(kTables[0] + 4, 1, 1);
    EXPECT_TRUE(mmu->is_table(kTables[0])) << "the other CPU still runs on it";
    expect_clean_audit();
}

TEST_F(SeveralCpusTest, StampsAreEachCpusOwn) {
    EXPECT_TRUE(fill(*mmu, origin)->first);
    EXPECT_TRUE(fill(other, other_origin)->first);
    EXPECT_FALSE(fill(*mmu, origin)->first);
    mmu->on_flush(log::FlushKind::Invlpg, kVa, 0, 0, regs, origin);
    EXPECT_FALSE(fill(other, other_origin)->first);
    EXPECT_TRUE(fill(*mmu, origin)->first);
}

TEST_F(SeveralCpusTest, AFlushOnOneCpuDoesNotCoverTheOther) {
    ASSERT_TRUE(fill(*mmu, origin));
    ASSERT_TRUE(fill(other, other_origin));
    store(leaf(), peek(leaf()) & ~kW);
    EXPECT_TRUE(mmu->user_check_pending());
    EXPECT_TRUE(other.user_check_pending());
    invlpg(regs, kVa);
    EXPECT_FALSE(mmu->user_check_pending());
    take_events();
    other.check_on_return_to_user(regs, other_origin);
    const auto found = take_events(log::EventKind::Finding);
    ASSERT_EQ(found.size(), 1u) << "the shootdown that was forgotten";
    EXPECT_EQ(found[0].cpu, 1);
}

TEST_F(SeveralCpusTest, AFrameThatBecomesATableIsFlushedWhereItWasWritable) {
    ASSERT_TRUE(fill(*mmu, origin, Access::Read));
    ASSERT_TRUE(fill(other, other_origin, Access::Write));
    store(kTables[2], 0x5000 | kP);
    EXPECT_EQ(engine.flushes, 0u);
    EXPECT_EQ(other_engine.flushes, 1u);
}

TEST_F(SeveralCpusTest, ACpuThatComesLaterKnowsAllTables) {
    ASSERT_TRUE(fill(*mmu, origin));
    FakeEngine third_engine;
    Mmu third(CpuId{2}, {}, ram, mirror, recorder, third_engine);
    log::Origin third_origin{.cpu = 2};
    ASSERT_TRUE(fill(third, third_origin));
    store(leaf(), 0);
    EXPECT_TRUE(third.user_check_pending());
}

}  // namespace
}  // namespace forkscope::mmu
