// Virtual time: the clock asks its source, timers run in a fixed order.
#include "emu/bus/clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace forkscope::bus {
namespace {

using testing::ElementsAre;

class ManualTime final : public TimeSource {
public:
    [[nodiscard]] VirtualNs now() const override { return time; }
    VirtualNs time = 0;
};

class ClockTest : public testing::Test {
protected:
    ClockTest() { clock.set_source(source); }
    ManualTime source;
    VirtualClock clock;
    TimerQueue queue{clock};
    std::vector<std::string> log;

    Timer::Callback note(const std::string& name) {
        return [this, name](VirtualNs at) { log.push_back(name + "@" + std::to_string(at)); };
    }
};

TEST_F(ClockTest, StandsAtZeroWithoutASource) {
    const VirtualClock lonely;
    EXPECT_EQ(lonely.now(), 0u);
}

TEST_F(ClockTest, AsksItsSourceEachTime) {
    source.time = 17;
    EXPECT_EQ(clock.now(), 17u);
    source.time = 18;
    EXPECT_EQ(queue.clock().now(), 18u);
}

TEST_F(ClockTest, NextDeadlineFollowsArmAndCancel) {
    Timer a(queue, note("a")), b(queue, note("b"));
    EXPECT_EQ(queue.next_deadline(), kNever);
    a.arm(100);
    EXPECT_EQ(queue.next_deadline(), 100u);
    b.arm(50);
    EXPECT_EQ(queue.next_deadline(), 50u);
    b.cancel();
    EXPECT_EQ(queue.next_deadline(), 100u);
    EXPECT_FALSE(b.armed());
    EXPECT_EQ(b.deadline(), kNever);
    a.arm(300);
    EXPECT_EQ(queue.next_deadline(), 300u);
    a.arm(kNever);
    EXPECT_EQ(queue.next_deadline(), kNever);
}

TEST_F(ClockTest, RunsDueTimersByDeadlineAndOnlyOnce) {
    Timer a(queue, note("a")), b(queue, note("b")), c(queue, note("c"));
    a.arm(30);
    b.arm(10);
    c.arm(31);
    queue.run_due(9);
    EXPECT_TRUE(log.empty());
    queue.run_due(30);
    EXPECT_THAT(log, ElementsAre("b@10", "a@30"));
    queue.run_due(30);
    EXPECT_EQ(log.size(), 2u);
    EXPECT_EQ(queue.next_deadline(), 31u);
}

TEST_F(ClockTest, EqualDeadlinesRunInOrderOfConstruction) {
    Timer a(queue, note("a")), b(queue, note("b")), c(queue, note("c"));
    c.arm(5);
    a.arm(5);
    b.arm(5);
    queue.run_due(5);
    EXPECT_THAT(log, ElementsAre("a@5", "b@5", "c@5"));
}

TEST_F(ClockTest, PeriodicTimerCatchesUpExactly) {
    Timer* self = nullptr;
    Timer periodic(queue, [&](VirtualNs at) {
        log.push_back(std::to_string(at));
        self->arm(at + 10);
    });
    self = &periodic;
    periodic.arm(10);
    queue.run_due(35);
    EXPECT_THAT(log, ElementsAre("10", "20", "30"));
    EXPECT_EQ(queue.next_deadline(), 40u);
}

TEST_F(ClockTest, CallbackMayCancelAndArmOthers) {
    Timer victim(queue, note("victim"));
    Timer helper(queue, note("helper"));
    Timer boss(queue, [&](VirtualNs at) {
        log.push_back("boss");
        victim.cancel();
        helper.arm(at);
    });
    boss.arm(10);
    victim.arm(20);
    queue.run_due(100);
    EXPECT_THAT(log, ElementsAre("boss", "helper@10"));
}

TEST_F(ClockTest, TimerArmedInThePastRunsAtTheNextCall) {
    Timer late(queue, note("late"));
    queue.run_due(1000);
    late.arm(3);
    EXPECT_EQ(queue.next_deadline(), 3u);
    queue.run_due(1000);
    EXPECT_THAT(log, ElementsAre("late@3"));
}

TEST_F(ClockTest, DestroyedTimerIsForgotten) {
    auto doomed = std::make_unique<Timer>(queue, note("doomed"));
    Timer other(queue, note("other"));
    doomed->arm(1);
    other.arm(2);
    doomed.reset();
    EXPECT_EQ(queue.next_deadline(), 2u);
    queue.run_due(5);
    EXPECT_THAT(log, ElementsAre("other@2"));
}

TEST_F(ClockTest, RandomArmingAgreesWithASortedModel) {
    std::mt19937 random(7);
    std::vector<std::pair<VirtualNs, size_t>> ran;
    std::vector<std::unique_ptr<Timer>> timers;
    for (size_t i = 0; i < 8; ++i)
        timers.push_back(
            std::make_unique<Timer>(queue, [&ran, i](VirtualNs at) { ran.emplace_back(at, i); }));
    std::vector<VirtualNs> model(timers.size(), kNever);
    VirtualNs now = 0;
    for (int round = 0; round < 20000; ++round) {
        const size_t i = random() % timers.size();
        if (random() % 4 == 0) {
            now += random() % 20;
            ran.clear();
            queue.run_due(now);
            std::vector<std::pair<VirtualNs, size_t>> expected;
            for (size_t k = 0; k < model.size(); ++k)
                if (model[k] <= now) expected.emplace_back(std::exchange(model[k], kNever), k);
            std::sort(expected.begin(), expected.end());
            ASSERT_EQ(ran, expected);
        } else {
            model[i] = random() % 5 == 0 ? kNever : now + random() % 50;
            timers[i]->arm(model[i]);
        }
        ASSERT_EQ(queue.next_deadline(), *std::min_element(model.begin(), model.end()));
    }
}

#ifndef NDEBUG
TEST_F(ClockTest, RearmingWithoutProgressIsOurBug) {
    Timer* self = nullptr;
    Timer stuck(queue, [&](VirtualNs at) { self->arm(at); });
    self = &stuck;
    stuck.arm(10);
    EXPECT_DEATH(queue.run_due(10), "");
}
#endif

}  // namespace
}  // namespace forkscope::bus
