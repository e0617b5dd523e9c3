// Random port traffic to all devices: a short, repeatable stand-in for the fuzzer.
#include "tests/devices/port_storm.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace forkscope::devices {
namespace {

std::vector<uint8_t> random_script(unsigned seed, size_t length) {
    std::mt19937 random(seed);
    std::vector<uint8_t> script = PortStorm::prologue();
    while (script.size() < length) script.push_back(static_cast<uint8_t>(random()));
    return script;
}

class PortStormTest : public testing::TestWithParam<unsigned> {};

TEST_P(PortStormTest, RandomTrafficKeepsTheInvariants) {
    PortStorm storm;
    EXPECT_EQ(storm.run(random_script(GetParam(), 20000)), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PortStormTest, testing::Range(0u, 40u));

TEST(PortStorm, SameTrafficSameMachine) {
    for (unsigned seed = 100; seed < 110; ++seed) {
        const std::vector<uint8_t> script = random_script(seed, 5000);
        PortStorm first, second;
        EXPECT_EQ(first.run(script), nullptr);
        EXPECT_EQ(second.run(script), nullptr);
        EXPECT_TRUE(first.state() == second.state());
    }
}

// The storm is one: chips are ready, time passes, interrupts are taken.
TEST(PortStorm, PrologueMakesTheChipsReady) {
    PortStorm storm;
    std::vector<uint8_t> script = PortStorm::prologue();
    for (int i = 0; i < 100; ++i)
        for (const unsigned byte : {11u, 19u, 12u, 0u, 0u, 0u, 0x20u})  // 0.5 ms, acknowledge, EOI
            script.push_back(static_cast<uint8_t>(byte));
    EXPECT_EQ(storm.run(script), nullptr);
    EXPECT_GT(storm.interrupts(), 50u);
    EXPECT_EQ(storm.state().pic.master.vector, 0x20);
}

}  // namespace
}  // namespace forkscope::devices
