// REP MOVS and REP STOS: many steps at once leave what the steps one by one do.
#include "emu/cpu/repeated_string.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>
#include <vector>

#include "tests/cpu/cpu_machine.hpp"

namespace forkscope::test {
namespace {

using cpu::RepeatedString;
using cpu::RunStop;

bool is_one(std::initializer_list<uint8_t> code) {
    return RepeatedString(std::span(code.begin(), code.size())).valid();
}

TEST(RepeatedString, KnowsWhichBlocksAreOne) {
    EXPECT_TRUE(is_one({0xf3, 0xa4}));
    EXPECT_TRUE(is_one({0xf3, 0x48, 0xab}));
    EXPECT_TRUE(is_one({0x66, 0xf3, 0xa5}));
    EXPECT_FALSE(is_one({0xa4})) << "without REP";
    EXPECT_FALSE(is_one({0xf3, 0xa6})) << "CMPS";
    EXPECT_FALSE(is_one({0xf3, 0xac})) << "LODS";
    EXPECT_FALSE(is_one({0xf2, 0xa4})) << "REPNE";
    EXPECT_FALSE(is_one({0x65, 0xf3, 0xa4})) << "a segment";
    EXPECT_FALSE(is_one({0x67, 0xf3, 0xa4})) << "32-bit addresses";
    EXPECT_FALSE(is_one({0x48, 0xf3, 0xa5})) << "a REX that is not the last prefix";
    EXPECT_FALSE(is_one({0xf3, 0x90}));
    EXPECT_FALSE(is_one({}));
}

struct Outcome {
    std::vector<uint8_t> memory;
    std::vector<log::Event> events;
    InstrCount icount = 0;
    uint64_t ticks = 0, rdi = 0, rsi = 0, rcx = 0;
};

Outcome run_strings(bool step_by_step) {
    CpuMachine m;
    if (step_by_step) m.cpu->core().clock().keep_calls();
    m.start_ticks();
    for (unsigned n = 0; n < 4; ++n) m.map(n, kPresent | kWritable);
    m.set_gpr(cpu::kRbx, CpuMachine::entry(100).raw());
    EXPECT_EQ(m.run("strings"), RunStop::Halted);
    Outcome o;
    o.memory.resize(0x400000);
    std::memcpy(o.memory.data(), m.ram.at(PhysAddr(0), o.memory.size()), o.memory.size());
    o.events = m.events().all;
    o.icount = m.cpu->icount();
    o.ticks = m.read_label("ticks");
    o.rdi = m.gpr(cpu::kRdi), o.rsi = m.gpr(cpu::kRsi), o.rcx = m.gpr(cpu::kRcx);
    return o;
}

TEST(RepeatedString, AtOnceIsAsStepByStep) {
    const Outcome steps = run_strings(true), at_once = run_strings(false);
    EXPECT_EQ(steps.icount, at_once.icount);
    EXPECT_EQ(steps.ticks, at_once.ticks);
    EXPECT_GT(steps.ticks, 2u) << "interrupts come between steps";
    EXPECT_EQ(steps.rdi, at_once.rdi);
    EXPECT_EQ(steps.rsi, at_once.rsi);
    EXPECT_EQ(steps.rcx, at_once.rcx);
    EXPECT_TRUE(steps.memory == at_once.memory);
    ASSERT_EQ(steps.events.size(), at_once.events.size());
    EXPECT_EQ(
        std::memcmp(steps.events.data(), at_once.events.data(), steps.events.size() * sizeof(log::Event)), 0);
}

TEST(RepeatedString, WithTheHostsClockMemoryIsTheSame) {
    const Outcome steps = run_strings(true);
    CpuMachine m(cpu::TimeMode::Host);
    for (unsigned n = 0; n < 4; ++n) m.map(n, kPresent | kWritable);
    m.set_gpr(cpu::kRbx, CpuMachine::entry(100).raw());
    m.start_ticks();
    EXPECT_EQ(m.run("strings", 5'000'000'000), RunStop::Halted);
    EXPECT_EQ(std::memcmp(m.ram.at(PhysAddr(0x200000), 0x100000), steps.memory.data() + 0x200000, 0x100000),
              0);
    EXPECT_EQ(std::memcmp(m.ram.at(PhysAddr(kUserPt), 0x1000), steps.memory.data() + kUserPt, 0x1000), 0);
}

}  // namespace
}  // namespace forkscope::test
