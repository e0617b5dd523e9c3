// What each panel shows, against what the verbs say of the same moment.
#include <gmock/gmock.h>

#include "tests/panels/log_view_fixture.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/panels/model/biography.hpp"
#include "tools/panels/model/event_card.hpp"
#include "tools/panels/model/frame_map.hpp"
#include "tools/panels/model/lanes.hpp"
#include "tools/panels/model/story.hpp"
#include "tools/panels/model/tail.hpp"
#include "tools/panels/model/tlb_list.hpp"
#include "tools/panels/model/tree.hpp"

namespace forkscope::panels {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

class Models : public ViewOfLog {
protected:
    void go_to_event(uint64_t number) {
        view_->go_to(number + 1);
        query_.at = fmt::format("e{}", number);
    }
    [[nodiscard]] TreeModel tree(const TreeChoice& choice = {}) {
        const analysis::FrameUsers users(view_->now().tables());
        return tree_of(view_->now(), view_->symbols(), users, choice);
    }
    [[nodiscard]] uint64_t first_cow_break() const {
        return number_where([](const log::Event& e) {
            return e.kind == log::EventKind::Announce &&
                   e.aux == static_cast<uint16_t>(abi::Announcement::CowBreak);
        });
    }
};

TEST_F(Models, TreeHasTheRowsOfTheVerb) {
    go_to_event(guest_.events().size() / 2);
    const Json json = run_json(tools::log_tree);
    for (const Json& space : json["spaces"]) {
        const uint64_t root = std::stoull(space["root"].get<std::string>(), nullptr, 16);
        const TreeModel model = tree({.root = root});
        EXPECT_EQ(model.label, space["who"]);
        EXPECT_EQ(model.size.tables_in_all(), space["tables"]);
        EXPECT_EQ(model.size.bytes, space["bytes"]);
        ASSERT_EQ(model.rows.size(), space["rows"].size());
        for (size_t i = 0; i < model.rows.size(); ++i) {
            EXPECT_EQ(model.rows[i].bits, space["rows"][i]["bits"]);
            EXPECT_EQ(tools::hex(model.rows[i].row.va), space["rows"][i]["va"]);
        }
    }
}

TEST_F(Models, WhatAForkProtectsGlows) {
    go_to_event(fork_end());
    const TreeModel model = tree({.root = guest_.task(1).root, .glow_window = 1000});
    uint64_t protected_entries = 0;
    for (const TreeRow& row : model.rows) {
        if (row.change != "-W") continue;
        protected_entries += row.changed;
        EXPECT_GT(row.glow, 0);
        EXPECT_EQ(guest_.events()[row.event].kind, log::EventKind::PteWrite);
    }
    EXPECT_EQ(protected_entries, 8u);
    // Of the last event alone nothing glows: it is an announcement.
    for (const TreeRow& row : tree({.root = guest_.task(1).root, .glow_window = 1}).rows)
        EXPECT_EQ(row.glow, 0);
}

TEST_F(Models, FramesAreSharedAfterTheForkAndOwnBefore) {
    const auto frames = [this] { return frames_at(view_->now(), view_->overview(), 1000); };
    const auto count = [](const FrameMap& map, FrameKind kind) {
        return map.counts[static_cast<size_t>(kind)];
    };
    view_->go_to(number_where([](const log::Event& e) {
        return e.kind == log::EventKind::Announce &&
               e.aux == static_cast<uint16_t>(abi::Announcement::ForkBegin);
    }));
    const FrameMap before = frames();
    EXPECT_EQ(count(before, FrameKind::Shared), 0u);
    EXPECT_GE(count(before, FrameKind::Own), 8u);
    go_to_event(first_cow_break() - 4);
    const FrameMap after = frames();
    EXPECT_GE(count(after, FrameKind::Shared), 8u);
    EXPECT_EQ(after.copy_on_write, count(after, FrameKind::Shared));
    EXPECT_GT(count(after, FrameKind::Table), count(before, FrameKind::Table));
    EXPECT_EQ(after.cells.size(), before.cells.size());
    uint64_t sum = 0;
    for (const uint64_t one : after.counts) sum += one;
    EXPECT_EQ(sum, after.cells.size());
}

TEST_F(Models, TlbHasTheRowsOfTheVerb) {
    for (uint64_t number = 10; number < guest_.events().size(); number += 17) {
        go_to_event(number);
        const Json json = run_json(tools::log_tlb);
        const TlbList list = tlb_at(view_->now());
        EXPECT_EQ(list.lines.size(), json["rows"].size());
        EXPECT_EQ(list.by_agreement[static_cast<size_t>(analysis::Agreement::Stale)], json["stale"]);
        EXPECT_EQ(list.counts.fills, json["fills"]);
    }
}

TEST_F(Models, StaleEntriesOfABrokenForkComeFirst) {
    guest_ = tools::demonstration({.flush_after_fork = false});
    SetUp();
    go_to_event(fork_end());
    const TlbList list = tlb_at(view_->now());
    ASSERT_FALSE(list.lines.empty());
    EXPECT_EQ(list.lines.front().row.agreement, analysis::Agreement::Stale);
    EXPECT_THAT(list.lines.front().tables, HasSubstr("frame"));
}

TEST_F(Models, LanesShowTheFamily) {
    const Overview& overview = view_->overview();
    const LaneMap map = lanes_of(overview, 0, overview.last_icount());
    ASSERT_EQ(map.lanes.size(), 2u);
    EXPECT_EQ(map.lanes[0].tid, 1u);
    EXPECT_EQ(map.lanes[1].tid, 2u);
    EXPECT_EQ(map.lanes[1].depth, map.lanes[0].depth + 1);
    EXPECT_EQ(map.lanes[1].ending, "exit 7");
    ASSERT_EQ(map.arrows.size(), 1u);
    EXPECT_EQ(map.arrows[0].parent, 0u);
    EXPECT_EQ(map.arrows[0].child, 1u);
    EXPECT_LT(map.arrows[0].begin, map.lanes[1].end);
    // The child has ended before the last event.
    EXPECT_EQ(lanes_of(overview, overview.last_icount(), overview.last_icount()).lanes.size(), 1u);
}

TEST_F(Models, TailEndsWithThePresentAndKeepsToItsFilter) {
    view_->go_to(guest_.events().size());
    const Tail all = tail_of(view_->now(), {}, view_->symbols(), reader_.get());
    ASSERT_FALSE(all.lines.empty());
    EXPECT_EQ(all.lines.back().number, guest_.events().size() - 1);
    EXPECT_EQ(all.hidden, 0u);
    const log::KindMask faults = log::mask_of(log::EventKind::PageFault);
    const Tail some = tail_of(view_->now(), {.kinds = faults, .task = 2}, view_->symbols(), reader_.get());
    query_.kind = "fault";
    query_.task = "2";
    EXPECT_EQ(run_json(tools::log_show)["shown"], some.lines.size());
    EXPECT_EQ(some.hidden + some.lines.size(), guest_.events().size());
    for (const TailLine& line : some.lines) EXPECT_EQ(line.kind, log::EventKind::PageFault);
}

TEST_F(Models, StoryAddsUp) {
    StoryReader reader(*reader_, 1);
    while (!reader.read_on(50)) EXPECT_LT(reader.progress(), 1.0);
    const Story story = reader.story(view_->symbols(), reader_->meta());
    ASSERT_EQ(story.sides.size(), 2u);
    query_.fork = "1";
    const Json json = run_json(tools::log_forks)["forks"][0];
    for (const SideBar& side : story.sides) {
        const Json& told = json[side.label.starts_with("parent") ? "parent" : "child"];
        EXPECT_EQ(side.copies, told["copies"]);
        EXPECT_EQ(side.reuses, told["reuses"]);
        EXPECT_EQ(side.covered,
                  side.copies + side.reuses + side.unmapped + side.passed_on + side.untouched + side.other);
    }
    const auto steps = [&story](StepKind kind) {
        return std::ranges::count(story.steps, kind, &StoryStep::kind);
    };
    EXPECT_EQ(steps(StepKind::Copy), 3);
    EXPECT_EQ(steps(StepKind::Reuse), 1);
    EXPECT_EQ(steps(StepKind::Protect), 1);
    for (const StoryStep& step : story.steps) EXPECT_LT(step.event, guest_.events().size());
    EXPECT_TRUE(std::ranges::is_sorted(story.steps, {}, &StoryStep::icount));
}

TEST_F(Models, BiographyIsThatOfTheVerb) {
    const uint64_t write = number_where([](const log::Event& e) {
        return e.kind == log::EventKind::PteWrite && e.level == 1 && log::is_user(e.b);
    });
    const uint64_t frame = log::frame_of(guest_.events()[write].b, 1);
    Biography life(*reader_, frame);
    while (!life.read_on(100)) {
    }
    query_.address = tools::hex(frame);
    const Json json = run_json(tools::log_frame);
    EXPECT_EQ(life.lines().size() + life.left_out(), json["shown"]);
    EXPECT_EQ(life.most_mappings(), json["most_mappings"]);
}

TEST_F(Models, CardComparesTheBitsOfAnEntry) {
    const uint64_t write = number_where([](const log::Event& e) {
        return e.kind == log::EventKind::PteWrite && log::is_writable(e.a) && !log::is_writable(e.b) &&
               log::is_present(e.b);
    });
    go_to_event(write);
    const EventCard card = card_of(view_->now(), view_->symbols());
    EXPECT_EQ(card.number, write);
    ASSERT_TRUE(card.has_entries);
    for (const BitLine& bit : card.bits) EXPECT_EQ(bit.before != bit.after, bit.name == std::string("W"));
}

TEST_F(Models, NothingIsShownBeforeTheFirstEvent) {
    view_->go_to(0);
    EXPECT_TRUE(tree().rows.empty());
    EXPECT_TRUE(tlb_at(view_->now()).lines.empty());
    EXPECT_TRUE(tail_of(view_->now(), {}, view_->symbols(), reader_.get()).lines.empty());
    EXPECT_TRUE(card_of(view_->now(), view_->symbols()).title.empty());
}

}  // namespace
}  // namespace forkscope::panels
