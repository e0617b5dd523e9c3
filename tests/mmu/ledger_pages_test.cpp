// The ledger and large pages, other address spaces, tables that stand at several places.
#include "ledger_fixture.hpp"

namespace forkscope::mmu {
namespace {

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

TEST_F(LedgerTest, AForgivenPageOfATableAtTwoPlacesIsWatchedAgain) {
    store(at(2) + 8, peek(at(2)));
    const uint64_t before = peek(at(2));
    for (unsigned round = 0; round < 2; ++round) {
        store(at(2), 0);
        store(at(2), before);
        EXPECT_TRUE(mmu->user_check_pending());
        EXPECT_TRUE(findings().empty());
    }
    store(at(2), 0);
    expect_finding_at(kVa);
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

}  // namespace
}  // namespace forkscope::mmu
