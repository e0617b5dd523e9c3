// Checks about frames: who maps them, who owns them, how often they are counted.
#include "tests/check/pretend_kernel.hpp"

namespace forkscope::check {
namespace {

using log::Finding;

constexpr uint64_t kFrame = 0x200000;

class FrameChecks : public PretendKernel {};

TEST_F(FrameChecks, CopyOnWriteAsItShouldBeIsSilent) {
    alloc(kFrame);
    map(1, 0, kFrame | kWritable);
    run(1);
    write_at(1, 1, 0, kFrame | kWritable, kFrame | kReadOnly);
    refs(kFrame, 2);
    map(2, 0, kFrame | kReadOnly);
    flush(log::FlushKind::Cr3Load, 0, root_of(1), root_of(2));
    run(2);
    alloc(kFrame + kPageSize);
    write_at(2, 1, 0, kFrame | kReadOnly, (kFrame + kPageSize) | kWritable);
    refs(kFrame, 1);
    run(2);
    write_at(1, 1, 0, kFrame | kReadOnly, kFrame | kWritable);
    run(1);
    unmap(1, 0, kFrame | kWritable);
    free(kFrame);
    flush(log::FlushKind::Cr3Load, 0, root_of(1), root_of(1));
    run(1);
    stop(100'000'000);
    expect_silence("copy-on-write");
}

TEST_F(FrameChecks, PrivateFrameLeftWritableInOneSpace) {
    alloc(kFrame);
    map(1, 0, kFrame | kWritable);
    refs(kFrame, 2);
    at(0x42);
    map(2, 3, kFrame | kReadOnly);
    expect_silence("while the kernel is at work");
    at(0x99);
    run(1);
    expect_one(Finding::WritableTwice, 0x42);
    write_at(2, 1, 3, kFrame | kReadOnly, kFrame | kWritable);
    run(1);
    expect_silence("told once");
}

TEST_F(FrameChecks, WhatIsMendedBeforeAProgramRunsIsFine) {
    alloc(kFrame);
    map(1, 0, kFrame | kWritable);
    refs(kFrame, 2);
    map(2, 3, kFrame | kWritable);
    write_at(2, 1, 3, kFrame | kWritable, kFrame | kReadOnly);
    write_at(1, 1, 0, kFrame | kWritable, kFrame | kReadOnly);
    run(1);
    expect_silence("mended");
}

TEST_F(FrameChecks, SharedMemoryMayBeWritableInBoth) {
    alloc(kFrame, abi::FrameUse::PageCache);
    map(1, 0, kFrame | kWritable);
    refs(kFrame, 2);
    map(2, 3, kFrame | kWritable);
    run(1);
    expect_silence("shared memory");
}

TEST_F(FrameChecks, WithoutAnnouncementsNothingIsSaidOfSharing) {
    map(1, 0, kFrame | kWritable);
    map(2, 3, kFrame | kWritable);
    run(1);
    expect_silence("a guest that announces nothing");
}

TEST_F(FrameChecks, FrameOfZerosMustNotBeWritten) {
    alloc(kFrame, abi::FrameUse::Zero);
    map(1, 0, kFrame | kReadOnly);
    map(2, 0, kFrame | kReadOnly);
    run(1);
    expect_silence("mapped read-only, by more than are counted");
    at(0x42);
    map(1, 1, kFrame | kWritable);
    run(1);
    expect_one(Finding::WritableTwice, 0x42);
}

TEST_F(FrameChecks, TableThatTwoSpacesLinkWritable) {
    alloc(kFrame);
    map(1, 0, kFrame | kWritable);
    constexpr uint64_t table = table_of(1, 1);
    alloc(table, abi::FrameUse::PageTable);
    refs(table, 2);
    at(0x42);
    write_at(2, 2, 1, 0, table | kWritable);
    link(table, 1, table_of(2, 2) + log::kEntryBytes, 2);
    run(1);
    expect_one(Finding::WritableTwice, 0x42);
}

TEST_F(FrameChecks, TableThatIsSharedReadOnlyIsFine) {
    alloc(kFrame);
    map(1, 0, kFrame | kWritable);
    constexpr uint64_t table = table_of(1, 1);
    alloc(table, abi::FrameUse::PageTable);
    write_at(1, 2, 0, table | kWritable, table | kReadOnly);
    refs(table, 2);
    write_at(2, 2, 1, 0, table | kReadOnly);
    link(table, 1, table_of(2, 2) + log::kEntryBytes, 2);
    run(1);
    expect_silence("shared and read-only");
}

TEST_F(FrameChecks, FreedWhileMapped) {
    alloc(kFrame);
    map(2, 5, kFrame | kReadOnly);
    run(1);
    at(0x42);
    free(kFrame);
    expect_one(Finding::FreedWhileMapped, 0x42);
    unmap(2, 5, kFrame | kReadOnly);
    alloc(kFrame);
    free(kFrame);
    expect_silence("unmapped first");
}

TEST_F(FrameChecks, FreedWhileItIsALiveTable) {
    constexpr uint64_t table = table_of(2, 1);
    alloc(table, abi::FrameUse::PageTable);
    at(0x42);
    free(table);
    expect_one(Finding::FreedWhileMapped, 0x42);
}

TEST_F(FrameChecks, TableThatWasUnlinkedMayBeFreed) {
    constexpr uint64_t table = table_of(2, 1);
    alloc(table, abi::FrameUse::PageTable);
    alloc(kFrame);
    map(2, 5, kFrame | kReadOnly);
    write_at(2, 2, 0, table | kWritable, 0);
    unlink(table, 1, table_of(2, 2), 0);
    free(table);
    free(kFrame);
    run(1);
    expect_silence("its entries went with it");
}

TEST_F(FrameChecks, TableInAFrameOfSomethingElse) {
    at(0x42);
    map(1, 0, kFrame | kReadOnly);
    expect_silence("never announced");
    alloc(table_of(1, 1), abi::FrameUse::Slab);
    unmap(1, 0, kFrame | kReadOnly);
    expect_one(Finding::UnannouncedTable, 0x42);
    alloc(table_of(1, 1), abi::FrameUse::PageTable);
    map(1, 0, kFrame | kReadOnly);
    expect_silence("announced");
}

TEST_F(FrameChecks, MoreMappingsThanReferences) {
    alloc(kFrame);
    map(1, 0, kFrame | kReadOnly);
    at(0x42);
    map(2, 0, kFrame | kReadOnly);
    run(1);
    expect_one(Finding::Refcount, 0x42);
}

TEST_F(FrameChecks, MoreLinksThanReferences) {
    constexpr uint64_t table = table_of(1, 1);
    alloc(table, abi::FrameUse::PageTable);
    link(table, 1, table_of(2, 2) + log::kEntryBytes, 2);
    run(1);
    const auto found = take();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].what, Finding::Refcount);
}

