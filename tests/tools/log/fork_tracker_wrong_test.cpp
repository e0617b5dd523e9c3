// Forks that fail, are cut, or go wrong: what is said about them.
#include <gtest/gtest.h>

#include "tests/tools/log/fork_tracker_fixture.hpp"

namespace forkscope::analysis {
namespace {

TEST(Forks, AFailedForkLeavesNoChild) {
    FakeGuest guest = with_pages(3);
    guest.fail_fork(17, 12);
    const Tracked t(guest);
    EXPECT_TRUE(t[1].failed());
    EXPECT_EQ(t[1].result, -12);
    EXPECT_EQ(t[1].child.tid, 0u);
}

TEST(Forks, ACallThatTheLogCutsHasNoEnd) {
    FakeGuest guest = with_pages(3);
    guest.begin_fork(17);
    const Tracked t(guest);
    EXPECT_FALSE(t[1].end);
}

TEST(Forks, AMissingFlushIsSaid) {
    FakeOptions options;
    options.flush_after_fork = false;
    FakeGuest guest = with_pages(20, options);
    guest.fork();
    const Tracked t(guest);
    EXPECT_EQ(t[1].unflushed, 20u);
    ASSERT_EQ(t[1].notes.size(), 1u);
    EXPECT_NE(t[1].notes[0].find("20 entries were made read-only, but no flush"), std::string::npos);
}

TEST(Forks, ATaskSwitchFlushesToo) {
    FakeOptions options;
    options.flush_after_fork = false;
    FakeGuest guest = with_pages(20, options);
    guest.begin_fork(17);
    const uint32_t child = guest.finish_fork();
    guest.switch_to(child);
    guest.switch_to(1);
    guest.syscall_return(57, child);
    const Tracked t(guest);
    EXPECT_EQ(t[1].unflushed, 0u);
    EXPECT_TRUE(t[1].notes.empty());
}

TEST(Forks, EntriesLeftWritableInTheChildAreSaid) {
    FakeOptions options;
    options.child_left_writable = true;
    FakeGuest guest = with_pages(6, options);
    guest.switch_to(guest.fork());
    const Tracked t(guest);
    EXPECT_EQ(t[1].left_writable, 6u);
    ASSERT_EQ(t[1].notes.size(), 1u);
    EXPECT_NE(t[1].notes[0].find("writable in the child"), std::string::npos);
}

TEST(Forks, AnotherFrameThanTheGuestAnnouncesIsSaid) {
    FakeOptions options;
    options.wrong_cow_frame = true;
    FakeGuest guest = with_pages(4, options);
    guest.fork();
    guest.write(page(1));
    const Tracked t(guest);
    EXPECT_EQ(t[1].parent.copies, 1u);
    ASSERT_EQ(t[1].notes.size(), 1u);
    EXPECT_NE(t[1].notes[0].find("the guest announces frame"), std::string::npos);
}

TEST(Forks, ABreakThatTheGuestDoesNotAnnounceIsSaidOnlyIfItAnnouncesOthers) {
    FakeOptions options;
    options.announce_cow = false;
    FakeGuest silent = with_pages(4, options);
    silent.fork();
    silent.write(page(1));
    EXPECT_TRUE(Tracked(silent)[1].notes.empty());

    FakeGuest guest = with_pages(4);
    guest.fork();
    guest.write(page(1));
    guest.set_announce_cow(false);
    guest.write(page(2));
    const Tracked t(guest);
    ASSERT_EQ(t[1].notes.size(), 1u);
    EXPECT_NE(t[1].notes[0].find("did not announce"), std::string::npos);
}

TEST(Forks, AFaultThatIsNeverMendedIsNoBreak) {
    FakeGuest guest = with_pages(4);
    guest.fork();
    guest.write_and_hang(page(1));
    EXPECT_EQ(Tracked(guest)[1].parent.unfinished, 1u);
    guest.exit(0x8b);
    const Tracked t(guest);
    EXPECT_EQ(t[1].parent.not_mended, 1u);
    EXPECT_EQ(t[1].details.breaks[0].outcome, Outcome::NotMended);
}
TEST(Forks, NoiseIsNoFork) {
    ForkTracker tracker(1);
    std::mt19937_64 random(3);
    for (unsigned i = 0; i < 200'000; ++i) {
        log::Event e;
        e.kind = static_cast<log::EventKind>(random() % log::kEventKindCount);
        e.task = static_cast<uint32_t>(random() % 4);
        e.root = (random() % 4) << 12;
        e.space = (random() % 4) << 12;
        e.va = (random() % 16) << 12;
        e.pa = (random() % 64) << 9;
        e.a = random() % 20 + ((random() % 4) << 12);
        e.b = random() % 20 + ((random() % 4) << 12);
        e.aux = static_cast<uint16_t>(random() % 16);
        e.level = static_cast<uint8_t>(random() % 6);
        e.flags = static_cast<uint8_t>(random() % 4);
        e.cpl = random() % 2 == 0 ? 3 : 0;
        tracker.apply(e, i);
    }
    tracker.finish();
    for (const Fork& fork : tracker.forks()) {
        for (const Side which : {Side::Parent, Side::Child}) {
            const ForkSide& s = fork.side(which);
            EXPECT_EQ(s.faults, s.copies + s.reuses + s.table_only + s.not_mended + s.unfinished);
        }
    }
}

}  // namespace
}  // namespace forkscope::analysis
