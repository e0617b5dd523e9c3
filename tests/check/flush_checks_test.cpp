// Checks about what the TLB holds: stale entries, flushes, dirty bits.
#include "tests/check/pretend_kernel.hpp"

namespace forkscope::check {
namespace {

using log::Finding;
using log::FlushKind;

constexpr uint64_t kFrame = 0x200000;
constexpr uint64_t kDirty = log::kEntryDirty | log::kEntryAccessed;
constexpr CheckSet kQuiet = kEveryCheck & ~set_of(Finding::RedundantFlush);

class FlushChecks : public PretendKernel {
protected:
    FlushChecks() : PretendKernel(kQuiet) {}
};

TEST_F(FlushChecks, StaleEntryNamesTheWriteThatNeededTheFlush) {
    map(1, 4, kFrame | kWritable);
    at(0x41);
    write_at(1, 1, 3, (kFrame + 0x1000) | kWritable, 0);
    at(0x42);
    write_at(1, 1, 4, kFrame | kWritable, kFrame | kReadOnly);
    at(0x43);
    write_at(1, 1, 4, kFrame | kReadOnly, kFrame | kWritable);  // gives, takes nothing
    at(0x99);
    stale(Finding::StaleTlbUser, 0x4000, table_of(1, 1) + 32, kFrame | kWritable, kFrame | kReadOnly);
    expect_one(Finding::StaleTlbUser, 0x42);
}

TEST_F(FlushChecks, TheLeafIsToBlameBeforeTheTableThatWentWithIt) {
    map(1, 4, kFrame | kWritable);
    at(0x42);
    unmap(1, 4, kFrame | kWritable);
    at(0x43);
    write_at(1, 2, 0, table_of(1, 1) | kWritable, 0);
    stale(Finding::StaleTlbUser, 0x4000, table_of(1, 2), kFrame | kWritable, 0);
    expect_one(Finding::StaleTlbUser, 0x42);
}

TEST_F(FlushChecks, StaleEntryBelowATableThatWent) {
    at(0x42);
    write_at(1, 2, 0, table_of(1, 1) | kWritable, 0);
    at(0x99);
    stale(Finding::StaleTlbUser, 0x4000, 0xdead000, kFrame | kWritable, 0);
    expect_one(Finding::StaleTlbUser, 0x42);
}

TEST_F(FlushChecks, AStaleEntryIsToldByTheEntryThatRefuses) {
    const auto told = [this](uint64_t now, unsigned level) {
        stale(Finding::StaleTlbUser, 0x4000, table_of(1, 2), kFrame | kWritable, now, level);
        const auto found = take();
        return found.size() == 1 ? found[0].expected : "";
    };
    const std::string holds = "the TLB may hold 0x4000 as rwx of frame 0x200000, ";
    const std::string no_flush = ", and no flush came before user mode";
    EXPECT_EQ(told(kFrame | kReadOnly, 1), holds + "the tables give r-x" + no_flush);
    EXPECT_EQ(told((kFrame + 0x1000) | kReadOnly, 1),
              holds + "the tables give r-x of frame 0x201000" + no_flush);
    EXPECT_EQ(told(0, 1), holds + "the tables give nothing" + no_flush);
    // A table's own frame is not what the page maps to.
    EXPECT_EQ(told(0x77000 | kReadOnly, 2), holds + "the level-2 entry over it gives r-x" + no_flush);
    EXPECT_EQ(told(0, 3), holds + "the level-3 entry over it gives nothing" + no_flush);
    EXPECT_EQ(told(0x1fc000 | log::kEntryPageSize | kReadOnly, 2),
              holds + "the tables give r-x by a level-2 page of frame 0x4000" + no_flush);
}

TEST_F(FlushChecks, WritesBeforeTheLastFlushAreNotToBlame) {
    map(1, 4, kFrame | kWritable);
    write_at(1, 1, 4, kFrame | kWritable, 0);
    flush(FlushKind::Cr3Load, 0, root_of(1), root_of(1));
    stale(Finding::StaleTlbUser, 0x4000, table_of(1, 1) + 32, kFrame | kWritable, 0);
    const auto found = take();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_FALSE(found[0].culprit.has_value());
}

TEST(StaleKernel, IsAClassOfItsOwn) {
    class : public FindingListener {
    public:
        int count = 0;
        void found(check::Finding&&) override { ++count; }
    } listener;
    Event e;
    e.kind = EventKind::Finding;
    e.aux = static_cast<uint16_t>(Finding::StaleTlbKernel);
    Engine(kMistakes, listener).apply(e, 0);
    EXPECT_EQ(listener.count, 0);
    Engine(set_of(Finding::StaleTlbKernel), listener).apply(e, 0);
    EXPECT_EQ(listener.count, 1);
}

TEST_F(FlushChecks, RightsThatChangeDropTheDirtyBit) {
    map(1, 0, kFrame | kWritable | kDirty);
    at(0x42);
    write_at(1, 1, 0, kFrame | kWritable | kDirty, kFrame | kReadOnly | log::kEntryNoExecute);
    expect_one(Finding::LostDirty, 0x42);
}

TEST_F(FlushChecks, CleaningKeepingAndMovingDirtyBitsAreFine) {
    constexpr uint64_t kSoftware = uint64_t{1} << 58;
    map(1, 0, kFrame | kWritable | kDirty);
    write_at(1, 1, 0, kFrame | kWritable | kDirty, kFrame | kReadOnly);  // cleaned, as for writing back
    write_at(1, 1, 0, kFrame | kReadOnly, kFrame | kWritable | kDirty);
    write_at(1, 1, 0, kFrame | kWritable | kDirty, kFrame | kReadOnly | log::kEntryNoExecute | kDirty);
    write_at(1, 1, 0, kFrame | kReadOnly | kDirty, kFrame | kWritable | kSoftware);
    write_at(1, 1, 0, kFrame | kWritable | kDirty, (kFrame + 0x1000) | kWritable);  // another frame
    run(1);
    expect_silence("cleaning");
}

TEST_F(FlushChecks, DirtyBitClearedUnderACachedEntry) {
    map(1, 4, kFrame | kWritable | kDirty);
    fill(0x4000);
    at(0x42);
    write_at(1, 1, 4, kFrame | kWritable | kDirty, kFrame | kWritable);
    at(0x99);
    run(1);
    expect_one(Finding::LostDirty, 0x42);
}

TEST_F(FlushChecks, DirtyBitClearedAndFlushed) {
    map(1, 4, kFrame | kWritable | kDirty);
    fill(0x4000);
    write_at(1, 1, 4, kFrame | kWritable | kDirty, kFrame | kWritable);
    flush(FlushKind::Invlpg, 0x4000);
    run(1);
    write_at(1, 1, 4, kFrame | kWritable, kFrame | kWritable | kDirty);
    fill(0x4000);
    write_at(1, 1, 4, kFrame | kWritable | kDirty, kFrame | kWritable);
    flush(FlushKind::Cr3Load, 0, root_of(1), root_of(1));
    fill(0x4000);
    run(1);
    expect_silence("flushed");
}

TEST_F(FlushChecks, DirtyBitClearedOfWhatIsNotCached) {
    fill(0x4000);
    flush(FlushKind::Invlpg, 0x4000);
    map(1, 4, kFrame | kWritable | kDirty);
    write_at(1, 1, 4, kFrame | kWritable | kDirty, kFrame | kWritable);
    map(2, 4, kFrame | kWritable | kDirty);
    fill(0x4000);
    write_at(2, 1, 4, kFrame | kWritable | kDirty, kFrame | kWritable);  // another space's
    run(1);
    expect_silence("not cached");
}

class Redundant : public PretendKernel {
protected:
    Redundant() : PretendKernel(set_of(Finding::RedundantFlush)) {}
};

TEST_F(Redundant, FlushThatNothingNeeded) {
    flush(FlushKind::Cr3Load, 0, root_of(1), root_of(1));
    (void)take();
    at(0x42);
    flush(FlushKind::Cr3Load, 0, root_of(1), root_of(1));
    expect_one(Finding::RedundantFlush, 0x42);
    flush(FlushKind::Cr3Load, 0, root_of(1), root_of(2));
    expect_silence("a switch");
}

TEST_F(Redundant, EachPageNeedsItsFlushOnce) {
    map(1, 4, kFrame | kWritable);
    write_at(1, 1, 4, kFrame | kWritable, kFrame | kReadOnly);
    write_at(1, 1, 5, (kFrame + 0x1000) | kWritable, 0);
    flush(FlushKind::Invlpg, 0x4000);
    flush(FlushKind::Invlpg, 0x5000);
    expect_silence("needed");
    at(0x42);
    flush(FlushKind::Invlpg, 0x4000);
    expect_one(Finding::RedundantFlush, 0x42);
}

TEST_F(Redundant, NewEntriesNeedNone) {
    flush(FlushKind::Cr3Load, 0, root_of(1), root_of(1));
    (void)take();
    map(1, 4, kFrame | kWritable);
    at(0x42);
    flush(FlushKind::Invlpg, 0x4000);
    expect_one(Finding::RedundantFlush, 0x42);
}

}  // namespace
}  // namespace forkscope::check
