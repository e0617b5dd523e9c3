// Going through time: whichever way a moment is come to, it is the same one.
#include <gmock/gmock.h>

#include <random>

#include "tests/panels/log_view_fixture.hpp"
#include "tools/log/verbs/past.hpp"

namespace forkscope::panels {
namespace {

using Json = nlohmann::json;

// Everything of a moment that can be compared.
struct Facts {
    uint64_t tables = 0;  // hash
    uint64_t entries = 0;
    std::vector<std::pair<uint64_t, uint64_t>> tlb;  // addresses, and the fill's number
    std::vector<std::string> spaces;
    bool operator==(const Facts&) const = default;
};

Facts facts_of(const Moment& moment) {
    Facts facts;
    const auto hash = moment.tables().audit_hash();
    facts.tables = hash.digest();
    facts.entries = hash.entries();
    for (const analysis::TlbEntry& entry : moment.tlb().entries())
        facts.tlb.emplace_back(entry.fill.va, entry.number);
    for (const uint64_t root : moment.tables().roots())
        facts.spaces.push_back(moment.tasks().space_label(root));
    return facts;
}

class LogViewTest : public ViewOfLog {
protected:
    // By applying every event from the first one on.
    [[nodiscard]] Facts expected(uint64_t events) const {
        Moment moment;
        for (uint64_t i = 0; i < events; ++i) moment.apply(guest_.events()[i], i);
        return facts_of(moment);
    }
};

TEST_F(LogViewTest, BackAndForthGivesTheSameMoments) {
    const uint64_t all = view_->event_count();
    ASSERT_EQ(all, guest_.events().size());
    std::mt19937_64 random(7);
    for (int i = 0; i < 60; ++i) {
        const uint64_t to = random() % (all + 1);
        view_->go_to(to);
        EXPECT_EQ(view_->at(), to);
        EXPECT_EQ(facts_of(view_->now()), expected(to)) << "after " << to << " events";
    }
}

TEST_F(LogViewTest, AgreesWithTheVerbs) {
    const uint64_t moment = fork_end();
    query_.at = fmt::format("e{}", moment);
    view_->go_to(moment + 1);
    const Json tlb = run_json(tools::log_tlb);
    EXPECT_EQ(tlb["entries"], view_->now().tlb().size());
    const Json tree = run_json(tools::log_tree);
    EXPECT_EQ(tree["spaces"].size(), view_->now().tables().roots().size());
}

TEST_F(LogViewTest, GoesNoFurtherThanTheEnd) {
    view_->go_to(~uint64_t{0});
    EXPECT_EQ(view_->at(), view_->event_count());
    view_->step_forward(log::kKnownKinds, 5);
    EXPECT_EQ(view_->at(), view_->event_count());
    view_->go_to(0);
    view_->step_back(log::kKnownKinds, 5);
    EXPECT_EQ(view_->at(), 0u);
    EXPECT_TRUE(view_->now().tables().roots().empty());
}

TEST_F(LogViewTest, StepsThroughEventsOfAKind) {
    const log::KindMask faults = log::mask_of(log::EventKind::PageFault);
    view_->go_to(0);
    std::vector<uint64_t> forth;
    for (;;) {
        const uint64_t before = view_->at();
        view_->step_forward(faults, 1);
        if (view_->at() == before) break;
        EXPECT_EQ(guest_.events()[view_->at() - 1].kind, log::EventKind::PageFault);
        forth.push_back(view_->at());
    }
    EXPECT_EQ(forth.size(), static_cast<size_t>(std::ranges::count(guest_.events(), log::EventKind::PageFault,
                                                                   &log::Event::kind)));
    for (size_t i = forth.size() - 1; i > 0; --i) {
        view_->step_back(faults, 1);
        EXPECT_EQ(view_->at(), forth[i - 1]);
    }
    view_->step_back(faults, 1);
    EXPECT_EQ(view_->at(), 0u);
}

TEST_F(LogViewTest, GoesToAnInstruction) {
    const log::Event& event = guest_.events()[guest_.events().size() / 2];
    view_->go_to_icount(event.icount);
    EXPECT_LE(view_->now().icount(), event.icount);
    ASSERT_LT(view_->at(), guest_.events().size());
    EXPECT_GT(guest_.events()[view_->at()].icount, event.icount);
}

// So long that it has checkpoints: going back begins at one of them.
class LongLog : public LogViewTest {
protected:
    void SetUp() override {
        guest_ = test::FakeGuest();
        guest_.touch_new_pages(test::kUserHeap, 64);
        while (guest_.events().size() < 260'000) {
            const uint32_t child = guest_.fork();
            guest_.switch_to(child);
            for (unsigned i = 0; i < 8; ++i) guest_.write(tools::page(i));
            guest_.exit(0);
            guest_.switch_to(1);
            for (unsigned i = 0; i < 8; ++i) guest_.write(tools::page(i));
            guest_.reap(child);
        }
        LogViewTest::SetUp();
    }
};

TEST_F(LongLog, GoesBackByCheckpoints) {
    EXPECT_GE(view_->checkpoints(), 2u);
    const uint64_t all = view_->event_count();
    for (const uint64_t to : {all, all / 2, all - 3, all / 3, uint64_t{150'000}, uint64_t{120'001}}) {
        view_->go_to(to);
        EXPECT_EQ(facts_of(view_->now()), expected(to)) << "after " << to << " events";
        // What led there is known, after a jump as well.
        EXPECT_EQ(view_->now().recent().size(), RecentEvents::kMost);
        EXPECT_EQ(view_->now().recent().at(RecentEvents::kMost - 1).number, to - 1);
    }
}

TEST(EventClock, SaysWhenAnEventWas) {
    EventClock clock;
    for (uint64_t i = 0; i < 300'000; ++i) clock.add(i, 1000 + 10 * i);
    for (const uint64_t event : {0ull, 1ull, 77'777ull, 299'998ull, 299'999ull})
        EXPECT_NEAR(static_cast<double>(clock.icount_at(event)), static_cast<double>(1000 + 10 * event),
                    10.0);
    EXPECT_EQ(clock.icount_at(10'000'000), 1000 + 10 * 299'999u);
}

}  // namespace
}  // namespace forkscope::panels
