// Page tables from the log alone: equal to the pretend machine's, and unequal as soon as an event is missing.
#include "emu/log/replay.hpp"

#include <gtest/gtest.h>

#include <random>

#include "emu/log/reader.hpp"
#include "tests/log/fake_guest.hpp"
#include "tests/log/log_file.hpp"

namespace forkscope::log {
namespace {

using test::FakeGuest;
using test::kUserHeap;

Replay replay(std::span<const Event> events) {
    Replay result;
    for (size_t i = 0; i < events.size(); ++i) result.apply(events[i], i);
    return result;
}

// Forks, copy-on-write on both sides, exec, exit; an audit after each step.
FakeGuest busy_day() {
    FakeGuest guest;
    guest.at(test::kUserText, 3);
    guest.touch_new_pages(kUserHeap, 20);
    guest.audit();
    const uint32_t child = guest.fork();
    guest.audit();
    guest.write(kUserHeap + 0x3000);
    guest.switch_to(child);
    guest.audit();
    guest.write(kUserHeap + 0x3000);
    guest.write(kUserHeap + 0x5000);
    guest.unmap(kUserHeap + 0x6000);
    guest.audit();
    const uint32_t grandchild = guest.fork();
    guest.switch_to(grandchild);
    guest.exec("prog", test::kUserText, 5);
    guest.audit();
    guest.exit(0);
    guest.switch_to(child);
    guest.reap(grandchild);
    guest.exit(0);
    guest.switch_to(1);
    guest.reap(child);
    guest.audit();
    return guest;
}

TEST(Replay, EveryAuditOfABusyDayIsEqual) {
    const FakeGuest guest = busy_day();
    const Replay end = replay(guest.events());
    EXPECT_EQ(end.report().audits, 6u);
    EXPECT_TRUE(end.report().complete()) << ::testing::PrintToString(end.report().described);
    EXPECT_EQ(end.report().roots, 1u);
    EXPECT_EQ(end.roots(), (std::set<uint64_t>{const_cast<FakeGuest&>(guest).task(1).root}));
}

TEST(Replay, AnyMissingEventOfTheTablesIsNoticed) {
    // Tables that die before the next audit take unseen changes with them, so none dies here.
    FakeGuest guest;
    guest.touch_new_pages(kUserHeap, 20);
    const uint32_t child = guest.fork();
    guest.write(kUserHeap + 0x3000);
    guest.switch_to(child);
    guest.write(kUserHeap + 0x5000);
    guest.unmap(kUserHeap + 0x6000);
    guest.audit();
    const auto events = guest.events();
    ASSERT_TRUE(replay(events).report().complete());
    unsigned tried = 0;
    for (size_t missing = 0; missing < events.size(); ++missing) {
        if ((Replay::kKinds & mask_of(events[missing].kind)) == 0) continue;
        if (events[missing].kind == EventKind::Audit || events[missing].kind == EventKind::RootDeath)
            continue;
        if (missing % 7 != 0 && events[missing].kind == EventKind::PteFound) continue;
        std::vector<Event> rest(events.begin(), events.end());
        rest.erase(rest.begin() + static_cast<ptrdiff_t>(missing));
        EXPECT_FALSE(replay(rest).report().complete()) << "without event " << missing;
        ++tried;
    }
    EXPECT_GT(tried, 150u);
}

TEST(Replay, ARecursiveMappingMakesOneFrameATableOfEveryLevel) {
    FakeGuest guest;
    guest.touch_new_pages(kUserHeap, 3);
    guest.map_root_into_itself(300);
    guest.audit();
    guest.touch_new_pages(kUserHeap + 0x20'0000, 2);  // a new table, seen at three levels
    guest.audit();
    const uint64_t root = guest.current().root;
    const Replay end = replay(guest.events());
    EXPECT_TRUE(end.report().complete()) << ::testing::PrintToString(end.report().described);
    ASSERT_NE(end.table(root), nullptr);
    for (unsigned level = 1; level <= 4; ++level) EXPECT_EQ(end.table(root)->references[level], 1u) << level;
    // Through the mapping the page tables are data: the last level of the walk is the root itself.
    const uint64_t self =
        entry_va(0, 4, 300) + (uint64_t{300} << 30) + (uint64_t{300} << 21) + (uint64_t{300} << 12);
    const auto leaf = end.leaf(root, self);
    ASSERT_TRUE(leaf);
    EXPECT_EQ(frame_of(leaf->value, 1), root);
}

TEST(Replay, ATableUnderManyRootsCountsItsReferences) {
    FakeGuest guest;
    guest.touch_new_pages(kUserHeap, 2);
    const uint32_t child = guest.fork();
    guest.switch_to(child);
    const Replay two = replay(guest.events());
    const uint64_t kernel_table = frame_of(two.entry(guest.task(1).root, ~uint64_t{0}, 4)->value, 4);
    EXPECT_EQ(two.table(kernel_table)->references[3], 2u);
    EXPECT_EQ(two.roots().size(), 2u);
    guest.exit(0);
    guest.switch_to(1);
    guest.reap(child);
    const Replay one = replay(guest.events());
    EXPECT_EQ(one.table(kernel_table)->references[3], 1u);
}

TEST(Replay, WalksAndVisitsLeaves) {
    FakeGuest guest;
    guest.touch_new_pages(kUserHeap, 3);
    const uint64_t root = guest.current().root;
    const Replay end = replay(guest.events());
    const auto leaf = end.leaf(root, kUserHeap + 0x1234);
    ASSERT_TRUE(leaf);
    EXPECT_EQ(leaf->va, kUserHeap + 0x1000);
    EXPECT_EQ(leaf->value, guest.leaf(root, kUserHeap + 0x1000));
    EXPECT_FALSE(end.leaf(root, kUserHeap + 0x5000));
    EXPECT_FALSE(end.leaf(0xdead000, kUserHeap));
    std::vector<uint64_t> vas;
    end.visit_leaves(root, {0, kUpperHalf - 1}, [&](const ReplayLeaf& l) { vas.push_back(l.va); });
    EXPECT_EQ(vas, (std::vector<uint64_t>{kUserHeap, kUserHeap + 0x1000, kUserHeap + 0x2000}));
    vas.clear();
    end.visit_leaves(root, {kUserHeap + 0x1800, kUserHeap + 0x1801},
                     [&](const ReplayLeaf& l) { vas.push_back(l.va); });
    EXPECT_EQ(vas, (std::vector<uint64_t>{kUserHeap + 0x1000}));
}

TEST(Replay, NonsenseIsAContradictionAndNeverACrash) {
    std::vector<Event> events = test::random_events(20'000, 5);
    for (Event& e : events) {
        e.pa &= 0xf'ffff;  // so that some of it meets
        e.level = static_cast<uint8_t>(e.level % 7);
    }
    EXPECT_GT(replay(events).report().contradictions, 1000u);
}

TEST(Replay, FromAFileUpToAnEvent) {
    test::TempDir dir;
    const FakeGuest guest = busy_day();
    test::write_log(dir / "a.mmu", guest.events(), 100);
    auto reader = Reader::open(dir / "a.mmu");
    ASSERT_TRUE(reader);
    EXPECT_TRUE(can_replay((*reader)->meta()));
    for (const size_t end : {size_t{0}, size_t{500}, guest.events().size() / 2, guest.events().size()}) {
        const Replay from_file = replay_until(**reader, end);
        const Replay expected = replay(std::span(guest.events()).first(end));
        EXPECT_EQ(from_file.audit_hash().digest(), expected.audit_hash().digest()) << end;
    }
    Meta partial;
    partial.kinds = mask_of(EventKind::PteWrite);
    EXPECT_FALSE(can_replay(partial));
}

TEST(AuditHash, DependsOnLevelFrameIndexAndValue) {
    std::array<uint64_t, kTableEntries> entries{};
    const auto hash_of = [&](unsigned level, uint64_t frame) {
        AuditHash hash;
        hash.add_table(level, PhysAddr(frame), entries);
        return hash.digest();
    };
    std::set<uint64_t> hashes = {AuditHash().digest(), hash_of(1, 0x1000), hash_of(2, 0x1000),
                                 hash_of(1, 0x2000)};
    entries[5] = 7;
    hashes.insert(hash_of(1, 0x1000));
    entries[5] = 8;
    hashes.insert(hash_of(1, 0x1000));
    std::swap(entries[5], entries[6]);
    hashes.insert(hash_of(1, 0x1000));
    EXPECT_EQ(hashes.size(), 7u);
    // The words 1000h, 1, 1, 6, 8 of FORMAT.md, hashed by an XXH64 of another make.
    AuditHash hash;
    hash.add_table(1, PhysAddr(0x1000), entries);
    EXPECT_EQ(hash.entries(), 1u);
    EXPECT_EQ(hash.digest(), 18092467224886934184u);
}

}  // namespace
}  // namespace forkscope::log
