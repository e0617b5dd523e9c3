// The mirror: how frames become tables and stop being tables, and that the log tells all of it.
#include "emu/mmu/mirror.hpp"

#include "mmu_machine.hpp"
#include "table_replay.hpp"

namespace forkscope::mmu {
namespace {

constexpr PhysAddr kRoot(0x10000);
constexpr PhysAddr kOtherRoot(0x20000);
constexpr std::array<PhysAddr, 4> kTables = {kRoot, PhysAddr(0x11000), PhysAddr(0x12000), PhysAddr(0x13000)};
constexpr VirtAddr kVa(0xffff'8000'0020'3000);

class MirrorTest : public ::testing::Test, protected MmuMachine {
protected:
    MirrorTest() {
        map(kVa, kTables, 0x5000 | kP | kW | kA | kD);
        for (unsigned level = 4; level > 1; --level)
            poke(entry(kTables[4 - level], kVa, level), peek(entry(kTables[4 - level], kVa, level)) | kA);
        origin.root = kRoot.raw();
    }
    ~MirrorTest() override {
        expect_clean_audit();
        replayed();
        replay_.expect_equals(ram);
    }

    // Events since the last call, after the replay has checked them.
    std::vector<log::Event> replayed() {
        std::vector<log::Event> events = take_events();
        for (const log::Event& e : events) replay_.apply(e);
        return events;
    }
    std::vector<log::Event> replayed(log::EventKind kind) {
        std::vector<log::Event> events = replayed();
        std::erase_if(events, [&](const log::Event& e) { return e.kind != kind; });
        return events;
    }
    PhysAddr at(unsigned level) const { return entry(kTables[4 - level], kVa, level); }
    void touch(PhysAddr root) {
        if (regs.cr3 != root.raw()) load_cr3(regs, root);
        (void)mmu->fill(kVa, Access::Read, Privilege::Supervisor, regs, origin);
    }
    const TableFrame& table(PhysAddr pa) const { return mirror.frame(mirror.slot_of(pa)); }

    PagingRegisters regs = long_mode(kRoot);
    TableReplay replay_;
};

TEST_F(MirrorTest, NothingIsATableBeforeTheFirstFill) {
    for (const PhysAddr t : kTables) EXPECT_FALSE(mmu->is_table(t));
    mmu->on_flush(log::FlushKind::Cr3Load, VirtAddr(0), 0, kRoot.raw(), regs, origin);
    EXPECT_FALSE(mmu->is_table(kRoot)) << "a root is linked at its first fill";
    touch(kRoot);
    for (const PhysAddr t : kTables) EXPECT_TRUE(mmu->is_table(t + 0xfff));
    EXPECT_FALSE(mmu->is_table(PhysAddr(0x5000)));
    EXPECT_FALSE(mmu->is_table(PhysAddr(0xffff'ffff'f000)));
}

TEST_F(MirrorTest, ARootIsLoggedWithAllBelowIt) {
    touch(kRoot);
    const auto events = replayed();
    ASSERT_EQ(events.size(), 9u) << "a link and a found entry for each table, and the fill";
    for (unsigned i = 0; i < 4; ++i) {
        const unsigned level = 4 - i;
        const log::Event& link = events[2 * i];
        EXPECT_EQ(link.kind, log::EventKind::TableLink);
        EXPECT_EQ(link.pa, kTables[i].raw());
        EXPECT_EQ(link.level, level);
        EXPECT_EQ(link.a, i == 0 ? 0 : at(level + 1).raw());
        EXPECT_EQ(link.b, 1u);
        EXPECT_EQ(link.va, i == 0 ? 0 : kVa.align_down(entry_span(level + 1)).raw());
        EXPECT_EQ(link.space, kRoot.raw());
        EXPECT_EQ(link.flags, log::kFirstLink);
        const log::Event& found = events[2 * i + 1];
        EXPECT_EQ(found.kind, log::EventKind::PteFound);
        EXPECT_EQ(found.pa, at(level).raw());
        EXPECT_EQ(found.va, kVa.align_down(entry_span(level)).raw());
        EXPECT_EQ(found.level, level);
        EXPECT_EQ(found.b, peek(at(level)));
    }
}

TEST_F(MirrorTest, AWriteIsLoggedWithPlaceAndCause) {
    touch(kRoot);
    replayed();
    origin = {.icount = 99, .rip = 0xabcd, .root = kRoot.raw(), .task = 5, .cpu = 0, .cpl = 0};
    EXPECT_EQ(store(at(1), 0x6000 | kP), TableState::Table);
    const auto events = replayed();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].kind, log::EventKind::PteWrite);
    EXPECT_EQ(events[0].pa, at(1).raw());
    EXPECT_EQ(events[0].va, kVa.raw());
    EXPECT_EQ(events[0].level, 1);
    EXPECT_EQ(events[0].a, 0x5000 | kP | kW | kA | kD);
    EXPECT_EQ(events[0].b, 0x6000 | kP);
    EXPECT_EQ(events[0].space, kRoot.raw());
    EXPECT_EQ(events[0].cause, log::Cause::Software);
    EXPECT_EQ(events[0].rip, 0xabcdu);
    EXPECT_EQ(events[0].icount, 99u);
    store(at(1), 0x6000 | kP);
    EXPECT_TRUE(replayed().empty()) << "the same value again changes nothing";
}

TEST_F(MirrorTest, PartialWritesAreOneEventOfTheWholeEntry) {
    touch(kRoot);
    const uint64_t before = peek(at(1));
    replayed();
    for (const unsigned size : {1u, 2u, 4u}) {
        const uint64_t old = peek(at(1));
        store(at(1) + 8 - size, 0x80ff'ffff'ffff'ffff >> (64 - 8 * size), size);
        const auto events = replayed();
        ASSERT_EQ(events.size(), 1u);
        EXPECT_EQ(events[0].pa, at(1).raw());
        EXPECT_EQ(events[0].a, old);
        EXPECT_EQ(events[0].b, peek(at(1)));
        store(at(1), before);
        replayed();
    }
    // Across two entries, as an unaligned store would be.
    store(at(1) + 4, 0x0000'1111'2222'3333, 8);
    const auto events = replayed();
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[1].pa, at(1).raw() + 8);
    EXPECT_EQ(events[1].a, 0u);
    EXPECT_EQ(events[1].b, 0x0000'1111u);
}

TEST_F(MirrorTest, LinkAndUnlinkFollowTheEntry) {
    touch(kRoot);
    const PhysAddr spare(0x14000);
    poke(spare + 8, 0x7000 | kP | kW);
    replayed();
    store(at(2) + 8, spare.raw() | kP | kW);
    EXPECT_TRUE(mmu->is_table(spare));
    auto events = replayed();
    ASSERT_EQ(events.size(), 3u) << "the write, the link, the entry found";
    EXPECT_EQ(events[0].kind, log::EventKind::PteWrite);
    EXPECT_EQ(events[1].kind, log::EventKind::TableLink);
    EXPECT_EQ(events[1].va, kVa.align_down(entry_span(2)).raw() + entry_span(2));
    EXPECT_EQ(events[2].va, events[1].va + kPageSize);
    store(at(2) + 8, 0);
    EXPECT_FALSE(mmu->is_table(spare));
    events = replayed();
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[1].kind, log::EventKind::TableUnlink);
    EXPECT_EQ(events[1].flags, log::kLastLink);
    EXPECT_EQ(events[1].b, 0u);
}

TEST_F(MirrorTest, AnUnlinkTakesTheWholeSubtree) {
    touch(kRoot);
    replayed();
    store(at(4), peek(at(4)) & ~kP);
    EXPECT_TRUE(mmu->is_table(kRoot));
    for (unsigned i = 1; i < 4; ++i) EXPECT_FALSE(mmu->is_table(kTables[i]));
    EXPECT_EQ(replayed(log::EventKind::TableUnlink).size(), 3u);
    poke(kTables[3] + 16, 0x9000 | kP);  // nobody watches, but the next link finds it
    store(at(4), peek(at(4)) | kP);
    for (const PhysAddr t : kTables) EXPECT_TRUE(mmu->is_table(t));
    EXPECT_EQ(replayed(log::EventKind::PteFound).size(), 4u);
}

TEST_F(MirrorTest, ATableThatMovesIsNotDroppedInBetween) {
    touch(kRoot);
    replayed();
    // Entries swap their children one store at a time: at no time is one without a reference.
    store(at(3) + 8, peek(at(3)));
    store(at(3), 0);
    EXPECT_TRUE(mmu->is_table(kTables[3]));
    const auto events = replayed();
    EXPECT_EQ(std::count_if(events.begin(), events.end(),
                            [](const log::Event& e) { return e.kind == log::EventKind::PteFound; }),
              0);
    EXPECT_EQ(table(kTables[2]).references[2], 1u);
}

TEST_F(MirrorTest, ChangedRightsRelinkNothing) {
    touch(kRoot);
    replayed();
    store(at(2), peek(at(2)) ^ kW ^ kU);
    EXPECT_EQ(replayed().size(), 1u);
}

TEST_F(MirrorTest, ALargePageIsNoTableAndCanBeSplit) {
    poke(at(2), 0x20'0000 | kP | kW | kPs);
    touch(kRoot);
    EXPECT_FALSE(mmu->is_table(PhysAddr(0x20'0000)));
    for (unsigned i = 0; i < kTableEntries; ++i)
        poke(kTables[3] + 8 * i, 0x20'0000 + i * kPageSize + (kP | kW));
    replayed();
    store(at(2), kTables[3].raw() | kP | kW);
    EXPECT_TRUE(mmu->is_table(kTables[3]));
    EXPECT_EQ(replayed(log::EventKind::PteFound).size(), kTableEntries);
    store(at(2), 0x20'0000 | kP | kW | kPs);
    EXPECT_FALSE(mmu->is_table(kTables[3]));
}

TEST_F(MirrorTest, TheKernelsHalfIsSharedByAllRoots) {
    for (unsigned i = 256; i < 512; ++i) {
        poke(kRoot + 8 * i, kTables[1].raw() | kP | kW | kA);
        poke(kOtherRoot + 8 * i, kTables[1].raw() | kP | kW | kA);
    }
    touch(kRoot);
    EXPECT_EQ(table(kTables[1]).references[3], 256u);
    touch(kOtherRoot);
    EXPECT_EQ(table(kTables[1]).references[3], 512u);
    EXPECT_EQ(table(kTables[2]).references[2], 1u);
    const auto links = replayed(log::EventKind::TableLink);
    EXPECT_EQ(links.size(), 2u + 512 + 2);
    load_cr3(regs, kRoot);
    store(kOtherRoot, 0);
    store(kOtherRoot, 0);
    EXPECT_FALSE(mmu->is_table(kOtherRoot));
    EXPECT_EQ(table(kTables[1]).references[3], 256u);
}

TEST_F(MirrorTest, WritesNameARootThatReachesTheTable) {
    poke(entry(kOtherRoot, kVa, 4), peek(at(4)));
    touch(kRoot);
    touch(kOtherRoot);
    replayed();
    const auto space_of_write = [&](PhysAddr current) {
        origin.root = current.raw();
        store(at(1), peek(at(1)) ^ kW);
        return replayed(log::EventKind::PteWrite).at(0).space;
    };
    EXPECT_EQ(space_of_write(kOtherRoot), kOtherRoot.raw()) << "the current one, if it does";
    EXPECT_EQ(space_of_write(PhysAddr(0x30000)), kRoot.raw());
    store(at(4), 0x40000 | kP);  // the root that it was first seen from reaches it no more
    replayed();
    EXPECT_EQ(space_of_write(kRoot), kOtherRoot.raw());
}

TEST_F(MirrorTest, ATableThatMapsItselfIsOneAtAllLevels) {
    poke(kRoot + 8 * 511, kRoot.raw() | kP | kW | kA);
    touch(kRoot);
    EXPECT_EQ(table(kRoot).levels, 0b11110);
    EXPECT_EQ(table(kTables[1]).levels, 0b01110);
    EXPECT_EQ(table(kTables[3]).levels, 0b00010);
    EXPECT_EQ(table(kRoot).plain_level, 0);
    EXPECT_EQ(table(kTables[3]).plain_level, 1);
    EXPECT_EQ(replayed(log::EventKind::TableLink).size(), 10u);

    store(kRoot + 8 * 511, 0);
    EXPECT_EQ(table(kRoot).levels, 0b10000);
    EXPECT_EQ(table(kTables[1]).levels, 0b01000);
    expect_clean_audit();
    store(kRoot + 8 * 511, kRoot.raw() | kP | kW);
    EXPECT_EQ(table(kRoot).levels, 0b11110);
    expect_clean_audit();
    // From itself to another table that leads back to it.
    poke(PhysAddr(0x15000), kRoot.raw() | kP);
    store(kRoot + 8 * 511, 0x15000 | kP | kW);
    EXPECT_EQ(table(kRoot).levels, 0b10100);
    expect_clean_audit();
    replayed();
}

TEST_F(MirrorTest, ARootThatMapsItselfCanDie) {
    poke(kOtherRoot + 8 * 511, kOtherRoot.raw() | kP | kW | kA);
    poke(entry(kOtherRoot, kVa, 4), peek(at(4)));
    touch(kOtherRoot);
    touch(kRoot);
    EXPECT_EQ(table(kOtherRoot).levels, 0b11110);
    store(kOtherRoot, 0);
    store(kOtherRoot, 0);
    EXPECT_FALSE(mmu->is_table(kOtherRoot));
    EXPECT_EQ(table(kTables[1]).levels, 0b01000);
}

TEST_F(MirrorTest, ManyPlacesAreNoticedAndPassedDown) {
    touch(kRoot);
    EXPECT_EQ(table(kTables[3]).plain_level, 1);
    store(at(4) + 8, kTables[1].raw() | kP | kW);
    for (unsigned i = 1; i < 4; ++i) {
        EXPECT_EQ(table(kTables[i]).plain_level, 0);
        EXPECT_TRUE(table(kTables[i]).has_many_spans(4 - i));
    }
    // The place that is named is one that leads there.
    store(at(4), 0);
    store(at(1), 0x6000 | kP);
    const auto write = replayed(log::EventKind::PteWrite).back();
    EXPECT_EQ(write.va, (kVa + entry_span(4)).raw());
}

TEST_F(MirrorTest, EntriesOutsideRamLinkNothing) {
    touch(kRoot);
    replayed();
    store(at(2) + 8, 0xfee0'0000 | kP | kW);
    store(at(3) + 8, 0x000f'ffff'ffff'f000 | kP | kW);
    EXPECT_TRUE(replayed(log::EventKind::TableLink).empty());
    load_cr3(regs, PhysAddr(0xfee0'0000));
    const FillResult result = mmu->fill(kVa, Access::Read, Privilege::Supervisor, regs, origin);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().error_code, kFaultPresent | kFaultReserved);
    EXPECT_EQ(mirror.roots().size(), 1u);
}

// The end of RAM above the hole under 4 GiB.
TEST(MirrorOfMuchRam, TablesAboveTheHole) {
    MmuMachine machine(3 * kGiB + 4 * kMiB);
    const std::array<PhysAddr, 4> tables = {PhysAddr(0x1'0000'0000), PhysAddr(0x1'0000'1000),
                                            PhysAddr(0x1'003f'f000), PhysAddr(0xbfff'f000)};
    machine.map(kVa, tables, 0x5000 | kP | kW);
    const PagingRegisters regs = long_mode(tables[0]);
    ASSERT_TRUE(machine.mmu->fill(kVa, Access::Write, Privilege::Supervisor, regs, machine.origin));
    for (const PhysAddr t : tables) EXPECT_TRUE(machine.mmu->is_table(t));
    EXPECT_FALSE(machine.mmu->is_table(PhysAddr(0xc000'0000)));
    machine.expect_clean_audit();
}

TEST_F(MirrorTest, DeviceAndDeliveryWritesAreSeenEntryByEntry) {
    touch(kRoot);
    replayed();
    std::array<uint8_t, 24> bytes{};
    bytes.fill(0x22);
    mmu->write_memory(kTables[3] + 0xff4, bytes, log::Cause::Delivery, origin);
    EXPECT_EQ(peek(kTables[3] + 0xff8), 0x2222'2222'2222'2222u);
    EXPECT_EQ(peek(kTables[3] + 0x1000), 0x2222'2222'2222'2222u) << "the frame behind it is no table";
    auto events = replayed(log::EventKind::PteWrite);
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].cause, log::Cause::Delivery);
    EXPECT_EQ(events[0].b, 0x2222'2222'0000'0000u);
    mmu->write_memory(PhysAddr(0xfee0'0000), bytes, log::Cause::Device, origin);
    mmu->write_memory(at(1), std::span(bytes).first(1), log::Cause::Device, origin);
    events = replayed(log::EventKind::PteWrite);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].cause, log::Cause::Device);
}

}  // namespace
}  // namespace forkscope::mmu
