// The audit really compares: every way in which mirror and RAM can come apart is found.
#include "emu/mmu/audit.hpp"

#include "mmu_machine.hpp"

namespace forkscope::mmu {

class MirrorTestPeer {
public:
    explicit MirrorTestPeer(Mirror& mirror) : mirror_(mirror) {}
    TableFrame& frame(PhysAddr pa) { return *mirror_.frames_[mirror_.slot_of(pa)]; }
    void forget(PhysAddr pa) { mirror_.slot_of_pfn_[pa.page_number()] = 0; }

private:
    Mirror& mirror_;
};

namespace {

constexpr std::array<PhysAddr, 4> kTables = {PhysAddr(0x10000), PhysAddr(0x11000), PhysAddr(0x12000),
                                             PhysAddr(0x13000)};
constexpr VirtAddr kVa(0x40'0000);

class AuditTest : public ::testing::Test, protected MmuMachine {
protected:
    AuditTest() {
        map(kVa, kTables, 0x5000 | kP | kW | kU);
        poke(kTables[3] + 8 * 9, 0x1234'0000);  // not present, but an entry
        EXPECT_TRUE(mmu->fill(kVa, Access::Write, Privilege::User, long_mode(kTables[0]), origin));
        take_events();
    }
    AuditReport report() { return mmu->audit(origin); }
    void expect_one_difference(const std::string& words) {
        const AuditReport r = report();
        EXPECT_EQ(r.differences, 1u);
        EXPECT_FALSE(r.clean());
        ASSERT_EQ(r.described.size(), 1u);
        EXPECT_NE(r.described[0].find(words), std::string::npos) << r.described[0];
        const auto events = take_events(log::EventKind::Audit);
        ASSERT_EQ(events.size(), 1u);
        EXPECT_EQ(events[0].pa, 1u);
    }

    MirrorTestPeer peer{mirror};
};

TEST_F(AuditTest, ACleanOneSaysWhatItCompared) {
    const AuditReport r = report();
    EXPECT_TRUE(r.clean());
    EXPECT_EQ(r.frames, 4u);
    EXPECT_EQ(r.roots, 1u);
    EXPECT_EQ(r.entries, 5u);
    const auto events = take_events(log::EventKind::Audit);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].a, r.entries);
    EXPECT_EQ(events[0].b, r.hash);
    EXPECT_EQ(events[0].va, r.roots);
    EXPECT_EQ(events[0].pa, 0u);
}

TEST_F(AuditTest, TheHashIsOfTheTables) {
    const uint64_t before = report().hash;
    EXPECT_EQ(report().hash, before);
    store(kTables[3] + 8, 0x6000 | kP);
    EXPECT_NE(report().hash, before);
    store(kTables[3] + 8, 0);
    EXPECT_EQ(report().hash, before);
}

TEST_F(AuditTest, ACorruptedCopyIsFound) {
    peer.frame(kTables[2]).entries[7] = Pte(0xdead);
    expect_one_difference("entry at 0x12038 holds 0x0, the mirror has 0xdead");
}

TEST_F(AuditTest, AMissedWriteIsFound) {
    poke(kTables[3] + 8 * 100, 0x6000 | kP);  // behind the mirror's back
    expect_one_difference("entry at 0x13320");
}

TEST_F(AuditTest, AMissedWriteIsFoundByTheNextOneEvenIfThatHidesIt) {
    poke(kTables[3] + 8 * 100, 0x6000 | kP);
    store(kTables[3] + 8 * 100, 0x7000 | kP);
    EXPECT_EQ(mirror.missed_writes(), 1u);
    expect_one_difference("found another old value");
}

TEST_F(AuditTest, AMissedLinkIsFound) {
    // A table's entry appears behind the mirror's back: one wrong entry, one frame too few.
    poke(kTables[2] + 8 * 100, 0x14000 | kP);
    const AuditReport r = report();
    EXPECT_EQ(r.differences, 2u);
    EXPECT_NE(r.described[0].find("entry at 0x12320"), std::string::npos);
    EXPECT_NE(r.described[1].find("frame 0x14000 is a live table and not tracked"), std::string::npos);
}

TEST_F(AuditTest, AWrongReferenceCountIsFound) {
    ++peer.frame(kTables[3]).references[1];
    expect_one_difference("frame 0x13000 has 1 references as a table of level 1, the mirror counts 2");
    --peer.frame(kTables[3]).references[1];
    ++peer.frame(kTables[3]).references[2];
    expect_one_difference("level 2");
    --peer.frame(kTables[3]).references[2];
}

TEST_F(AuditTest, AForgottenTableIsFound) {
    const Slot slot = mirror.slot_of(kTables[3]);
    peer.forget(kTables[3]);
    const AuditReport r = report();
    EXPECT_EQ(r.differences, 2u) << "live and not tracked; tracked and not reached by its frame";
    EXPECT_NE(mirror.frame_in(slot), nullptr);
}

TEST_F(AuditTest, ATableThatIsNoneAnyMoreIsFound) {
    poke(kTables[2] + 8 * 2, 0);
    const AuditReport r = report();
    EXPECT_EQ(r.differences, 2u);
    EXPECT_NE(r.described[1].find("frame 0x13000 is tracked and no live table"), std::string::npos);
}

TEST_F(AuditTest, AllAreCountedAFewDescribed) {
    for (unsigned i = 0; i < 100; ++i) peer.frame(kTables[3]).entries[200 + i] = Pte(1);
    const AuditReport r = report();
    EXPECT_EQ(r.differences, 100u);
    EXPECT_EQ(r.described.size(), AuditReport::kDescribed);
}

}  // namespace
}  // namespace forkscope::mmu
