// Random bytes executed in every mode: whatever a guest runs, the emulator neither crashes, hangs nor gives
// up.
#include <gtest/gtest.h>

#include <random>

#include "tests/cpu/cpu_machine.hpp"

namespace forkscope::test {
namespace {

constexpr uint64_t kCodeBase = 0x400000, kCodeBytes = 0x10000;
constexpr VirtualNs kSlice = 2000;  // a random loop may run for ever

class RandomCode : public testing::TestWithParam<unsigned> {
protected:
    void fill(uint64_t base, uint64_t bytes) {
        for (uint64_t at = 0; at < bytes; at += 4)
            machine.ram.write(PhysAddr(base + at), static_cast<uint32_t>(random()));
    }
    // Runs until the slice is over or the CPU stops for good; a halted CPU has nothing to wait for.
    void run_slice(uint64_t& instructions) {
        const VirtualNs end = machine.cpu->now() + kSlice;
        const InstrCount before = machine.cpu->icount();
        for (;;) {
            const cpu::RunStop stop = machine.cpu->run(end);
            ASSERT_NE(stop, cpu::RunStop::EngineError) << machine.cpu->engine_error();
            if (stop != cpu::RunStop::Deadline || machine.cpu->now() >= end) break;
            machine.timers.run_due(machine.cpu->now());
        }
        instructions += machine.cpu->icount() - before;
    }
    cpu::ResetState state_for(cpu::ResetMode mode, uint64_t offset) {
        cpu::ResetState state;
        state.mode = mode;
        state.rip = kCodeBase + offset;
        state.rsp = kKernelStackTop;
        state.rbx = random();
        state.rsi = kCodeBase + random() % kCodeBytes;
        state.rdi = kCodeBase + random() % kCodeBytes;
        if (mode == cpu::ResetMode::Long64) {
            state.code_selector = 8;
            state.data_selector = 16;
            state.cr3 = PhysAddr(kPml4);
            state.gdt_base = PhysAddr(kGdt);
            state.gdt_limit = 7 * 8 - 1;
        } else if (mode == cpu::ResetMode::Real) {
            state.code_selector = static_cast<uint16_t>(0x4000 + random() % 0x1000);
            state.data_selector = static_cast<uint16_t>(random() % 0x9000);
            state.rip = random() & 0xffff;
            state.rsp = 0xfff0;
        }
        return state;
    }
    void run_many(cpu::ResetMode mode, unsigned starts, uint64_t at_least) {
        uint64_t instructions = 0;
        for (unsigned n = 0; n < starts && !HasFatalFailure(); ++n) {
            if (n % 64 == 0) {
                fill(kCodeBase, kCodeBytes);
                fill(0x30000, 0x60000);
                machine.build_system();
                machine.cpu->core().invalidate_code(PhysAddr(0), 8 * kMiB);
            }
            machine.cpu->reset(state_for(mode, random() % kCodeBytes));
            if (mode == cpu::ResetMode::Long64) {
                cpu::LiveState& s = machine.cpu->core().state();
                s.idt() = {0, 0, kIdt, 0xfff, 0};
                s.tr() = {0x28, 0, kTss, 0x67, 0x8b00};
            }
            run_slice(instructions);
        }
        // They do run: random code is not refused at its first byte.
        EXPECT_GT(instructions, at_least);
    }

    std::mt19937 random{GetParam()};
    CpuMachine machine;
};

TEST_P(RandomCode, RealMode) { run_many(cpu::ResetMode::Real, 400, 100'000); }
TEST_P(RandomCode, ProtectedMode) { run_many(cpu::ResetMode::Protected32, 3000, 10'000); }
TEST_P(RandomCode, LongMode) { run_many(cpu::ResetMode::Long64, 3000, 10'000); }

INSTANTIATE_TEST_SUITE_P(Seeds, RandomCode, testing::Range(0u, 6u));

}  // namespace
}  // namespace forkscope::test
