// The TLB ledger: a missing flush is found, a correct one is not complained about.
#include "emu/mmu/ledger.hpp"

#include "mmu_machine.hpp"

namespace forkscope::mmu {

// Epoch counters that come round are a matter of hours: the tests set them.
class LedgerTestPeer {
public:
    static void set_epochs(Mmu& mmu, uint32_t value) {
        mmu.ledger_.epochs_.others = value;
        mmu.ledger_.epochs_.globals = value;
    }
    static size_t suspects(const Mmu& mmu) { return mmu.ledger_.suspects_.size(); }
};

namespace {

constexpr PhysAddr kRoot(0x10000);
constexpr PhysAddr kOtherRoot(0x20000);
constexpr std::array<PhysAddr, 4> kTables = {kRoot, PhysAddr(0x11000), PhysAddr(0x12000), PhysAddr(0x13000)};
constexpr VirtAddr kVa(0x7f12'3460'0000);
constexpr uint64_t kLeaf = 0x5000 | kP | kW | kU | kA | kD;

class LedgerTest : public ::testing::Test, protected MmuMachine {
protected:
    LedgerTest() {
        map(kVa, kTables, kLeaf);
        poke(at(1) + 8, 0x6000 | kP | kW | kU | kA | kD);
        origin = {.icount = 5, .rip = 0x777, .root = kRoot.raw(), .task = 0, .cpu = 0, .cpl = 3};
        fill(Access::Write);
        take_events();
    }

    PhysAddr at(unsigned level) const { return entry(kTables[4 - level], kVa, level); }
    void fill(Access access, VirtAddr va = kVa, Privilege privilege = Privilege::User) {
        ASSERT_TRUE(mmu->fill(va, access, privilege, regs, origin));
    }
    std::vector<log::Event> findings() {
        take_events();
        mmu->check_on_return_to_user(regs, origin);
        return take_events(log::EventKind::Finding);
    }
    void expect_finding_at(VirtAddr va) {
        const auto found = findings();
        ASSERT_EQ(found.size(), 1u);
        EXPECT_EQ(found[0].va, va.raw());
    }
    void write_cr4(uint64_t value) {
        const uint64_t old_value = std::exchange(regs.cr4, value);
        mmu->on_flush(log::FlushKind::Cr4Write, VirtAddr(0), old_value, value, regs, origin);
    }