TEST_F(FrameChecks, CountsThatDoNotFollow) {
    constexpr uint64_t by = 0xffff'ffff'8010'0000;
    alloc(kFrame);
    refs(kFrame, 3, by);
    expect_one(Finding::Refcount, by);
    alloc(kFrame + 0x1000);
    refs(kFrame + 0x1000, 2, by);
    free(kFrame + 0x1000);
    expect_one(Finding::Refcount, 1);
    alloc(kFrame + 0x2000);
    free(kFrame + 0x2000);
    free(kFrame + 0x2000);
    expect_one(Finding::Refcount, 1);
    alloc(kFrame + 0x3000);
    alloc(kFrame + 0x3000);
    expect_one(Finding::Refcount, 1);
    alloc(kFrame + 0x4000);
    free(kFrame + 0x4000);
    refs(kFrame + 0x4000, 1, by);
    expect_one(Finding::Refcount, by);
}

TEST_F(FrameChecks, LeakAtTheEnd) {
    alloc(kFrame);
    refs(kFrame, 2);
    map(1, 0, kFrame | kWritable);
    at(0x42);
    unmap(1, 0, kFrame | kWritable);
    refs(kFrame, 1);
    run(1);
    expect_silence("somebody may still need it");
    stop(1);
    expect_one(Finding::Refcount, 0x42);
}

TEST_F(FrameChecks, WhatTheKernelIsJustUnmappingIsNoLeak) {
    alloc(kFrame);
    map(1, 0, kFrame | kWritable);
    unmap(1, 0, kFrame | kWritable);
    alloc(kFrame + 0x1000);
    map(1, 1, (kFrame + 0x1000) | kWritable);
    stop(1000);
    expect_silence("stopped in mid-work");
}

TEST_F(FrameChecks, FramesBeyondAnyRamAreNobodys) {
    announce(abi::Announcement::FrameFree, ~uint64_t{0});
    map(1, 0, log::kEntryAddress | kWritable);
    run(1);
    expect_silence("nonsense");
}

}  // namespace
}  // namespace forkscope::check
