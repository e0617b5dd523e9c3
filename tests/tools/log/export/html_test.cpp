// The HTML report: what comes from the guest stays text, and what is compared is right.
#include <gmock/gmock.h>

#include <cstring>

#include "guest/abi/event_port.hpp"
#include "tests/tools/log/export/export_fixture.hpp"
#include "tools/log/export/frame_heat.hpp"
#include "tools/log/export/tree_diff.hpp"

namespace forkscope::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(Exports, WhatTheGuestIsCalledStaysText) {
    std::vector<log::Event> events(guest_.events().begin(), guest_.events().end());
    log::Event rename = log::make_event(log::EventKind::Announce, {events.back().icount, 0, 0, 1, 0, 0});
    rename.aux = static_cast<uint16_t>(abi::Announcement::TaskName);
    rename.a = 1;
    std::memcpy(&rename.b, "</script", 8);
    std::memcpy(&rename.va, "><b>\"&\xff", 7);
    events.insert(events.begin(), rename);
    events.push_back(rename);
    write_demonstration(path_, events);
    query_.file = "<i>&.mmu";
    const std::string page = exported("html");
    EXPECT_EQ(error_, "");
    EXPECT_THAT(page, HasSubstr("<title>&lt;i&gt;&amp;.mmu - Forkscope</title>"));
    EXPECT_THAT(page, HasSubstr("\\u003c/script>\\u003cb>"));
    EXPECT_THAT(page, Not(HasSubstr("<b>\"")));
    EXPECT_THAT(page, Not(HasSubstr("<i>&")));
}

TEST_F(Exports, AReportOfALogWithoutForksIsEmptyAndWhole) {
    FakeGuest guest;
    guest.stop(log::Stop::GuestExit, 0);
    write_demonstration(path_, guest.events());
    const std::string page = exported("html");
    EXPECT_EQ(error_, "");
    EXPECT_THAT(page, HasSubstr("\"trees\":null"));
    EXPECT_TRUE(page.ends_with("</html>\n"));
}

TEST_F(Exports, TheTreesOfAForkAreCompared) {
    uint64_t begin = 0;
    uint64_t end = 0;
    uint64_t root = 0;
    for (size_t i = 0; i < guest_.events().size(); ++i) {
        const log::Event& e = guest_.events()[i];
        if (e.kind != log::EventKind::Announce) continue;
        if (e.aux == static_cast<uint16_t>(abi::Announcement::ForkBegin)) {
            begin = i;
            root = e.va;
        }
        if (e.aux == static_cast<uint16_t>(abi::Announcement::ForkEnd)) end = i;
    }
    ASSERT_GT(end, begin);
    const auto reader = log::Reader::open(path_);
    ASSERT_TRUE(reader);
    const log::Replay before = log::replay_until(**reader, begin);
    const log::Replay after = log::replay_until(**reader, end);
    const TreeDiff diff = diff_trees({&before, root}, {&after, root}, 100);
    EXPECT_EQ(diff.changed, 8u);
    EXPECT_EQ(diff.left_out, 0u);
    const auto row = std::ranges::find_if(diff.rows, &TreeRow::changed);
    ASSERT_NE(row, diff.rows.end());
    EXPECT_EQ(row->va, kUserHeap);
    EXPECT_EQ(row->count, 8u);
    EXPECT_EQ(row->before & ~row->after, log::kEntryWritable);
    EXPECT_TRUE(row->same_target);
    EXPECT_EQ(diff_trees({&before, root}, {&before, root}, 100).changed, 0u);
    // What does not fit is counted; against nothing everything is new.
    EXPECT_EQ(diff_trees({&before, root}, {&after, root}, 1).left_out, diff.rows.size() - 1);
    for (const TreeRow& all : diff_trees({}, {&after, root}, 100).rows) EXPECT_TRUE(all.changed());
}

TEST(FrameHeat, SaysWhatMostFramesAre) {
    FakeGuest guest = demonstration();
    FrameHeat heat;
    log::Replay replay;
    analysis::TaskTable tasks;
    for (const log::Event& e : guest.events())
        if ((log::mask_of(e.kind) & FrameHeat::kKinds) != 0) heat.saw(e);
    uint64_t most_shared = 0;
    for (size_t i = 0; i < guest.events().size(); ++i) {
        const log::Event& e = guest.events()[i];
        replay.apply(e, i);
        tasks.apply(e, i);
        heat.sample(e.icount, replay, tasks);
        most_shared =
            std::max(most_shared, heat.columns().back().frames[static_cast<size_t>(FrameHeat::Use::Two)]);
    }
    heat.finish();
    EXPECT_EQ(most_shared, 8u);
    EXPECT_EQ(heat.samples_left_out(), 0u);
    ASSERT_FALSE(heat.owners().empty());
    EXPECT_EQ(heat.owners().front(), "init[1]");
    for (const FrameHeat::Column& column : heat.columns()) {
        uint64_t frames = 0;
        for (const uint64_t count : column.frames) frames += count;
        EXPECT_EQ(frames, heat.frames());
    }
}

}  // namespace
}  // namespace forkscope::tools