    PagingRegisters regs = long_mode(kRoot);
};

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
            EXPECT_EQ(findings().size(), 1u) << "level " << level << " to " << std::hex << peek(at(level));
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

// --- large pages

TEST_F(LedgerTest, ALargePageIsOneTranslation) {
    store(at(2), 0x20'0000 | kP | kW | kU | kPs);
    invlpg(regs, kVa);
    fill(Access::Write, kVa + 5 * kPageSize);
    const unsigned flushes = engine.flushes;
    store(at(2), peek(at(2)) & ~kW);
    expect_finding_at(kVa.align_down(entry_span(2)));
    store(at(2), peek(at(2)) | kW);
    fill(Access::Write, kVa + 9 * kPageSize);
    store(at(2), peek(at(2)) & ~kW);
    EXPECT_EQ(engine.flushes, flushes);
    invlpg(regs, kVa + 300 * kPageSize);
    EXPECT_EQ(engine.flushes, flushes + 1) << "the engine alone would drop 4 KiB of it";
    EXPECT_FALSE(mmu->user_check_pending());
}

TEST_F(LedgerTest, ASplitWithTheSamePagesIsForgivenPageByPage) {
    const PhysAddr small(0x14000);
    for (unsigned i = 0; i < kTableEntries; ++i)
        poke(small + 8 * i, 0x20'0000 + i * kPageSize + (kP | kW | kU));
    store(at(2), 0x20'0000 | kP | kW | kU | kPs);
    invlpg(regs, kVa);
    fill(Access::Write);
    store(at(2), small.raw() | kP | kW | kU);
    EXPECT_TRUE(findings().empty());
    EXPECT_TRUE(mmu->user_check_pending()) << "it cannot be stamped anew: it is looked at again";
    store(small + 8 * 77, 0x20'0000 + 77 * kPageSize + (kP | kU));
    expect_finding_at(kVa.align_down(entry_span(2)) + 77 * kPageSize);
    const unsigned flushes = engine.flushes;
    invlpg(regs, kVa + 78 * kPageSize);
    EXPECT_EQ(engine.flushes, flushes + 1) << "the large translation may still be in the TLB";
}

TEST_F(LedgerTest, AMergeOfTheSamePagesIsForgiven) {
    const uint64_t table = peek(at(2));
    for (unsigned i = 0; i < kTableEntries; ++i)
        store(kTables[3] + 8 * i, 0x20'0000 + i * kPageSize + (kP | kW | kU));
    load_cr3(regs, kRoot);
    fill(Access::Write);
    store(at(2), 0x20'0000 | kP | kW | kU | kPs);
    EXPECT_TRUE(findings().empty());
    store(at(2), 0x20'0000 | kP | kU | kPs);
    expect_finding_at(kVa);
    store(at(2), table);
    load_cr3(regs, kRoot);
}

TEST_F(LedgerTest, APageFaultInALargePageFlushesTheEngine) {
    store(at(2), 0x20'0000 | kP | kU | kPs);
    invlpg(regs, kVa);
    fill(Access::Read);
    const unsigned flushes = engine.flushes;
    mmu->page_fault_delivered(kVa, regs);
    EXPECT_EQ(engine.flushes, flushes + 1);
}

TEST_F(LedgerTest, AWriteOfEferFlushesTheEngineAlone) {
    mmu->on_flush(log::FlushKind::EferWrite, VirtAddr(0), regs.efer, regs.efer, regs, origin);
    EXPECT_EQ(engine.flushes, 1u);
    store(at(1), 0);
    expect_finding_at(kVa);
}

// --- several address spaces

TEST_F(LedgerTest, AnotherSpacesTablesDoNotMatter) {
    poke(entry(kOtherRoot, kVa, 4), peek(at(4)));
    load_cr3(regs, kOtherRoot);
    store(at(1), 0);
    EXPECT_FALSE(mmu->user_check_pending()) << "filled under the other root, flushed by the load of CR3";
}

// The kernel's half is shared, its pages are global.
TEST_F(LedgerTest, AGlobalPageThroughAnotherRoot) {
    const VirtAddr va(0xffff'8000'0000'0000);
    const std::array<PhysAddr, 3> shared = {PhysAddr(0x31000), PhysAddr(0x32000), PhysAddr(0x33000)};
    for (const PhysAddr root : {kRoot, kOtherRoot}) poke(entry(root, va, 4), shared[0].raw() | kP | kW);
    poke(entry(shared[0], va, 3), shared[1].raw() | kP | kW);
    poke(entry(shared[1], va, 2), shared[2].raw() | kP | kW);
    poke(entry(shared[2], va, 1), 0x8000 | kP | kW | kG);
    mmu->observe_write(entry(kRoot, va, 4), 0, peek(entry(kRoot, va, 4)), 8, log::Cause::Software, origin);
    fill(Access::Write, va, Privilege::Supervisor);
    load_cr3(regs, kOtherRoot);
    (void)mmu->fill(VirtAddr(0), Access::Read, Privilege::User, regs, origin);

    // Nothing went through this root's entry, but the pages below may be in the TLB.
    store(entry(kOtherRoot, va, 4), 0);
    expect_finding_at(va);
    store(entry(kOtherRoot, va, 4), shared[0].raw() | kP | kW);
    invlpg(regs, va);
    fill(Access::Write, va, Privilege::Supervisor);

    // The other root loses its entry: nothing to see here, but there.
    store(entry(kRoot, va, 4), 0);
    EXPECT_FALSE(mmu->user_check_pending());
    load_cr3(regs, kRoot);
    expect_finding_at(va);
    load_cr3(regs, kOtherRoot);
    invlpg(regs, va);
    store(entry(shared[2], va, 1), 0);
    EXPECT_FALSE(mmu->user_check_pending()) << "flushed through one root, gone for all";
}

// --- tables at several places

TEST_F(LedgerTest, OneTableAtTwoPlaces) {
    const VirtAddr twin = kVa + entry_span(2);
    store(at(2) + 8, peek(at(2)));
    store(at(1), 0);
    expect_finding_at(kVa);
    store(at(1), kLeaf);
    load_cr3(regs, kRoot);
    fill(Access::Write, twin);
    store(at(1), 0);
    expect_finding_at(twin);
    store(at(1), kLeaf);
    load_cr3(regs, kRoot);
    fill(Access::Write);
    fill(Access::Write, twin);
    store(at(1), 0);
    invlpg(regs, kVa);
    expect_finding_at(twin);
}

TEST_F(LedgerTest, TwoPlacesAreFirstFilledEachForItself) {
    const VirtAddr twin = kVa + entry_span(2);
    store(at(2) + 8, peek(at(2)));
    EXPECT_TRUE(mmu->fill(twin, Access::Read, Privilege::User, regs, origin)->first);
    EXPECT_FALSE(mmu->fill(twin, Access::Read, Privilege::User, regs, origin)->first);
    EXPECT_FALSE(mmu->fill(kVa, Access::Read, Privilege::User, regs, origin)->first);
}

TEST_F(LedgerTest, ManyTranslationsThroughSharedTablesStayBounded) {
    store(at(2) + 8, peek(at(2)));
    for (unsigned i = 0; i < kTableEntries; ++i)
        store(kTables[3] + 8 * i, 0x40'0000 + i * kPageSize + (kP | kU));
    for (unsigned round = 0; round < 40; ++round) {
        load_cr3(regs, kRoot);
        for (unsigned i = 0; i < 2 * kTableEntries; ++i)
            fill(Access::Read, kVa.align_down(entry_span(2)) + i * kPageSize);
    }
    store(kTables[3] + 8 * 100, 0);
    EXPECT_EQ(findings().size(), 2u);
}

// --- limits

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

// --- the engine's TLB against the ledger

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

// --- flush events

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
