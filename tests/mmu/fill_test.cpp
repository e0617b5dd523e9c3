// The fill: accessed and dirty bits, what is granted, what is logged, what a repeat leaves alone.
#include "mmu_machine.hpp"

namespace forkscope::mmu {
namespace {

constexpr std::array<PhysAddr, 4> kTables = {PhysAddr(0x10000), PhysAddr(0x11000), PhysAddr(0x12000),
                                             PhysAddr(0x13000)};
constexpr VirtAddr kVa(0x7f12'3456'7000);

class FillTest : public ::testing::Test, protected MmuMachine {
protected:
    FillTest() : MmuMachine(8 * kMiB, {.physical_bits = 40, .has_1gib_pages = true}) {
        map(kVa, kTables, 0x5000 | kP | kW | kU);
        origin = {.icount = 7, .rip = 0x1234, .root = kTables[0].raw(), .task = 3, .cpu = 0, .cpl = 3};
    }

    PhysAddr at(unsigned level) const { return entry(kTables[4 - level], kVa, level); }
    FillResult fill(Access access, Privilege privilege = Privilege::User) {
        return mmu->fill(kVa, access, privilege, regs, origin);
    }
    void expect_bits(uint64_t upper, uint64_t leaf, unsigned leaf_level = 1) {
        for (unsigned level = 4; level >= leaf_level; --level)
            EXPECT_EQ(peek(at(level)) & (kA | kD), level == leaf_level ? leaf : upper) << "level " << level;
    }

