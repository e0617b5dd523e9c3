// The TLB ledger: a missing flush is found, a correct one is not complained about.
#include "ledger_fixture.hpp"

namespace forkscope::mmu {
namespace {

TEST_F(LedgerTest, AWriteProtectedPageWithoutAFlush) {
    EXPECT_FALSE(mmu->user_check_pending());
    store(at(1), kLeaf & ~kW);
    EXPECT_TRUE(mmu->user_check_pending());
    const auto found = findings();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].aux, static_cast<uint16_t>(log::Finding::StaleTlbUser));
    EXPECT_EQ(found[0].va, kVa.raw());
    EXPECT_EQ(found[0].level, 1);
    EXPECT_EQ(found[0].pa, at(1).raw());
    EXPECT_EQ(found[0].a, kLeaf);
    EXPECT_EQ(found[0].b, kLeaf & ~kW);
    EXPECT_EQ(found[0].rip, 0x777u);
    EXPECT_FALSE(mmu->user_check_pending());
    EXPECT_TRUE(findings().empty()) << "once";
}

TEST_F(LedgerTest, EveryWayToWeakenAnEntry) {
    const uint64_t weaker[] = {kLeaf & ~kP, kLeaf & ~kW, kLeaf & ~kU, kLeaf | kNx, kLeaf + kPageSize, 0};
    for (unsigned level = 1; level <= 4; ++level) {
        const uint64_t before = peek(at(level));
        for (const uint64_t value : weaker) {
            fill(Access::Write);
            store(at(level),
                  (value ^ kLeaf) == kPageSize ? before + 0x100 * kPageSize : before ^ (value ^ kLeaf));
            if (value == 0) store(at(level), 0);
            const auto found = findings();
            ASSERT_EQ(found.size(), 1u) << "level " << level << " to " << std::hex << peek(at(level));
            if (value == (kLeaf & ~kW) || value == (kLeaf & ~kP)) {
                EXPECT_EQ(found[0].flags, level) << "the entry that refuses";
            }
            store(at(level), before);
            invlpg(regs, kVa);
        }
    }
}

TEST_F(LedgerTest, StrongerEntriesAndHardwareBitsNeedNoFlush) {
    poke(at(1), kLeaf);
    store(at(1), kLeaf & ~(kA | kD));
    store(at(1), kLeaf | bit(9) | kG);
    store(at(1), (kLeaf & ~kW) | kW);
    store(at(2), peek(at(2)) | kA);
    EXPECT_FALSE(mmu->user_check_pending());
    // Read-only when it was filled: it may become writable and read-only again.
    store(at(1) + 8, 0x6000 | kP | kU);
    invlpg(regs, kVa + kPageSize);
    fill(Access::Read, kVa + kPageSize);
    store(at(1) + 8, 0x6000 | kP | kU | kW);
    store(at(1) + 8, 0x6000 | kP | kU);
    EXPECT_FALSE(mmu->user_check_pending());
}

TEST_F(LedgerTest, AnUnusedEntryNeedsNoFlush) {
    store(at(1) + 8, 0);
    EXPECT_FALSE(mmu->user_check_pending());
    store(at(2), 0);
    EXPECT_EQ(findings().size(), 1u) << "the one page that was filled, not its neighbour";
}

TEST_F(LedgerTest, EveryFlushCovers) {
    const std::function<void()> flushes[] = {
        [&] { invlpg(regs, kVa + 0x123); },
        [&] { load_cr3(regs, kRoot); },
        [&] { write_cr4(regs.cr4 ^ kCr4GlobalPages); },
        [&] { write_cr4(regs.cr4 ^ kCr4Smep); },
        [&] { mmu->page_fault_delivered(kVa + 0x123, regs); },
        [&] {
            mmu->on_flush(log::FlushKind::Cr0Write, VirtAddr(0), regs.cr0 & ~kCr0Paging, regs.cr0, regs,
                          origin);
        },
        [&] { mmu->on_flush(log::FlushKind::TaskSwitch, VirtAddr(0), regs.cr3, regs.cr3, regs, origin); },
    };
    for (const auto& flush : flushes) {
        store(at(1), kLeaf);
        fill(Access::Write);
        store(at(1), kLeaf & ~kW);
        EXPECT_TRUE(mmu->user_check_pending());
        flush();
        EXPECT_FALSE(mmu->user_check_pending());
        EXPECT_TRUE(findings().empty());
    }
}

TEST_F(LedgerTest, WhatIsNoFlushDoesNotCover) {
    store(at(1), kLeaf & ~kW);
    invlpg(regs, kVa + kPageSize);
    mmu->page_fault_delivered(kVa - kPageSize, regs);
    write_cr4(regs.cr4 | kCr4Smap);
    mmu->on_flush(log::FlushKind::EferWrite, VirtAddr(0), regs.efer, regs.efer, regs, origin);
    mmu->on_flush(log::FlushKind::Cr0Write, VirtAddr(0), regs.cr0, regs.cr0 ^ kCr0WriteProtect, regs, origin);
    mmu->engine_flushed();
    expect_finding_at(kVa);
}

TEST_F(LedgerTest, AFlushBeforeTheWriteDoesNotCover) {
    invlpg(regs, kVa);
    fill(Access::Read);
    store(at(1), kLeaf & ~kW);
    expect_finding_at(kVa);
}

TEST_F(LedgerTest, GlobalPagesOutliveALoadOfCr3) {
    invlpg(regs, kVa);
    store(at(1), kLeaf | kG);
    fill(Access::Write);
    store(at(1), 0);
    load_cr3(regs, kRoot);
    expect_finding_at(kVa);
    write_cr4(regs.cr4 ^ kCr4GlobalPages);
    write_cr4(regs.cr4 ^ kCr4GlobalPages);
    store(at(1), kLeaf);
    fill(Access::Write);
    store(at(1), 0);
    load_cr3(regs, kRoot);
    EXPECT_TRUE(findings().empty());
}

TEST_F(LedgerTest, AChangeThatIsUndoneIsForgiven) {
    store(at(1), 0);
    store(at(1), kLeaf);
    EXPECT_TRUE(mmu->user_check_pending());
    EXPECT_TRUE(findings().empty());
    EXPECT_FALSE(mmu->user_check_pending());
    store(at(1), 0);
    expect_finding_at(kVa);
}

TEST_F(LedgerTest, TheSameUpAPath) {
    const uint64_t before = peek(at(3));
    store(at(3), 0);
    store(at(3), before);
    EXPECT_TRUE(findings().empty());
    store(at(3), before & ~kU);
    expect_finding_at(kVa);
}

TEST_F(LedgerTest, SupervisorPagesAreAClassOfTheirOwn) {
    store(at(1), kLeaf & ~kU);
    invlpg(regs, kVa);
    fill(Access::Write, kVa, Privilege::Supervisor);
    store(at(1), 0);
    const auto found = findings();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].aux, static_cast<uint16_t>(log::Finding::StaleTlbKernel));
}

TEST_F(LedgerTest, ThePathsRightsCountNotTheEntrys) {
    store(at(2), peek(at(2)) & ~kW);
    invlpg(regs, kVa);
    fill(Access::Read);
    store(at(1), kLeaf & ~kW);
    EXPECT_TRUE(findings().empty()) << "the path was read-only when it was filled";
}

TEST_F(LedgerTest, ARefillDoesNotForgive) {
    store(at(1), 0x7000 | kP | kW | kU);
    fill(Access::Read);  // the engine had evicted it; a real TLB need not
    expect_finding_at(kVa);
}

}  // namespace
}  // namespace forkscope::mmu
