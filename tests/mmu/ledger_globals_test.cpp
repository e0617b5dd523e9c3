// Global pages outlive the address space that they were filled in: what the ledger makes of them when
// address spaces differ, which a sound kernel avoids.
#include "mmu_machine.hpp"

namespace forkscope::mmu {
namespace {

constexpr PhysAddr kFirst(0x10000);
constexpr PhysAddr kSecond(0x20000);
constexpr VirtAddr kVa(0xffff'8000'0000'0000);
constexpr uint64_t kLeaf = 0x8000 | kP | kW | kU | kG | kA | kD;
constexpr uint64_t kLink = kP | kW | kU | kA;

// Both roots lead to the same tables at kVa.
class LedgerGlobalsTest : public ::testing::Test, protected MmuMachine {
protected:
    LedgerGlobalsTest() {
        poke(top(kFirst), kTables[0].raw() | kLink);
        poke(top(kSecond), kTables[0].raw() | kLink);
        chain(kTables, kLeaf);
        load(kSecond);
        load(kFirst);
    }
    ~LedgerGlobalsTest() override { expect_clean_audit(); }

    static PhysAddr top(PhysAddr root) { return entry(root, kVa, 4); }
    PhysAddr leaf() const { return entry(kTables[2], kVa, 1); }
    void chain(const std::array<PhysAddr, 3>& tables, uint64_t value) {
        poke(entry(tables[0], kVa, 3), tables[1].raw() | kLink);
        poke(entry(tables[1], kVa, 2), tables[2].raw() | kLink);
        poke(entry(tables[2], kVa, 1), value);
    }
    void load(PhysAddr root) {
        load_cr3(regs, root);
        (void)mmu->fill(VirtAddr(0), Access::Read, Privilege::User, regs, origin);
    }
    void fill(Access access, VirtAddr va = kVa, Privilege privilege = Privilege::Supervisor) {
        ASSERT_TRUE(mmu->fill(va, access, privilege, regs, origin));
    }
    std::vector<uint64_t> stale() {
        take_events();
        mmu->check_on_return_to_user(regs, origin);
        std::vector<uint64_t> list;
        for (const log::Event& e : take_events(log::EventKind::Finding)) list.push_back(e.va);
        return list;
    }
    using Pages = std::vector<uint64_t>;

    static constexpr std::array<PhysAddr, 3> kTables = {PhysAddr(0x11000), PhysAddr(0x12000),
                                                        PhysAddr(0x13000)};
    static constexpr std::array<PhysAddr, 3> kOthers = {PhysAddr(0x31000), PhysAddr(0x32000),
                                                        PhysAddr(0x33000)};
    PagingRegisters regs = long_mode(kFirst);
};

TEST_F(LedgerGlobalsTest, AFillWithFewerRightsDoesNotHideOneWithMore) {
    store(top(kSecond), kTables[0].raw() | (kLink & ~kW));
    fill(Access::Write);
    load(kSecond);
    fill(Access::Read);  // read-only by this root's entry
    store(leaf(), kLeaf & ~kW);
    load(kFirst);
    EXPECT_EQ(stale(), Pages{kVa.raw()});
}

TEST_F(LedgerGlobalsTest, RightsOfAnOrdinaryFillDoNotOutliveIt) {
    store(top(kFirst), kTables[0].raw() | (kLink & ~kU));
    load(kFirst);
    fill(Access::Read);  // global, for the supervisor
    store(leaf(), kLeaf & ~kG);
    store(top(kFirst), kTables[0].raw() | kLink);
    fill(Access::Read, kVa, Privilege::User);  // not global, for the user as well
    EXPECT_EQ(stale(), Pages{});
    load(kFirst);
    store(leaf(), kLeaf & ~(kG | kU));
    EXPECT_EQ(stale(), Pages{}) << "the user's translation went with the load of CR3";
    store(leaf(), 0);
    EXPECT_EQ(stale(), Pages{kVa.raw()}) << "the global one did not";
}

TEST_F(LedgerGlobalsTest, AnotherRootsTablesDoNotForgive) {
    chain(kOthers, kLeaf);  // the same page by other tables
    store(top(kSecond), kOthers[0].raw() | kLink);
    load(kFirst);
    fill(Access::Write);
    load(kSecond);
    store(leaf(), 0);
    EXPECT_EQ(stale(), Pages{}) << "here it is still mapped";
    load(kFirst);
    EXPECT_EQ(stale(), Pages{kVa.raw()});
}

TEST_F(LedgerGlobalsTest, NorDoTheyForATableAtTwoPlaces) {
    chain(kOthers, kLeaf);
    store(top(kSecond), kOthers[0].raw() | kLink);
    load(kFirst);
    store(entry(kTables[1], kVa, 2) + 8, kTables[2].raw() | kLink);
    fill(Access::Write);
    load(kSecond);
    for (unsigned round = 0; round < 2; ++round) {
        store(leaf(), kLeaf);
        store(leaf(), 0);
        EXPECT_EQ(stale(), Pages{}) << "here it is still mapped";
    }
    store(leaf(), kLeaf);
    store(leaf(), 0);
    load(kFirst);
    EXPECT_EQ(stale(), Pages{kVa.raw()});
}

TEST_F(LedgerGlobalsTest, TablesThatGoWithTheirRootLeaveTheirPages) {
    chain(kOthers, kLeaf);
    store(top(kSecond), kOthers[0].raw() | kLink);
    load(kSecond);
    fill(Access::Write);
    load(kFirst);
    store(top(kFirst), 0);
    store(kSecond + 4, 1, 1);  // the root dies
    ASSERT_FALSE(mmu->is_table(kOthers[2]));
    EXPECT_EQ(stale(), Pages{kVa.raw()});
}

TEST_F(LedgerGlobalsTest, FlushedByAddressWhereverItWasFilled) {
    chain(kOthers, kLeaf);
    store(top(kSecond), kOthers[0].raw() | kLink);
    load(kSecond);
    fill(Access::Write);
    load(kFirst);
    invlpg(regs, kVa);
    store(entry(kOthers[2], kVa, 1), 0);
    EXPECT_FALSE(mmu->user_check_pending());
}

// A root that maps itself is a table at several levels, so its entries keep their stamps.
TEST_F(LedgerGlobalsTest, AnOverwrittenEntryOfASharedTable) {
    poke(kFirst + 8 * 511, kFirst.raw() | kLink);
    mmu->observe_write(kFirst + 8 * 511, 0, kFirst.raw() | kLink, 8, log::Cause::Software, origin);
    const VirtAddr second_page = kVa + kPageSize;
    chain(kOthers, 0);
    poke(entry(kOthers[2], second_page, 1), kLeaf);
    fill(Access::Write);
    store(top(kSecond), kOthers[0].raw() | kLink);
    load(kSecond);
    fill(Access::Write, second_page);
    load(kFirst);
    store(top(kFirst), kOthers[0].raw() | kLink);
    EXPECT_EQ(stale(), Pages{kVa.raw()});
    store(top(kFirst), 0);
    EXPECT_EQ(stale(), Pages{second_page.raw()});
}

// As when a kernel clears the top table of a process that ends.
TEST_F(LedgerGlobalsTest, ARootThatIsClearedWhileAnotherOneIsInUse) {
    fill(Access::Write);
    store(top(kSecond), 0);
    EXPECT_FALSE(mmu->user_check_pending());
    store(top(kSecond), kTables[0].raw() | kLink);
    load(kSecond);
    EXPECT_EQ(stale(), Pages{}) << "whole again before it was used";
    load(kFirst);
    poke(kSecond, 0x40000 | kLink);  // keeps the root from being given up as empty
    mmu->observe_write(kSecond, 0, 0x40000 | kLink, 8, log::Cause::Software, origin);
    store(top(kSecond), 0);
    load(kSecond);
    EXPECT_EQ(stale(), Pages{kVa.raw()});
}

}  // namespace
}  // namespace forkscope::mmu
