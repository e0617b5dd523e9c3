// Forks found in logs of the pretend guest, with exact counts. Every test checks that the counts add up.
#include <gtest/gtest.h>

#include "guest/abi/clone.hpp"
#include "tests/tools/log/fork_tracker_fixture.hpp"

namespace forkscope::analysis {
namespace {

TEST(Forks, TheDemonstration) {
    FakeGuest guest = with_pages(64);
    const uint64_t parent_root = guest.current().root;
    const uint32_t child = guest.fork();
    guest.switch_to(child);
    const uint64_t child_root = guest.current().root;
    for (unsigned n = 0; n < 5; ++n) guest.write(page(n));
    guest.switch_to(1);
    for (unsigned n = 5; n < 8; ++n) guest.write(page(n));
    for (unsigned n = 0; n < 2; ++n) guest.write(page(n));  // the child has left these
    guest.switch_to(child);
    guest.exit(0x700);
    guest.switch_to(1);
    guest.reap(child);
    guest.exit(0);

    const Tracked t(guest);
    ASSERT_EQ(t.tracker.forks().size(), 1u);
    const Fork& f = t[1];
    EXPECT_STREQ(kind_of(f), "fork");
    EXPECT_EQ(f.parent.label(), "init[1]");
    EXPECT_EQ(f.child.label(), "init[2]");
    EXPECT_EQ(f.parent.root, parent_root);
    EXPECT_EQ(f.child.root, child_root);
    EXPECT_EQ(f.flags, 17u);
    EXPECT_EQ(f.result, 2);
    EXPECT_EQ(f.write_protected, 64u);
    EXPECT_EQ(f.entries_copied, 64u);
    EXPECT_EQ(f.copied_read_only, 64u);
    EXPECT_EQ(f.left_writable, 0u);
    EXPECT_EQ(f.entries_different, 0u);
    EXPECT_EQ(f.tables_allocated_in_all(), 4u);
    EXPECT_EQ(f.tables_allocated[4], 1u);
    EXPECT_EQ(f.tables_shared, 0u);
    EXPECT_EQ(f.flushes, 1u);
    EXPECT_EQ(f.unflushed, 0u);
    EXPECT_EQ(f.child.covered, 64u);
    EXPECT_EQ(f.child.copies, 5u);
    EXPECT_EQ(f.child.reuses, 0u);
    EXPECT_EQ(f.child.bytes_copied, 5 * kPageSize);
    EXPECT_EQ(f.child.unmapped, 59u);
    EXPECT_EQ(f.parent.copies, 3u);
    EXPECT_EQ(f.parent.reuses, 2u);
    EXPECT_EQ(f.parent.untouched, 59u);
    EXPECT_EQ(f.child.exit->status, 0x700u);
    EXPECT_EQ(f.child.reap->by, 1u);
    EXPECT_TRUE(f.parent.exit);
    EXPECT_TRUE(f.notes.empty()) << ::testing::PrintToString(f.notes);

    const ForkDetails& d = f.details;
    ASSERT_EQ(d.protected_ranges.size(), 1u);
    EXPECT_EQ(d.protected_ranges[0].va, kUserHeap);
    EXPECT_EQ(d.protected_ranges[0].count, 64u);
    ASSERT_EQ(d.copied_ranges.size(), 1u);
    EXPECT_EQ(d.copied_ranges[0].count, 64u);
    ASSERT_EQ(d.breaks.size(), 10u);
    EXPECT_EQ(d.flushes.size(), 1u);
    const CowBreak& first = d.breaks[0];
    EXPECT_EQ(first.side, Side::Child);
    EXPECT_EQ(first.va, page(0));
    EXPECT_EQ(first.error_code, 7u);
    EXPECT_EQ(first.outcome, Outcome::Copy);
    EXPECT_NE(log::frame_of(first.old_entry, 1), log::frame_of(first.new_entry, 1));
    ASSERT_TRUE(first.invalidation);
    EXPECT_EQ(first.invalidation->va, page(0));
    ASSERT_TRUE(first.resolved);
    EXPECT_LT(first.fault.event, first.upgrade.event);
    EXPECT_LT(first.upgrade.event, first.invalidation->when.event);
    EXPECT_LT(first.invalidation->when.event, first.resolved->event);
    ASSERT_TRUE(first.announced);
    const CowBreak& reuse = d.breaks[8];
    EXPECT_EQ(reuse.outcome, Outcome::Reuse);
    EXPECT_EQ(log::frame_of(reuse.old_entry, 1), log::frame_of(reuse.new_entry, 1));
    EXPECT_FALSE(reuse.invalidation);
}

TEST(Forks, AChildThatNeverRunsHasNoTablesInTheLog) {
    FakeGuest guest = with_pages(10);
    guest.fork();
    guest.write(page(3));
    const Tracked t(guest);
    const Fork& f = t[1];
    EXPECT_EQ(f.write_protected, 10u);
    EXPECT_FALSE(f.child.first_run);
    EXPECT_EQ(f.entries_copied, 0u);
    EXPECT_EQ(f.parent.copies, 1u);
    EXPECT_EQ(f.parent.untouched, 9u);
    EXPECT_EQ(f.child.untouched, 10u);
    EXPECT_TRUE(f.notes.empty());
}

TEST(Forks, TheParentWritesBeforeTheChildFirstRuns) {
    FakeGuest guest = with_pages(10);
    const uint32_t child = guest.fork();
    for (unsigned n = 0; n < 4; ++n) guest.write(page(n));
    guest.unmap(page(9));
    end_child(guest, child);
    const Tracked t(guest);
    EXPECT_EQ(t[1].entries_copied, 10u);  // compared with what the parent had when it forked
    EXPECT_EQ(t[1].entries_different, 0u);
    EXPECT_EQ(t[1].parent.copies, 4u);
    EXPECT_EQ(t[1].parent.unmapped, 1u);
}

TEST(Forks, APageThatIsMovedIsStillCovered) {
    FakeGuest guest = with_pages(10);
    const uint32_t child = guest.fork();
    guest.remap(page(0), page(20));
    guest.remap(page(1), page(21));
    guest.write(page(20));
    end_child(guest, child);
    const Tracked t(guest);
    EXPECT_EQ(t[1].parent.copies, 1u);
    EXPECT_EQ(t[1].parent.unmapped, 0u);
    EXPECT_EQ(t[1].parent.untouched, 9u);
}

// The allocator gives the newest free frame: what is mapped next is not what was unmapped.
TEST(Forks, ANewPageInAFreedFrameIsNotThePageBefore) {
    FakeGuest guest = with_pages(10);
    const uint32_t child = guest.fork();
    end_child(guest, child);
    guest.unmap(page(0));
    guest.touch_new_pages(page(20), 1);
    const Tracked t(guest);
    EXPECT_EQ(t[1].parent.unmapped, 1u);
    EXPECT_EQ(t[1].parent.untouched, 9u);
}

TEST(Forks, TheParentEndsBeforeTheChildFirstRuns) {
    FakeGuest guest = with_pages(1);
    const uint32_t middle = guest.fork();
    guest.switch_to(middle);
    guest.touch_new_pages(page(100), 6);
    const uint32_t child = guest.fork();
    guest.exit(0);
    guest.switch_to(1);
    guest.reap(middle);
    guest.switch_to(child);
    const Tracked t(guest);
    EXPECT_EQ(t[2].write_protected, 6u);
    EXPECT_EQ(t[2].entries_copied, 7u);
    EXPECT_EQ(t[2].parent.exit->status, 0u);
}

TEST(Forks, VforkWritesNoPageTable) {
    FakeGuest guest = with_pages(12);
    const uint64_t flags = abi::kCloneVfork | abi::kCloneVm | 17;
    const uint32_t child = guest.fork(flags);
    guest.switch_to(child);
    guest.write(page(1));
    guest.exec("prog", test::kUserText, 3);
    guest.exit(0);
    guest.switch_to(1);
    guest.reap(child);
    const Tracked t(guest);
    const Fork& f = t[1];
    EXPECT_STREQ(kind_of(f), "vfork");
    EXPECT_EQ(f.write_protected + f.other_writes + f.kernel_writes, 0u);
    EXPECT_EQ(f.child.root, f.parent.root);
    EXPECT_EQ(f.parent.covered, 0u);
    EXPECT_EQ(f.child.covered, 0u);
    EXPECT_EQ(f.child.exec->name, "prog");
    EXPECT_TRUE(f.notes.empty());
}

TEST(Forks, VforkAndAFailedForkTakeNothingOverFromAnEarlierFork) {
    FakeGuest guest = with_pages(6);
    guest.fork();
    guest.fork(abi::kCloneVfork | abi::kCloneVm | 17);
    guest.fail_fork(17, 12);
    guest.write(page(2));
    const Tracked t(guest);
    EXPECT_EQ(t[1].parent.copies, 1u);
    EXPECT_EQ(t[1].parent.passed_on, 0u);
    EXPECT_EQ(t[2].parent.covered + t[3].parent.covered, 0u);
}

TEST(Forks, ForkAndExecCopiesOnlyWhatTheChildTouched) {
    FakeGuest guest = with_pages(30);
    const uint32_t child = guest.fork();
    guest.switch_to(child);
    guest.write(page(7));
    guest.exec("prog", test::kUserText, 3);
    guest.write(test::kUserText);
    guest.exit(0);
    guest.switch_to(1);
    guest.reap(child);
    const Tracked t(guest);
    EXPECT_EQ(t[1].child.copies, 1u);
    EXPECT_EQ(t[1].child.unmapped, 29u);
    EXPECT_EQ(t[1].child.exec->name, "prog");
    EXPECT_EQ(t[1].child.name, "init");  // when it was forked
}

TEST(Forks, ThreadsShareTheFaultsOfTheirSpace) {
    FakeGuest guest = with_pages(8);
    const uint32_t thread = guest.fork(abi::kCloneVm | abi::kCloneThread | abi::kCloneSighand);
    const uint32_t child = guest.fork();
    guest.switch_to(thread);
    guest.write(page(2));
    guest.switch_to(1);
    guest.write(page(3));
    end_child(guest, child);
    const Tracked t(guest, 2);
    EXPECT_STREQ(kind_of(t[1]), "thread");
    EXPECT_EQ(t[2].parent.copies, 2u);
    EXPECT_EQ(t[2].details.breaks[0].tid, thread);
    EXPECT_EQ(t[2].details.breaks[0].side, Side::Parent);
}

TEST(Forks, NestedForksAreAnsweredForByTheLatest) {
    FakeGuest guest = with_pages(10);
    const uint32_t child = guest.fork();
    guest.switch_to(child);
    guest.write(page(0));  // of fork 1; writable again, so fork 2 protects it
    const uint32_t grandchild = guest.fork();
    guest.write(page(1));  // covered by fork 1 first, passed on to fork 2
    guest.switch_to(grandchild);
    guest.write(page(1));
    guest.switch_to(1);
    guest.write(page(1));  // the last owner of the first frame
    const Tracked t(guest);
    EXPECT_EQ(t[1].child.copies, 1u);
    EXPECT_EQ(t[1].child.passed_on, 9u);
    EXPECT_EQ(t[1].parent.reuses, 1u);
    EXPECT_EQ(t[1].parent.untouched, 9u);
    EXPECT_EQ(t[2].write_protected, 1u);
    EXPECT_EQ(t[2].entries_copied, 10u);
    EXPECT_EQ(t[2].parent.covered, 10u);
    EXPECT_EQ(t[2].parent.copies, 1u);
    EXPECT_EQ(t[2].child.copies, 1u);
}

TEST(Forks, ASecondForkTakesOverWhatTheFirstLeft) {
    FakeGuest guest = with_pages(10);
    const uint32_t one = guest.fork();
    guest.write(page(0));
    const uint32_t two = guest.fork();
    guest.write(page(0));
    guest.write(page(5));
    end_child(guest, one);
    end_child(guest, two);
    const Tracked t(guest);
    EXPECT_EQ(t[1].parent.copies, 1u);
    EXPECT_EQ(t[1].parent.passed_on, 9u);
    EXPECT_EQ(t[2].write_protected, 1u);
    EXPECT_EQ(t[2].parent.covered, 10u);
    EXPECT_EQ(t[2].parent.copies, 2u);
}

TEST(Forks, OverlappingForksOfTwoTasks) {
    FakeGuest guest = with_pages(4);
    const uint32_t other = guest.fork();
    guest.switch_to(other);
    guest.touch_new_pages(page(50), 3);
    guest.begin_fork(17);
    guest.switch_to(1);
    guest.begin_fork(17);
    guest.switch_to(other);
    guest.finish_fork();
    guest.switch_to(1);
    guest.finish_fork();
    guest.syscall_return(57, 9);
    const Tracked t(guest);
    ASSERT_EQ(t.tracker.forks().size(), 3u);
    EXPECT_EQ(t[2].parent.tid, other);
    EXPECT_EQ(t[2].write_protected, 3u);
    EXPECT_EQ(t[3].parent.tid, 1u);
    EXPECT_EQ(t[3].write_protected, 0u);
    EXPECT_EQ(t[3].parent.covered, 4u);
    EXPECT_TRUE(t[2].end && t[3].end);
}

TEST(Forks, AKernelThatClearsTheEntryFirstCopiesAllTheSame) {
    FakeOptions options;
    options.clear_before_copy = true;
    FakeGuest guest = with_pages(4, options);
    guest.fork();
    guest.write(page(1));
    const Tracked t(guest);
    EXPECT_EQ(t[1].parent.copies, 1u);
    EXPECT_EQ(t[1].parent.unmapped, 0u);
    ASSERT_TRUE(t[1].details.breaks[0].invalidation);
    EXPECT_TRUE(log::is_present(t[1].details.breaks[0].old_entry));
}
TEST(Forks, SharedTablesAreCopiedOnFirstNeed) {
    FakeOptions options;
    options.shared_tables = true;
    FakeGuest guest = with_pages(6, options);
    guest.touch_new_pages(kUserHeap + log::span_bytes(2), 3);  // a second table
    const uint32_t child = guest.fork();
    guest.switch_to(child);
    guest.write(page(0));  // table and page
    guest.write(page(1));
    guest.switch_to(1);
    guest.write(page(0));  // the first table is the parent's alone now, and so is the page's frame
    guest.write(page(2));
    guest.audit();
    end_child(guest, child);
    guest.write(kUserHeap + log::span_bytes(2));  // the second table was never copied: all of it is writable
    guest.audit();
    const Tracked t(guest);
    EXPECT_TRUE(t.tracker.replay().report().complete());
    const Fork& f = t[1];
    EXPECT_EQ(f.write_protected, 0u);
    EXPECT_EQ(f.tables_protected, 2u);
    EXPECT_EQ(f.tables_allocated[1], 0u);
    EXPECT_EQ(f.tables_allocated[2], 1u);
    EXPECT_EQ(f.tables_shared, 2u);
    EXPECT_EQ(f.child.table_copies, 1u);
    EXPECT_EQ(f.child.copies, 2u);
    EXPECT_EQ(f.child.covered, 6u);
    EXPECT_EQ(f.parent.covered, 6u);
    EXPECT_EQ(f.parent.table_copies, 2u);
    EXPECT_EQ(f.parent.table_only, 1u);
    EXPECT_EQ(f.parent.reuses, 1u);
    EXPECT_EQ(f.parent.copies, 1u);
    const CowBreak& first = f.details.breaks[0];
    EXPECT_EQ(first.outcome, Outcome::Copy);
    ASSERT_TRUE(first.table_entries);
    EXPECT_NE(log::frame_of(first.table_entries->first, 2), log::frame_of(first.table_entries->second, 2));
    EXPECT_EQ(f.details.breaks.back().outcome, Outcome::TableCopy);
}

TEST(Forks, ATableThatWasCopiedIsSharedAgain) {
    FakeOptions options;
    options.shared_tables = true;
    FakeGuest guest = with_pages(6, options);
    const uint32_t first = guest.fork();
    guest.write(page(0));  // the table is copied; five pages in it stay covered
    const uint32_t second = guest.fork();
    guest.switch_to(second);
    guest.audit();
    guest.switch_to(1);
    end_child(guest, first);
    end_child(guest, second);
    const Tracked t(guest);
    EXPECT_EQ(t[2].tables_shared, 1u);
    EXPECT_EQ(t[2].parent.covered, 5u);
    EXPECT_TRUE(t[2].notes.empty());
}

TEST(Forks, WithoutAnnouncementsSystemCallsAndRootsTell) {
    FakeOptions options;
    options.announce = false;
    FakeGuest guest = with_pages(64, options);
    const uint32_t child = guest.fork();
    guest.write(page(6));
    guest.switch_to(child);
    const uint64_t child_root = guest.current().root;
    for (unsigned n = 0; n < 5; ++n) guest.write(page(n));
    guest.exit(0);
    guest.switch_to(1);
    guest.reap(child);
    guest.write(page(0));
    const Tracked t(guest);
    ASSERT_EQ(t.tracker.forks().size(), 1u);
    const Fork& f = t[1];
    EXPECT_EQ(f.source, ForkSource::SystemCall);
    EXPECT_EQ(f.parent.label(), "root " + fmt::format("{:#x}", guest.current().root));
    EXPECT_EQ(f.child.root, child_root);
    EXPECT_EQ(f.child.tid, child);
    EXPECT_EQ(f.write_protected, 64u);
    EXPECT_EQ(f.entries_copied, 64u);
    EXPECT_EQ(f.tables_allocated_in_all(), 4u);
    EXPECT_EQ(f.child.copies, 5u);
    EXPECT_EQ(f.parent.copies, 1u);
    EXPECT_EQ(f.parent.reuses, 1u);
}

TEST(Forks, ManyForksInARowAreAllFoundWithReusedTidsAndRoots) {
    FakeGuest guest = with_pages(16);
    for (unsigned n = 0; n < 200; ++n) {
        const uint32_t child = guest.fork();
        guest.write(page(n % 16));
        guest.switch_to(child);
        guest.write(page((n + 1) % 16));
        guest.exit(n << 8);
        guest.switch_to(1);
        guest.reap(child);
    }
    const Tracked t(guest);
    ASSERT_EQ(t.tracker.forks().size(), 200u);
    for (const Fork& f : t.tracker.forks()) {
        EXPECT_EQ(f.entries_copied, 16u) << f.number;
        EXPECT_EQ(f.child.copies, 1u);
        EXPECT_EQ(f.parent.copies, 1u);
        EXPECT_EQ(f.child.exit->status, static_cast<uint32_t>(f.number - 1) << 8);
        EXPECT_TRUE(f.notes.empty());
    }
}

}  // namespace
}  // namespace forkscope::analysis
