// Frames that are watched before they are tables: announced, or known from an equal run.
#include "emu/mmu/mirror.hpp"

#include "mmu_machine.hpp"
#include "table_replay.hpp"

namespace forkscope::mmu {
namespace {

constexpr PhysAddr kRoot(0x10000);
constexpr PhysAddr kOtherRoot(0x20000);
constexpr std::array<PhysAddr, 4> kTables = {kRoot, PhysAddr(0x11000), PhysAddr(0x12000), PhysAddr(0x13000)};
constexpr PhysAddr kNewTable(0x30000);
constexpr VirtAddr kVa(0x203000);
constexpr uint64_t kLeaf = 0x5000 | kP | kW | kU;

class WatchTest : public ::testing::Test, protected MmuMachine {
protected:
    WatchTest() {
        map(kVa, kTables, kLeaf | kA | kD);
        origin.root = kRoot.raw();
        (void)mmu->fill(kVa, Access::Read, Privilege::Supervisor, regs, origin);
        (void)events(log::EventKind::None);  // of the setting up
    }
    ~WatchTest() override {
        expect_clean_audit();
        for (const log::Event& e : seen_) replay_.apply(e);
        for (const log::Event& e : take_events()) replay_.apply(e);
        replay_.expect_equals(ram);
    }
    std::vector<log::Event> events(log::EventKind kind) {
        std::vector<log::Event> taken = take_events();
        seen_.insert(seen_.end(), taken.begin(), taken.end());
        std::erase_if(taken, [&](const log::Event& e) { return e.kind != kind; });
        return taken;
    }
    void write_by(uint64_t rip, uint64_t icount, PhysAddr pa, uint64_t value) {
        const log::Origin before = origin;
        origin.rip = rip;
        origin.icount = icount;
        origin.task = 5;
        store(pa, value);
        origin = before;
    }
    // The entry of the level-2 table that links the new table, beside the one for kVa.
    void link_new_table() { store(kTables[2] + 8 * sizeof(Pte), kNewTable.raw() | kP | kW | kU); }
    void unlink_new_table() { store(kTables[2] + 8 * sizeof(Pte), 0); }

    PagingRegisters regs = long_mode(kRoot);
    TableReplay replay_;
    std::vector<log::Event> seen_;
};

TEST_F(WatchTest, AnnouncedTableTellsWhoFilledItOnceItIsLinked) {
    mirror.announce_table(kNewTable);
    EXPECT_TRUE(mmu->is_table(kNewTable));
    write_by(0x42, 100, kNewTable, kLeaf);
    write_by(0x43, 101, kNewTable + 8, kLeaf | kD);
    write_by(0x44, 102, kNewTable, 0x6000 | kP | kU);
    EXPECT_TRUE(events(log::EventKind::PteWrite).empty()) << "it is no table yet";
    origin.icount = 200;
    link_new_table();
    const auto found = events(log::EventKind::PteFound);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].flags, log::kWriterKnown);
    EXPECT_EQ(found[0].rip, 0x44u) << "the last writer";
    EXPECT_EQ(found[0].a, 102u);
    EXPECT_EQ(found[0].task, 5u);
    EXPECT_EQ(found[0].cause, log::Cause::Software);
    EXPECT_EQ(found[0].b, 0x6000 | kP | kU);
    EXPECT_EQ(found[0].icount, 200u);
    EXPECT_EQ(found[1].rip, 0x43u);
}

TEST_F(WatchTest, WhatWasThereBeforeHasNoWriter) {
    poke(kNewTable, kLeaf);
    mirror.announce_table(kNewTable);
    write_by(0x42, 100, kNewTable + 8, kLeaf);
    link_new_table();
    const auto found = events(log::EventKind::PteFound);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].flags, 0u);
    EXPECT_EQ(found[0].a, 0u);
    EXPECT_EQ(found[1].flags, log::kWriterKnown);
}

TEST_F(WatchTest, AnnouncedTableIsWatchedUntilItIsFreed) {
    mirror.announce_table(kNewTable);
    link_new_table();
    unlink_new_table();
    EXPECT_TRUE(mmu->is_table(kNewTable)) << "it may be linked again";
    write_by(0x42, 100, kNewTable, kLeaf);
    link_new_table();
    EXPECT_EQ(events(log::EventKind::PteFound).back().rip, 0x42u);
    mirror.announce_no_table(kNewTable, origin);
    EXPECT_TRUE(mmu->is_table(kNewTable)) << "whatever the guest says, it is linked";
    unlink_new_table();
    EXPECT_FALSE(mmu->is_table(kNewTable));
    mirror.announce_table(kNewTable);
    mirror.announce_no_table(kNewTable, origin);
    EXPECT_FALSE(mmu->is_table(kNewTable));
}

