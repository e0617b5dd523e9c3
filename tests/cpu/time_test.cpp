// Instructions are counted exactly, time derives from them, interrupts come when they may, runs repeat.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/cpu/cpu_machine.hpp"

namespace forkscope::test {
namespace {

using cpu::RunStop;

TEST(Time, InstructionsAreCountedExactly) {
    CpuMachine m;
    const InstrCount before = m.cpu->icount();
    EXPECT_EQ(m.run("fixed_count"), RunStop::Halted);
    EXPECT_EQ(m.cpu->icount() - before, 4u + 1000 * 2 + 2);
}

// The engine leaves such a block in its middle, and runs it again from there.
TEST(Time, AStoreIntoTheRunningBlockCountsNothingTwice) {
    CpuMachine m;
    EXPECT_EQ(m.run("store_into_own_block"), RunStop::Halted);
    EXPECT_EQ(m.cpu->icount(), 1u + 10 * 7 + 1);
}

// What the disassembler does not know has its length all the same.
TEST(Time, HintsAndPrefetchesAreCounted) {
    const std::vector<uint8_t> rows[] = {
        {0x0f, 0x0d, 0x03},                       // prefetch [rbx]
        {0x0f, 0x1a, 0xc0},                       // a hint
        {0xf3, 0x0f, 0x1e, 0xc8},                 // rdsspd eax, a hint where there is no shadow stack
        {0x0f, 0x1c, 0x44, 0x24, 0x08},           // with SIB and a byte
        {0x0f, 0x1d, 0x80, 0, 0, 0, 0},           // with four bytes
        {0x0f, 0x1b, 0x04, 0x25, 0, 0, 0x10, 0},  // without a base
        {0x67, 0x0f, 0x1d, 0x40, 0x01},
    };
    for (const auto& row : rows) {
        CpuMachine m;
        constexpr uint64_t kCode = 0x1f0000;
        std::vector<uint8_t> code = {0x90, 0x90};
        code.insert(code.end(), row.begin(), row.end());
        constexpr uint8_t kEnd[] = {0x90, 0x0f, 0x0b};  // nop; ud2
        code.insert(code.end(), std::begin(kEnd), std::end(kEnd));
        std::memcpy(m.ram.at(PhysAddr(kCode), code.size()), code.data(), code.size());
        const InstrCount stub = [] {
            CpuMachine other;
            other.ram.write<uint16_t>(PhysAddr(kCode), 0x0b0f);
            other.run_at(kCode);
            return other.cpu->icount();
        }();
        m.set_gpr(cpu::kRbx, kFacts);
        EXPECT_EQ(m.run_at(kCode), RunStop::Halted);
        ASSERT_EQ(m.report().vector, 6u);
        EXPECT_EQ(m.report().rip, kCode + code.size() - 2);
        EXPECT_EQ(m.cpu->icount() - stub, 4u) << "code " << unsigned{row[0]} << " " << unsigned{row[1]};
    }
}

// As a signal handler asks for it: by a flag alone.
TEST(Time, AStopAskedForByASignalComesSoon) {
    for (const auto mode : {cpu::TimeMode::Instructions, cpu::TimeMode::Host}) {
        CpuMachine m(mode);
        ASSERT_EQ(m.run("spin", 5000), RunStop::Deadline);
        std::thread other([&m] {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            m.cpu->request_stop_from_signal();
        });
        EXPECT_EQ(m.cpu->run(m.cpu->now() + 3'600 * kNsPerSecond), RunStop::Requested);
        other.join();
    }
}

TEST(Time, CountsDoNotDependOnWhereTheRunIsCutUp) {
    for (VirtualNs slice : {7u, 100u, 1001u}) {
        CpuMachine m;
        m.run("cli_hlt");
        cpu::LiveState& s = m.cpu->core().state();
        s.rip() = m.at("fixed_count");
        CpuMachine whole;
        whole.run("fixed_count");
        RunStop stop = m.run("fixed_count", slice);
        const InstrCount start = 2;  // cli_hlt retired two
        while (stop == RunStop::Deadline) stop = m.cpu->run(m.cpu->now() + slice);
        EXPECT_EQ(stop, RunStop::Halted);
        EXPECT_EQ(m.cpu->icount() - start, whole.cpu->icount());
    }
}

TEST(Time, ClockReadInMidBlockSeesItsInstruction) {
    CpuMachine m;
    m.run("read_clock");
    EXPECT_EQ(m.gpr(cpu::kRbx), 3u);
    EXPECT_EQ(m.gpr(cpu::kRax), 6u);
}

TEST(Time, ADeadlineEndsASpinExactly) {
    CpuMachine m;
    EXPECT_EQ(m.run("spin", 5000), RunStop::Deadline);
    EXPECT_EQ(m.cpu->icount(), 5000u);
}

TEST(Time, StiHltLosesNoWakeUp) {
    CpuMachine m;
    m.start_ticks();
    EXPECT_EQ(m.run("sti_hlt"), RunStop::Halted);
    EXPECT_EQ(m.read_label("ticks"), 3u);
    EXPECT_FALSE(m.cpu->interrupts_enabled());
}

TEST(Time, TicksComeInACompute) {
    CpuMachine m;
    m.start_ticks();
    EXPECT_EQ(m.run("spin_enabled", 1'000'000), RunStop::Deadline);
    // 119 pulses of 1193182 Hz are 99.73 us.
    EXPECT_EQ(m.read_label("ticks"), 10u);
}

TEST(Time, WithTheHostsClockInterruptsStillCome) {
    CpuMachine m(cpu::TimeMode::Host);
    m.start_ticks();
    EXPECT_EQ(m.run("spin_enabled", 50'000'000), RunStop::Deadline);
    EXPECT_GT(m.read_label("ticks"), 5u);
    EXPECT_EQ(m.run("spin", 1'000'000), RunStop::Deadline)
        << "with interrupts off the deadline ends it all the same";
}

TEST(Time, RunsRepeatEventForEvent) {
    const auto record = [] {
        auto m = std::make_unique<CpuMachine>();
        m->start_ticks();
        m->map(0, kPresent | kWritable);
        m->run("spin_enabled", 1'000'000);
        m->set_gpr(cpu::kRdi, CpuMachine::entry(8).raw());
        m->run("write_entries");
        return m->events().all;
    };
    const auto first = record(), second = record();
    ASSERT_EQ(first.size(), second.size());
    EXPECT_EQ(std::memcmp(first.data(), second.data(), first.size() * sizeof(log::Event)), 0);
    EXPECT_GT(first.size(), 20u);
}

// What a run leaves: events, and the count at its end.
struct Trace {
    std::vector<log::Event> events;
    InstrCount icount = 0;
    uint64_t rewritten = 0;
};

// Ticks, exceptions and stores to tables; blocks call their hook every
// time or count themselves.
Trace trace(bool keep_calls) {
    CpuMachine m;
    if (keep_calls) m.cpu->core().clock().keep_calls();
    m.start_ticks();
    m.map(0, kPresent | kWritable);
    m.run("fixed_count");
    m.run("spin_enabled", 1'000'000);
    m.set_gpr(cpu::kRdi, CpuMachine::entry(8).raw());
    m.run("write_entries");
    return {m.events().all, m.cpu->icount(), m.cpu->core().clock().rewritten()};
}

TEST(Time, BlocksThatCountThemselvesCountAlike) {
    const Trace called = trace(true), counted = trace(false);
    EXPECT_EQ(called.rewritten, 0u);
    EXPECT_GE(counted.rewritten, 9u);
    EXPECT_EQ(called.icount, counted.icount);
    ASSERT_EQ(called.events.size(), counted.events.size());
    EXPECT_EQ(
        std::memcmp(called.events.data(), counted.events.data(), called.events.size() * sizeof(log::Event)),
        0);
}

}  // namespace
}  // namespace forkscope::test
