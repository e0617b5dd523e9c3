// Random scripts for the whole machine: a short, repeatable stand-in for the fuzzer.
#include "tests/machine_parts/machine_storm.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "emu/log/event.hpp"

namespace forkscope::machine {
namespace {

std::vector<uint8_t> random_script(unsigned seed) {
    std::mt19937 random(seed);
    std::vector<uint8_t> script;
    while (script.size() < 8000) script.push_back(static_cast<uint8_t>(random()));
    return script;
}

class MachineStorm : public testing::TestWithParam<unsigned> {};

TEST_P(MachineStorm, ComesToAStopAndRepeats) {
    const std::vector<uint8_t> script = random_script(GetParam());
    const StormEnd first = machine_storm(script);
    EXPECT_EQ(first.broken, "");
    EXPECT_TRUE(first == machine_storm(script));
}

INSTANTIATE_TEST_SUITE_P(Seeds, MachineStorm, testing::Range(0u, 30u));

// The storm reaches what it is for: isa-debug-exit ends the run with the guest's status.
TEST(MachineStormItself, ReachesDevicesAndRunsCode) {
    std::vector<uint8_t> script = {0,    1, 0, 0xff, 0xf4,
                                   0x00, 7, 0, 0,    0};  // real mode; one write of 7 to port 0xf4
    EXPECT_EQ(machine_storm(script).reason, static_cast<int>(log::Stop::GuestExit));
    script = {0, 0, 0x40, 0x40, 0x40, 0xf4};  // three INC, HLT
    const StormEnd end = machine_storm(script);
    EXPECT_EQ(end.broken, "");
    EXPECT_EQ(end.instructions, 4u);
}

}  // namespace
}  // namespace forkscope::machine
