// Exceptions, interrupts and system calls: what is pushed, where it goes, what is refused.
#include <gtest/gtest.h>

#include "tests/cpu/cpu_machine.hpp"

namespace forkscope::test {
namespace {

using cpu::RunStop;

constexpr uint64_t kNoErrorCode = ~uint64_t{0};

class Exceptions : public ::testing::Test {
protected:
    CpuMachine m;

    void expect(uint64_t vector, uint64_t error_code, uint64_t rip) {
        const Report r = m.report();
        EXPECT_EQ(r.vector, vector);
        EXPECT_EQ(r.error_code, error_code);
        EXPECT_EQ(r.rip, rip);
    }
};

TEST_F(Exceptions, DivideErrorPointsAtTheInstructionWithResumeFlag) {
    EXPECT_EQ(m.run("divide_by_zero"), RunStop::Halted);
    expect(0, kNoErrorCode, m.at("divide_by_zero_at"));
    EXPECT_EQ(m.report().cs, 8u);
    EXPECT_NE(m.report().rflags & cpu::kFlagRf, 0u);
    EXPECT_EQ(m.report().rsp, kKernelStackTop - 0x1000);
}

TEST_F(Exceptions, UndefinedInstruction) {
    m.run("undefined");
    expect(6, kNoErrorCode, m.at("undefined") + 1);
}

TEST_F(Exceptions, BreakpointIsATrap) {
    m.run("breakpoint");
    expect(3, kNoErrorCode, m.at("breakpoint_next"));
    EXPECT_EQ(m.report().rflags & cpu::kFlagRf, 0u);
}

TEST_F(Exceptions, IcebpIsADebugTrap) {
    m.run("icebp");
    expect(1, kNoErrorCode, m.at("icebp_next"));
}

TEST_F(Exceptions, SoftwareInterruptFromUserSwitchesToRsp0AndNullStackSegment) {
    m.run_user("int_80");
    expect(0x80, kNoErrorCode, m.user_at("int_80_next"));
    EXPECT_EQ(m.report().cs, 0x23u);
    EXPECT_EQ(m.report().ss, 0x1bu);
    EXPECT_EQ(m.report().rsp, kUserBase + 16 * kPageSize);
    EXPECT_EQ(m.report().handler_rsp, kKernelStackTop - 40);
    EXPECT_EQ(m.cpu->core().state().segment(cpu::kSs).selector, 0u);
}

TEST_F(Exceptions, SoftwareInterruptThroughAKernelGateIsRefusedAtTheInstruction) {
    m.run_user("int_40");
    expect(13, 0x40 * 8 + 2, m.user_at("int_40_at"));
}

TEST_F(Exceptions, MissingGateIsNotPresent) {
    m.set_gate(6, m.at("stubs"), 0, 0, false);
    m.run("undefined");
    expect(11, 6 * 8 + 2 + 1, m.at("undefined") + 1);
}

TEST_F(Exceptions, ABadSelectorIsItsOwnErrorCode) {
    m.run("bad_selector");
    expect(13, 0x1238, m.at("bad_selector") + 5);
}

TEST_F(Exceptions, InterruptStackTable) {
    m.set_gate(6, m.at("stubs") + 16 * 6, 0, 1);
    m.run("undefined");
    EXPECT_EQ(m.report().handler_rsp, kIstStackTop - 40);
    EXPECT_EQ(m.report().rsp, kKernelStackTop - 0x1000);
}

TEST_F(Exceptions, ContributoryFaultWhileDeliveringOneIsADoubleFault) {
    // #DE whose gate is absent gives #NP, whose gate is absent too.
    m.set_gate(0, m.at("stubs"), 0, 0, false);
    m.set_gate(11, m.at("stubs"), 0, 0, false);
    m.run("divide_by_zero");
    expect(8, 0, m.at("divide_by_zero_at"));
}

TEST_F(Exceptions, TwoGoodContributoryFaultsInARowAreNone) {
    // The first #GP goes to its handler, which comes back to a second one.
    m.write_label("resume", m.at("bad_selector"));
    m.run("bad_selector");
    expect(13, 0x1238, m.at("bad_selector") + 5);
}

TEST_F(Exceptions, FaultInADoubleFaultShutsDown) {
    for (unsigned v : {0u, 8u, 11u, 13u}) m.set_gate(v, m.at("stubs"), 0, 0, false);
    EXPECT_EQ(m.run("divide_by_zero"), RunStop::Shutdown);
    const std::string dump = m.cpu->dump();
    EXPECT_NE(dump.find("idiv"), std::string::npos) << dump;
    EXPECT_NE(dump.find("CR3=0000000000001000"), std::string::npos) << dump;
}

TEST_F(Exceptions, PrivilegedInstructionInUserMode) {
    m.run_user("cli_hlt");
    expect(13, 0, m.user_at("cli_hlt"));
}

TEST_F(Exceptions, PortsFromUserModeNeedIoplOrThePermissionMap) {
    m.run_user("in_port");
    expect(13, 0, m.user_at("in_port") + 5);
    CpuMachine with_iopl;
    with_iopl.run_user("in_port", 2 | cpu::kFlagIopl);
    EXPECT_EQ(with_iopl.report().vector, 0x80u);
}

TEST_F(Exceptions, PermissionMapOpensSinglePorts) {
    // The map follows the TSS; all of a word's ports must be clear in it.
    const auto run_with_closed = [](uint16_t closed) {
        auto machine = std::make_unique<CpuMachine>();
        machine->tss_limit = 0x68 + 0x40;
        machine->ram.write<uint8_t>(PhysAddr(kTss + 0x68 + closed / 8),
                                    static_cast<uint8_t>(1u << (closed % 8)));
        machine->run_user("out_word");  // ports 0xf4 and 0xf5
        return machine->report().vector;
    };
    EXPECT_EQ(run_with_closed(0xf3), 0x80u);
    EXPECT_EQ(run_with_closed(0xf4), 13u);
    EXPECT_EQ(run_with_closed(0xf5), 13u);
    EXPECT_EQ(run_with_closed(0xf6), 0x80u);
}

TEST_F(Exceptions, SegmentLoadAtCpl3ReadsTheSupervisorsGdt) {
    m.run_user("load_user_data_segment");
    EXPECT_EQ(m.report().vector, 0x80u);
    EXPECT_EQ(m.report().rax, 0x2au);
}

TEST_F(Exceptions, SyscallAndSysret) {
    m.run_user("do_syscall");
    EXPECT_EQ(m.report().vector, 0x80u);
    EXPECT_EQ(m.gpr(cpu::kRbx), 7u);
    EXPECT_EQ(m.gpr(cpu::kRcx), m.user_at("do_syscall_next"));
    EXPECT_EQ(m.gpr(cpu::kR12) & 1, 1u) << "CF is kept in R11";
    EXPECT_EQ(m.report().cs, 0x23u);
    const auto calls = m.events().of(log::EventKind::Syscall);
    ASSERT_EQ(calls.size(), 2u);
    EXPECT_EQ(calls[0].a, 39u);
    EXPECT_EQ(calls[0].cpl, 3u);
    ASSERT_FALSE(m.events().of(log::EventKind::SyscallReturn).empty());
    EXPECT_EQ(m.events().of(log::EventKind::SyscallReturn)[0].a, 39u);
}

TEST_F(Exceptions, SyscallMasksFlags) {
    m.run_user("do_syscall", 2 | cpu::kFlagIf);
    EXPECT_NE(m.gpr(cpu::kR12) & cpu::kFlagIf, 0u);
    EXPECT_EQ(m.gpr(cpu::kR13) & cpu::kFlagIf, 0u);
}

TEST_F(Exceptions, SingleStepTrapsAfterTheNextInstruction) {
    m.run("single_step");
    expect(1, kNoErrorCode, m.at("single_step_next"));
    EXPECT_NE(m.report().rflags & cpu::kFlagTf, 0u);
}

TEST_F(Exceptions, ReservedCr4AndEferBitsAreRefused) {
    m.run("cr4_reserved");
    expect(13, 0, m.at("cr4_reserved_at"));
    CpuMachine other;
    other.run("efer_reserved");
    EXPECT_EQ(other.report().vector, 13u);
    EXPECT_EQ(other.report().rip, other.at("efer_reserved_at"));
}

TEST_F(Exceptions, ControlRegisterInstructionsTakeEffect) {
    m.run("lmsw_clts");
    EXPECT_NE(m.gpr(cpu::kRbx) & cpu::kCr0Ts, 0u);
    EXPECT_EQ(m.gpr(cpu::kRcx) & cpu::kCr0Ts, 0u);
    CpuMachine other;
    other.run("set_nxe");
    EXPECT_NE(other.gpr(cpu::kRax) & cpu::kEferNxe, 0u);
}

TEST_F(Exceptions, NonCanonicalAddressesAreGeneralProtectionOrStackFaults) {
    m.set_gpr(cpu::kRbx, 0x8000'0000'0000'0000);
    m.run("read_rbx");
    expect(13, 0, m.at("read_rbx"));
    // The frame cannot be pushed on that stack either: a double fault, on the same stack: shutdown.
    CpuMachine stack;
    stack.set_gpr(cpu::kRbx, 0x8000'0000'0000'0000);
    EXPECT_EQ(stack.run("push_to_rbx"), RunStop::Shutdown);
    CpuMachine with_ist;
    with_ist.set_gate(12, with_ist.at("stubs") + 16 * 12, 0, 1);
    with_ist.set_gpr(cpu::kRbx, 0x8000'0000'0000'0000);
    with_ist.run("push_to_rbx");
    EXPECT_EQ(with_ist.report().vector, 12u);
    EXPECT_EQ(with_ist.report().error_code, 0u);
    EXPECT_EQ(with_ist.report().rip, with_ist.at("push_to_rbx_at"));
    CpuMachine frame_pointer;
    frame_pointer.set_gpr(cpu::kRbx, 0x8000'0000'0000'0000);
    frame_pointer.run("read_rbx_via_rbp");
    EXPECT_EQ(frame_pointer.report().vector, 12u);
}

}  // namespace
}  // namespace forkscope::test