    PagingRegisters regs = long_mode(kTables[0]);
};

TEST_F(FillTest, AReadSetsAccessedOnEveryLevel) {
    const FillResult result = fill(Access::Read);
    ASSERT_TRUE(result);
    expect_bits(kA, kA);
    EXPECT_EQ(result->frame, PhysAddr(0x5000));
    EXPECT_EQ(result->permissions, kMayRead);
    EXPECT_EQ(result->leaf_entry, at(1));
    EXPECT_EQ(result->leaf_value, peek(at(1)));
    EXPECT_EQ(result->level, 1);
    EXPECT_TRUE(result->user);
    EXPECT_TRUE(result->first);
    EXPECT_FALSE(result->table);
    EXPECT_FALSE(result->global);
    expect_clean_audit();
}

TEST_F(FillTest, AWriteSetsDirtyInTheLeafAlone) {
    ASSERT_TRUE(fill(Access::Write));
    expect_bits(kA, kA | kD);
    expect_clean_audit();
}

TEST_F(FillTest, AFetchSetsAccessedAlone) {
    ASSERT_TRUE(fill(Access::Fetch));
    expect_bits(kA, kA);
}

TEST_F(FillTest, LargePagesHaveTheirBitsInTheLargeEntry) {
    poke(at(2), 0x40'0000 | kP | kW | kU | kPs);
    poke(at(1), 0x5000 | kP);
    ASSERT_TRUE(fill(Access::Write));
    expect_bits(kA, kA | kD, 2);
    EXPECT_EQ(peek(at(1)) & (kA | kD), 0u);
}

TEST_F(FillTest, GigabytePages) {
    poke(at(3), 0x4000'0000 | kP | kW | kU | kPs);
    const FillResult result = fill(Access::Write);
    ASSERT_TRUE(result);
    expect_bits(kA, kA | kD, 3);
    EXPECT_EQ(result->frame, PhysAddr(0x4000'0000 + (kVa.raw() & 0x3fff'f000)));
    EXPECT_EQ(result->level, 3);
}

TEST_F(FillTest, AFaultLeavesAccessedOnItsWayAndNothingAtItsEnd) {
    ASSERT_TRUE(fill(Access::Read));  // links the root
    for (unsigned level = 4; level >= 1; --level) store(at(level), peek(at(level)) & ~(kA | kD));
    store(at(1), 0x5000 | kP | kU);
    invlpg(regs, kVa);
    take_events();
    const FillResult result = fill(Access::Write);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().error_code, kFaultPresent | kFaultWrite | kFaultUser);
    EXPECT_EQ(result.error().vector, kVectorPageFault);
    EXPECT_EQ(result.error().va, kVa);
    EXPECT_EQ(result.error().entry, at(1));
    EXPECT_EQ(result.error().value, 0x5000 | kP | kU);
    EXPECT_EQ(result.error().level, 1);
    expect_bits(kA, 0);
    const auto events = take_events();
    ASSERT_EQ(events.size(), 3u);
    for (unsigned i = 0; i < 3; ++i) {
        EXPECT_EQ(events[i].cause, log::Cause::HardwareAccessed);
        EXPECT_EQ(events[i].level, 4 - i);
    }
    // Again: there is nothing left to set.
    EXPECT_FALSE(fill(Access::Write));
    EXPECT_TRUE(take_events().empty());
}

TEST_F(FillTest, NonCanonicalIsAGeneralProtectionFault) {
    for (const uint64_t raw : {uint64_t{0x0000'8000'0000'0000}, uint64_t{0xffff'7fff'ffff'f000}}) {
        const FillResult result = mmu->fill(VirtAddr(raw), Access::Read, Privilege::Supervisor, regs, origin);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().vector, kVectorGeneralProtection);
        EXPECT_EQ(result.error().error_code, 0u);
        EXPECT_EQ(result.error().level, 0);
        EXPECT_FALSE(mmu->check(VirtAddr(raw), Access::Read, Privilege::Supervisor, regs));
        EXPECT_FALSE(mmu->probe(VirtAddr(raw), regs));
    }
}

TEST_F(FillTest, HardwareBitsAreLoggedOneEventAnEntry) {
    take_events();
    ASSERT_TRUE(fill(Access::Write));
    const auto events = take_events();
    std::vector<log::Event> writes;
    for (const log::Event& e : events)
        if (e.kind == log::EventKind::PteWrite) writes.push_back(e);
    ASSERT_EQ(writes.size(), 4u);
    for (unsigned i = 0; i < 4; ++i) {
        const unsigned level = 4 - i;
        EXPECT_EQ(writes[i].pa, at(level).raw());
        EXPECT_EQ(writes[i].level, level);
        EXPECT_EQ(writes[i].va, kVa.align_down(entry_span(level)).raw());
        EXPECT_EQ(writes[i].a | (level == 1 ? kA | kD : kA), writes[i].b);
        EXPECT_EQ(writes[i].b, peek(at(level)));
        EXPECT_EQ(writes[i].space, kTables[0].raw());
        EXPECT_EQ(writes[i].cause, level == 1 ? log::Cause::HardwareDirty : log::Cause::HardwareAccessed);
        EXPECT_EQ(writes[i].rip, 0x1234u);
        EXPECT_EQ(writes[i].task, 3u);
        EXPECT_EQ(writes[i].icount, 7u);
        EXPECT_EQ(writes[i].cpl, 3);
    }
    const log::Event& filled = events.back();
    EXPECT_EQ(filled.kind, log::EventKind::TlbFill);
    EXPECT_EQ(filled.va, kVa.raw());
    EXPECT_EQ(filled.pa, 0x5000u);
    EXPECT_EQ(filled.level, 1);
    EXPECT_EQ(filled.a, peek(at(1)));
    EXPECT_EQ(filled.b, at(1).raw());
    EXPECT_EQ(filled.flags, log::kAccessWrite);
}

// The engine forgets entries at will: filling them again is no event and sets no bit.
TEST_F(FillTest, ARepeatedFillLeavesNoTrace) {
    ASSERT_TRUE(fill(Access::Write));
    store(at(1), peek(at(1)) & ~(kA | kD));  // as a kernel's page scanner does, without a flush
    store(at(2), peek(at(2)) & ~kA);
    take_events();
    for (const Access access : {Access::Read, Access::Write, Access::Fetch}) {
        const FillResult result = fill(access);
        ASSERT_TRUE(result);
        EXPECT_FALSE(result->first);
    }
    EXPECT_TRUE(take_events().empty());
    EXPECT_EQ(peek(at(1)) & (kA | kD), 0u);
    EXPECT_EQ(peek(at(2)) & kA, 0u);
    invlpg(regs, kVa);
    take_events();
    ASSERT_TRUE(fill(Access::Write)->first);
    expect_bits(kA, kA | kD);
    EXPECT_EQ(take_events(log::EventKind::TlbFill).size(), 1u);
}

TEST_F(FillTest, TheFirstWriteAfterAReadSetsDirtyAndIsNoNewFill) {
    ASSERT_TRUE(fill(Access::Read));
    take_events();
    const FillResult result = fill(Access::Write);
    ASSERT_TRUE(result);
    EXPECT_FALSE(result->first);
    EXPECT_EQ(peek(at(1)) & kD, kD);
    const auto events = take_events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].cause, log::Cause::HardwareDirty);
}

