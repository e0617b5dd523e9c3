// The books behind the checks.
#include "tests/check/pretend_kernel.hpp"

namespace forkscope::check {
namespace {

constexpr uint64_t kFrame = 0x200000;

Event pte(EventKind kind, uint64_t pa, unsigned level, uint64_t va, uint64_t old, uint64_t now) {
    Event e;
    e.kind = kind;
    e.pa = pa;
    e.level = static_cast<uint8_t>(level);
    e.va = va;
    e.a = old;
    e.b = now;
    return e;
}

// A page of which the TLB has more than the tables.
Event stale(uint64_t page) { return pte(EventKind::Finding, page * 8, 1, page << 12, kFrame | kWritable, 0); }

TEST(Books, EntriesFoundInANewTableCount) {
    Books books;
    Event link = pte(EventKind::TableLink, 0x4000, 1, 0, 0x3000, 1);
    link.flags = log::kFirstLink;
    books.tables.apply(link, 0);
    Event found = pte(EventKind::PteFound, 0x4008, 1, 0x1000, 0, kFrame | kWritable);
    found.icount = 500;
    found.rip = 0x77;
    books.tables.apply(found, 1);
    const Frame* frame = books.frames.find(kFrame);
    ASSERT_NE(frame, nullptr);
    EXPECT_EQ(frame->mappings, 1u);
    EXPECT_EQ(frame->writable, 1u);
    EXPECT_EQ(frame->last_mapped.icount, 500u);

    Event gone = pte(EventKind::TableUnlink, 0x4000, 1, 0, 0x3000, 0);
    gone.flags = log::kLastLink;
    books.tables.apply(gone, 2);
    EXPECT_EQ(frame->mappings, 0u);
    EXPECT_EQ(frame->writable, 0u);
    EXPECT_FALSE(books.tables.is_table(0x4000));
}

TEST(Books, AFoundEntryIsItsWritersWhereThatIsKnown) {
    Books books;
    Event link = pte(EventKind::TableLink, 0x4000, 1, 0, 0x3000, 1);
    link.flags = log::kFirstLink;
    books.tables.apply(link, 0);
    Event found = pte(EventKind::PteFound, 0x4008, 1, 0x1000, 300, kFrame | kReadOnly);
    found.icount = 500;
    found.rip = 0x77;
    found.flags = log::kWriterKnown;
    books.tables.apply(found, 1);
    EXPECT_EQ(books.frames.find(kFrame)->last_mapped.icount, 300u);
    EXPECT_EQ(books.frames.find(kFrame)->last_mapped.rip, 0x77u);
}

TEST(Books, KernelEntriesAreNotCounted) {
    Books books;
    Event link = pte(EventKind::TableLink, 0x4000, 1, 0xffff'8000'0000'0000, 0x3000, 1);
    link.flags = log::kFirstLink;
    books.tables.apply(link, 0);
    books.tables.apply(pte(EventKind::PteWrite, 0x4000, 1, 0xffff'8000'0000'0000, 0, kFrame | kWritable), 1);
    const Frame* frame = books.frames.find(kFrame);
    EXPECT_TRUE(frame == nullptr || frame->mappings == 0);
    EXPECT_EQ(books.tables.entry_at(0x4000), kFrame | kWritable);
}

TEST(RecentWrites, ManyWritesForgetTheOldestOnly) {
    RecentWrites writes;
    constexpr uint64_t kPages = (uint64_t{1} << 22) + 10;
    for (uint64_t page = 0; page < kPages; ++page)
        writes.apply(pte(EventKind::PteWrite, page * 8, 1, page << 12, kFrame | kWritable, 0), page);
    EXPECT_FALSE(writes.blame(stale(0)).has_value());
    const auto latest = writes.blame(stale(kPages - 1));
    ASSERT_TRUE(latest.has_value());
    EXPECT_EQ(latest->number, kPages - 1);
}

TEST(RecentWrites, AFlushOfOneCpuLeavesTheOthersWrites) {
    RecentWrites writes;
    Event on_other = pte(EventKind::PteWrite, 0x8, 1, 0x1000, kFrame | kWritable, kFrame | kReadOnly);
    on_other.cpu = 1;
    writes.apply(on_other, 0);
    Event flush;
    flush.kind = EventKind::Flush;
    flush.aux = static_cast<uint16_t>(log::FlushKind::Cr3Load);
    writes.apply(flush, 1);
    EXPECT_TRUE(writes.blame(stale(1)).has_value());
    flush.cpu = 1;
    writes.apply(flush, 2);
    EXPECT_FALSE(writes.blame(stale(1)).has_value());
}

TEST(TakesSomething, RightsFramesAndPresence) {
    EXPECT_TRUE(takes_something(kFrame | kWritable, 0, 1));
    EXPECT_TRUE(takes_something(kFrame | kWritable, kFrame | kReadOnly, 1));
    EXPECT_TRUE(takes_something(kFrame | kReadOnly, (kFrame + 0x1000) | kReadOnly, 1));
    EXPECT_TRUE(takes_something(kFrame | kReadOnly, kFrame | kReadOnly | log::kEntryNoExecute, 1));
    EXPECT_TRUE(takes_something(kFrame | kReadOnly, kFrame | log::kEntryPresent, 1));
    EXPECT_FALSE(takes_something(0, kFrame | kWritable, 1));
    EXPECT_FALSE(takes_something(kFrame | kReadOnly, kFrame | kWritable | log::kEntryDirty, 1));
    EXPECT_FALSE(takes_something(kFrame | kWritable | log::kEntryDirty, kFrame | kWritable, 1));
}

}  // namespace
}  // namespace forkscope::check
