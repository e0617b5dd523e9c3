// The ledger's bounds, what it says of the engine's TLB, and the events of flushes.
#include "ledger_fixture.hpp"

namespace forkscope::mmu {
namespace {

TEST_F(LedgerTest, SuspectsOfAGuestThatNeverFlushesStayBounded) {
    for (unsigned i = 0; i < 400'000; ++i) {
        store(at(1), (i % 2 == 0 ? 0x6000 : 0x5000) | kP | kW | kU);
        fill(Access::Read);
    }
    EXPECT_LT(LedgerTestPeer::suspects(*mmu), 150'000u);
    EXPECT_EQ(findings().size(), 1u);
}

TEST_F(LedgerTest, EpochsThatComeRound) {
    LedgerTestPeer::set_epochs(*mmu, 0xffff'fffe);
    EXPECT_TRUE(mmu->fill(kVa, Access::Write, Privilege::User, regs, origin)->first);
    load_cr3(regs, kRoot);
    EXPECT_TRUE(mmu->fill(kVa, Access::Write, Privilege::User, regs, origin)->first);
    load_cr3(regs, kRoot);
    EXPECT_TRUE(mmu->fill(kVa, Access::Write, Privilege::User, regs, origin)->first);
    EXPECT_FALSE(mmu->fill(kVa, Access::Write, Privilege::User, regs, origin)->first);
    store(at(1), 0);
    expect_finding_at(kVa);
    store(at(1), kLeaf | kG);
    fill(Access::Write);
    LedgerTestPeer::set_epochs(*mmu, 0xffff'ffff);
    store(at(1), kLeaf);
    fill(Access::Write);
    write_cr4(regs.cr4 ^ kCr4GlobalPages);
    EXPECT_TRUE(mmu->fill(kVa, Access::Write, Privilege::User, regs, origin)->first);
}

TEST_F(LedgerTest, EngineEntriesAreKnownOrComplainedAbout) {
    const Permissions rw = kMayRead | kMayWrite;
    const auto wrong = [&](VirtAddr va, PhysAddr frame, Permissions permissions, bool user) {
        return mmu->audit_engine_entry(va, frame, permissions, user, regs).has_value();
    };
    EXPECT_FALSE(wrong(kVa, PhysAddr(0x5000), rw, true));
    EXPECT_TRUE(wrong(kVa, PhysAddr(0x6000), rw, true)) << "another frame";
    EXPECT_TRUE(wrong(kVa + kPageSize, PhysAddr(0x6000), kMayRead, true)) << "never filled";
    store(at(1), 0);
    EXPECT_FALSE(wrong(kVa, PhysAddr(0x5000), rw, true)) << "pending";
    (void)findings();
    EXPECT_FALSE(wrong(kVa, PhysAddr(0x5000), rw, true)) << "reported";
    invlpg(regs, kVa);
    EXPECT_TRUE(wrong(kVa, PhysAddr(0x5000), rw, true)) << "flushed";
    store(at(1), kLeaf & ~(kW | kU));
    fill(Access::Read, kVa, Privilege::Supervisor);
    EXPECT_FALSE(wrong(kVa, PhysAddr(0x5000), kMayRead, false));
    EXPECT_TRUE(wrong(kVa, PhysAddr(0x5000), rw, false));
    EXPECT_TRUE(wrong(kVa, PhysAddr(0x5000), kMayRead, true));
    regs.cr0 &= ~kCr0WriteProtect;
    EXPECT_FALSE(wrong(kVa, PhysAddr(0x5000), rw, false));
    const auto text = mmu->audit_engine_entry(kVa, PhysAddr(0x9000), kMayRead, true, regs);
    ASSERT_TRUE(text);
    EXPECT_NE(text->find("0x9000"), std::string::npos);
}

TEST_F(LedgerTest, FlushesAreLogged) {
    invlpg(regs, kVa + 5);
    load_cr3(regs, kOtherRoot);
    load_cr3(regs, kOtherRoot);
    write_cr4(regs.cr4 | kCr4Smep);
    const auto events = take_events();
    ASSERT_EQ(events.size(), 5u);
    EXPECT_EQ(events[0].kind, log::EventKind::Flush);
    EXPECT_EQ(events[0].aux, static_cast<uint16_t>(log::FlushKind::Invlpg));
    EXPECT_EQ(events[0].va, (kVa + 5).raw());
    EXPECT_EQ(events[1].aux, static_cast<uint16_t>(log::FlushKind::Cr3Load));
    EXPECT_EQ(events[1].a, kRoot.raw());
    EXPECT_EQ(events[1].b, kOtherRoot.raw());
    EXPECT_EQ(events[2].kind, log::EventKind::Cr3Switch);
    EXPECT_EQ(events[2].a, kRoot.raw());
    EXPECT_EQ(events[2].b, kOtherRoot.raw());
    EXPECT_EQ(events[3].kind, log::EventKind::Flush) << "the same CR3 again is a flush and no switch";
    EXPECT_EQ(events[4].aux, static_cast<uint16_t>(log::FlushKind::Cr4Write));
}

}  // namespace
}  // namespace forkscope::mmu