// A read that found the entry dirty caches it as dirty: a write then walks no more.
TEST_F(FillTest, ADirtyEntryStaysDirtyInTheTlb) {
    poke(at(1), 0x5000 | kP | kW | kU | kD | kA);
    ASSERT_TRUE(fill(Access::Read));
    store(at(1), 0x5000 | kP | kW | kU);
    ASSERT_TRUE(fill(Access::Write));
    EXPECT_EQ(peek(at(1)) & (kA | kD), 0u);
}

TEST_F(FillTest, MoreRightsThanTheTlbHasMeanANewWalk) {
    poke(at(1), 0x5000 | kP | kU | kD | kA);
    ASSERT_TRUE(fill(Access::Read));
    store(at(1), 0x5000 | kP | kW | kU);  // upgraded, bits cleared, no flush needed
    ASSERT_TRUE(fill(Access::Write));
    expect_bits(kA, kA | kD);
}

TEST_F(FillTest, APageFaultForgetsItsAddress) {
    ASSERT_TRUE(fill(Access::Read));
    mmu->page_fault_delivered(kVa + 0x123, regs);
    EXPECT_TRUE(fill(Access::Read)->first);
}

TEST_F(FillTest, GlobalPagesSurviveALoadOfCr3) {
    poke(at(1), 0x5000 | kP | kW | kU | kG);
    ASSERT_TRUE(fill(Access::Read)->global);
    load_cr3(regs, kTables[0]);
    EXPECT_FALSE(fill(Access::Read)->first);
    const uint64_t cr4 = std::exchange(regs.cr4, regs.cr4 & ~kCr4GlobalPages);
    mmu->on_flush(log::FlushKind::Cr4Write, VirtAddr(0), cr4, regs.cr4, regs, origin);
    const FillResult result = fill(Access::Read);
    EXPECT_TRUE(result->first);
    EXPECT_FALSE(result->global) << "CR4.PGE is off";
    load_cr3(regs, kTables[0]);
    EXPECT_TRUE(fill(Access::Read)->first);
}

TEST_F(FillTest, PagingOffIsIdentity) {
    ASSERT_TRUE(fill(Access::Read));
    regs.cr0 &= ~kCr0Paging;
    take_events();
    const FillResult data = mmu->fill(VirtAddr(0x1'0001'2345), Access::Write, Privilege::User, regs, origin);
    ASSERT_TRUE(data);
    EXPECT_EQ(data->frame, PhysAddr(0x12000)) << "32 bits of address";
    EXPECT_TRUE(data->table) << "tables are watched with paging off, too";
    EXPECT_EQ(data->permissions, kMayRead | kMayWrite);
    EXPECT_EQ(mmu->fill(VirtAddr(0x5678), Access::Fetch, Privilege::User, regs, origin)->permissions,
              kMayRead | kMayExecute);
    EXPECT_EQ(mmu->probe(VirtAddr(0x5678), regs)->pa, PhysAddr(0x5678));
    EXPECT_TRUE(take_events().empty());
}

TEST_F(FillTest, ChecksAndProbesChangeNothing) {
    const std::vector<uint8_t> before(ram.at(PhysAddr(0), ram.size()),
                                      ram.at(PhysAddr(0), ram.size()) + ram.size());
    EXPECT_TRUE(mmu->check(kVa, Access::Write, Privilege::User, regs));
    const auto probed = mmu->probe(kVa + 0x321, regs);
    ASSERT_TRUE(probed);
    EXPECT_EQ(probed->pa, PhysAddr(0x5321));
    EXPECT_EQ(probed->leaf_entry, at(1));
    EXPECT_TRUE(probed->writable && probed->user && probed->executable);
    EXPECT_FALSE(mmu->probe(VirtAddr(0), regs));
    EXPECT_EQ(std::memcmp(before.data(), ram.at(PhysAddr(0), ram.size()), ram.size()), 0);
    EXPECT_TRUE(take_events().empty());
    EXPECT_FALSE(mmu->is_table(kTables[0]));
}