TEST_F(WatchTest, FreedRootIsNoneAnyMoreUnlessItIsInCr3) {
    poke(kOtherRoot, peek(kRoot));
    load_cr3(regs, kOtherRoot);
    (void)mmu->fill(kVa, Access::Read, Privilege::Supervisor, regs, origin);
    mirror.announce_no_table(kOtherRoot, origin);
    EXPECT_TRUE(mirror.is_root(kOtherRoot));
    load_cr3(regs, kRoot);
    mirror.announce_no_table(kOtherRoot, origin);
    EXPECT_FALSE(mmu->is_table(kOtherRoot));
    const auto deaths = events(log::EventKind::RootDeath);
    ASSERT_EQ(deaths.size(), 1u);
    EXPECT_EQ(deaths[0].aux, static_cast<uint16_t>(log::RootDeath::Announced));
}

TEST_F(WatchTest, FramesOutsideRamAreIgnored) {
    mirror.announce_table(PhysAddr(0xffff'ffff'f000));
    mirror.announce_no_table(PhysAddr(0xffff'ffff'f000), origin);
    EXPECT_FALSE(mmu->is_table(PhysAddr(0xffff'ffff'f000)));
}

TEST_F(WatchTest, AuditComparesWhatIsOnlyWatched) {
    mirror.announce_table(kNewTable);
    poke(kNewTable, kLeaf);  // behind the mirror's back
    EXPECT_EQ(mmu->audit(origin).differences, 1u);
    poke(kNewTable, 0);
    (void)take_events();  // that audit's event says so, too
}

TEST_F(WatchTest, WatchedFrameIsTakenFromTheEngine) {
    PagingRegisters writing = regs;
    store(entry(kTables[3], VirtAddr(0x204000), 1), kNewTable.raw() | kP | kW | kU | kA | kD);
    (void)mmu->fill(VirtAddr(0x204000), Access::Write, Privilege::Supervisor, writing, origin);
    const unsigned flushes = engine.flushes;
    mirror.announce_table(kNewTable);
    EXPECT_EQ(engine.flushes, flushes + 1);
}

TEST(Retrace, ASecondMachineKnowsWhatBecomesATable) {
    const auto run = [](const Mirror::LinkCounts* expected) {
        MmuMachine machine;
        machine.map(kVa, kTables, kLeaf | kA | kD);
        if (expected != nullptr) machine.mirror.expect_tables(*expected);
        PagingRegisters regs = long_mode(kRoot);
        machine.origin = {.icount = 7, .rip = 0x42, .root = kRoot.raw()};
        for (int round = 0; round < 2; ++round) {
            machine.store(kNewTable, kLeaf);
            (void)machine.mmu->fill(kVa, Access::Read, Privilege::Supervisor, regs, machine.origin);
            machine.store(kTables[2] + 64, kNewTable.raw() | kP | kW | kU);
            machine.store(kTables[2] + 64, 0);
            machine.store(kNewTable, 0);
        }
        machine.expect_clean_audit();
        EXPECT_FALSE(machine.mmu->is_table(kNewTable)) << "twice is all there was to come";
        return std::pair(machine.mirror.times_linked(), machine.take_events(log::EventKind::PteFound));
    };
    const auto [counts, blind] = run(nullptr);
    EXPECT_EQ(counts[kNewTable.page_number()], 2u);
    EXPECT_EQ(counts[kRoot.page_number()], 1u);
    for (const log::Event& e : blind) EXPECT_EQ(e.flags, 0u);
    const auto [again, seeing] = run(&counts);
    EXPECT_EQ(again, counts);
    ASSERT_EQ(seeing.size(), blind.size());
    for (const log::Event& e : seeing) {
        EXPECT_EQ(e.flags, log::kWriterKnown);
        const bool loaded = (e.pa & ~kPageOffsetMask) != kNewTable.raw();
        EXPECT_EQ(e.cause, loaded ? log::Cause::Loader : log::Cause::Software);
        EXPECT_EQ(e.rip, loaded ? 0u : 0x42u);
    }
}

}  // namespace
}  // namespace forkscope::mmu