TEST_F(FillTest, SystemAccessesSetTheSameBits) {
    const auto pa =
        mmu->translate_for_system(kVa + 0xff8, Access::Write, Privilege::Supervisor, regs, origin);
    ASSERT_TRUE(pa);
    EXPECT_EQ(*pa, PhysAddr(0x5ff8));
    expect_bits(kA, kA | kD);
    regs.cr4 |= kCr4Smap;
    regs.rflags |= kRflagsAlignmentCheck;
    const auto refused =
        mmu->translate_for_system(kVa, Access::Read, Privilege::ImplicitSupervisor, regs, origin);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error_code, kFaultPresent);
}

// One entry at four levels of one path.
TEST_F(FillTest, ATableThatMapsItselfIsRereadBetweenItsBits) {
    const unsigned slot = 511;
    poke(kTables[0] + 8 * slot, kTables[0].raw() | kP | kW);
    const VirtAddr self(0xffff'ffff'ffff'f000);
    const FillResult result = mmu->fill(self, Access::Write, Privilege::Supervisor, regs, origin);
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->table);
    EXPECT_EQ(result->frame, kTables[0]);
    EXPECT_EQ(peek(kTables[0] + 8 * slot), kTables[0].raw() | kP | kW | kA | kD);
    EXPECT_EQ(result->leaf_value, peek(kTables[0] + 8 * slot));
    const auto writes = take_events(log::EventKind::PteWrite);
    ASSERT_EQ(writes.size(), 2u) << "accessed at level 4, dirty at level 1";
    EXPECT_EQ(writes[1].a, writes[0].b);
    expect_clean_audit();
}

TEST_F(FillTest, LegacyAndPaeModesSetTheirBits) {
    regs.efer = 0;
    regs.cr4 = 0;
    regs.cr3 = 0x20000;
    const VirtAddr va(0x40'3000);
    ram.write<uint32_t>(PhysAddr(0x20004), 0x21000 | kP | kW | kU);
    ram.write<uint32_t>(PhysAddr(0x2100c), 0x6000 | kP | kW | kU);
    ram.write<uint32_t>(PhysAddr(0x21010), 0xdeadbee0);
    const FillResult legacy = mmu->fill(va, Access::Write, Privilege::User, regs, origin);
    ASSERT_TRUE(legacy);
    EXPECT_EQ(legacy->frame, PhysAddr(0x6000));
    EXPECT_EQ(ram.read<uint32_t>(PhysAddr(0x20004)), 0x21000 | kP | kW | kU | kA);
    EXPECT_EQ(ram.read<uint32_t>(PhysAddr(0x2100c)), 0x6000 | kP | kW | kU | kA | kD);
    EXPECT_EQ(ram.read<uint32_t>(PhysAddr(0x21010)), 0xdeadbee0);

    regs.cr4 = kCr4PhysicalAddressExtension;
    regs.cr3 = 0x22000;
    poke(PhysAddr(0x22000), 0x23000 | kP);
    poke(PhysAddr(0x23010), 0x24000 | kP | kW | kU);
    poke(PhysAddr(0x24018), 0x7000 | kP | kW | kU);
    const FillResult pae = mmu->fill(va, Access::Read, Privilege::User, regs, origin);
    ASSERT_TRUE(pae);
    EXPECT_EQ(pae->frame, PhysAddr(0x7000));
    EXPECT_EQ(peek(PhysAddr(0x22000)), 0x23000 | kP) << "a PDPTE has no accessed bit";
    EXPECT_EQ(peek(PhysAddr(0x23010)), 0x24000 | kP | kW | kU | kA);
    EXPECT_EQ(peek(PhysAddr(0x24018)), 0x7000 | kP | kW | kU | kA);
    EXPECT_TRUE(take_events().empty());
}

// 32-bit paging may use frames that a long-mode root still reaches.
TEST_F(FillTest, OtherModesUpdateTheMirrorOfFramesThatTheyShare) {
    ASSERT_TRUE(fill(Access::Read));
    regs.efer = 0;
    regs.cr4 = 0;
    regs.cr3 = kTables[3].raw();
    ram.write<uint32_t>(kTables[3] + 0, 0x20000 | kP | kW);
    mmu->observe_write(kTables[3], 0, 0x20000 | kP | kW, 4, log::Cause::Software, origin);
    ram.write<uint32_t>(PhysAddr(0x20000), 0x6000 | kP | kW);
    ASSERT_TRUE(mmu->fill(VirtAddr(0), Access::Read, Privilege::Supervisor, regs, origin));
    EXPECT_EQ(peek(kTables[3]), 0x20000 | kP | kW | kA);
    expect_clean_audit();
}

}  // namespace
}  // namespace forkscope::mmu
