// Page faults, the observation of table writes and flushes, and code that changes.
#include <gtest/gtest.h>

#include "tests/cpu/cpu_machine.hpp"

namespace forkscope::test {
namespace {

using cpu::RunStop;
using log::EventKind;

class Paging : public ::testing::Test {
protected:
    CpuMachine m;

    void expect_fault(uint64_t cr2, uint64_t error_code, uint64_t rip) {
        const Report r = m.report();
        EXPECT_EQ(r.vector, 14u);
        EXPECT_EQ(r.cr2, cr2);
        EXPECT_EQ(r.error_code, error_code);
        EXPECT_EQ(r.rip, rip);
    }
    void audit_is_clean() {
        const auto report = m.cpu->core().mmu().audit(m.cpu->origin());
        EXPECT_EQ(report.differences, 0u) << (report.described.empty() ? "" : report.described[0]);
        EXPECT_GT(report.entries, 0u);
        EXPECT_EQ(m.cpu->audit_engine_tlb(), "");
    }
};

TEST_F(Paging, ReadOfAMissingPageGivesTheExactAddress) {
    m.set_gpr(cpu::kRbx, m.page(0) + 0x123);
    m.run("read_rbx");
    expect_fault(m.page(0) + 0x123, 0, m.at("read_rbx"));
    const auto faults = m.events().of(EventKind::PageFault);
    ASSERT_EQ(faults.size(), 1u);
    EXPECT_EQ(faults[0].va, m.page(0) + 0x123);
    EXPECT_EQ(faults[0].level, 1u);
    EXPECT_EQ(faults[0].pa, m.entry(0).raw());
}

TEST_F(Paging, StoreAcrossAPageEndFaultsOnTheSecondPageAndWritesNothing) {
    m.map(0, kPresent | kWritable);
    m.ram.write<uint64_t>(m.frame(0) + 0xff8, 0x1111);
    m.set_gpr(cpu::kRbx, m.page(0) + 0xffc);
    m.set_gpr(cpu::kRax, ~uint64_t{0});
    m.run("write_rbx");
    expect_fault(m.page(1), 2, m.at("write_rbx"));
    EXPECT_EQ(m.ram.read<uint64_t>(m.frame(0) + 0xff8), 0x1111u);
}

// What reads and writes one operand asks for both at once.
TEST_F(Paging, AReadModifyWriteOfAMissingPageFaultsAsAWrite) {
    const struct {
        const char* name;
        std::vector<uint8_t> code;  // with RBX as the address
        bool writes;
    } rows[] = {
        {"inc byte", {0xfe, 0x03}, true},
        {"dec qword", {0x48, 0xff, 0x0b}, true},
        {"lock inc", {0xf0, 0xff, 0x03}, true},
        {"add", {0x01, 0x03}, true},
        {"adc imm", {0x83, 0x13, 0x01}, true},
        {"or", {0x09, 0x03}, true},
        {"and imm", {0x81, 0x23, 0, 0, 0, 0}, true},
        {"xor", {0x31, 0x03}, true},
        {"sub", {0x29, 0x03}, true},
        {"sbb", {0x19, 0x03}, true},
        {"not", {0xf7, 0x13}, true},
        {"neg", {0xf7, 0x1b}, true},
        {"xchg", {0x87, 0x03}, true},
        {"cmpxchg", {0x0f, 0xb1, 0x0b}, true},
        {"cmpxchg8b", {0x0f, 0xc7, 0x0b}, true},
        {"cmpxchg16b", {0x48, 0x0f, 0xc7, 0x0b}, true},
        {"xadd", {0x0f, 0xc1, 0x0b}, true},
        {"bts", {0x0f, 0xba, 0x2b, 1}, true},
        {"btr register", {0x0f, 0xb3, 0x03}, true},
        {"btc", {0x0f, 0xba, 0x3b, 1}, true},
        {"shl", {0xd1, 0x23}, true},
        {"sar by cl", {0xd3, 0x3b}, true},
        {"rol", {0xc1, 0x03, 3}, true},
        {"rcr", {0xd1, 0x1b}, true},
        {"ror by cl", {0xd3, 0x0b}, true},
        {"rcl", {0xd1, 0x13}, true},
        {"rol by 1", {0xd1, 0x03}, true},
        {"shld", {0x0f, 0xa4, 0x03, 1}, true},
        {"shrd", {0x0f, 0xad, 0x03}, true},
        {"cmp", {0x39, 0x03}, false},
        {"test", {0x85, 0x03}, false},
        {"test byte imm", {0xf6, 0x03, 1}, false},
        {"test imm", {0xf7, 0x03, 1, 0, 0, 0}, false},
        {"sub from", {0x2b, 0x03}, false},
        {"imul", {0x0f, 0xaf, 0x03}, false},
        {"cmp byte imm", {0x80, 0x3b, 1}, false},
        {"bt", {0x0f, 0xba, 0x23, 1}, false},
        {"mov from", {0x8b, 0x03}, false},
        {"add from", {0x03, 0x03}, false},
        {"push", {0xff, 0x33}, false},
        {"mul", {0xf7, 0x23}, false},
        {"movdqu from", {0xf3, 0x0f, 0x6f, 0x03}, false},
        {"mov to", {0x89, 0x03}, true},
        {"setc", {0x0f, 0x92, 0x03}, true},
    };
    for (const auto& row : rows) {
        CpuMachine one;
        constexpr uint64_t kCode = 0x1f0000;
        std::memcpy(one.ram.at(PhysAddr(kCode), row.code.size()), row.code.data(), row.code.size());
        one.set_gpr(cpu::kRbx, CpuMachine::page(3) + 0x40);
        EXPECT_EQ(one.run_at(kCode), RunStop::Halted) << row.name;
        const Report r = one.report();
        EXPECT_EQ(r.vector, 14u) << row.name;
        EXPECT_EQ(r.error_code, row.writes ? 2u : 0u) << row.name;
        EXPECT_EQ(r.cr2, CpuMachine::page(3) + 0x40) << row.name;
        EXPECT_EQ(r.rip, kCode) << row.name;
    }
}

// A port access in the block that ends in IRETQ moves the next deadline, and must not put the look off that
// the return to user mode needs.
TEST_F(Paging, AReturnToUserModeIsSeenAfterAPortAccessInItsBlock) {
    m.map(5, kPresent | kWritable | kUser);
    m.map(15, kPresent | kWritable | kUser);
    m.set_gpr(cpu::kR12, CpuMachine::page(5));
    m.set_gpr(cpu::kRdi, m.entry(5).raw());
    m.set_gpr(cpu::kRbx, m.user_at("int_80"));
    m.set_gpr(cpu::kRcx, CpuMachine::page(16));
    m.set_gpr(cpu::kRdx, 2);
    EXPECT_EQ(m.run("weaken_and_return"), RunStop::Halted);
    ASSERT_EQ(m.report().vector, 0x80u);
    const auto found = m.events().of(EventKind::Finding);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].va, CpuMachine::page(5));
}

TEST_F(Paging, UserAccessToASupervisorPage) {
    m.map(0, kPresent | kWritable);
    m.set_gpr(cpu::kR15, m.page(0) + 0x20);
    m.run_user("read_r15");
    expect_fault(m.page(0) + 0x20, 5, m.user_at("read_r15"));
}

TEST_F(Paging, UserReadOfTheGdtIsNoImplicitAccess) {
    m.set_gpr(cpu::kR15, kGdt + 8);
    m.run_user("read_r15");
    expect_fault(kGdt + 8, 5, m.user_at("read_r15"));
}

TEST_F(Paging, WriteProtectionHoldsInTheSupervisorOnlyWithCr0Wp) {
    m.map(0, kPresent);
    m.set_gpr(cpu::kRbx, m.page(0));
    m.run("write_rbx");
    EXPECT_EQ(m.report().vector, 0u) << "no exception: WP is off";
    EXPECT_EQ(m.ram.read<uint64_t>(m.entry(0)) & (kAccessed | kDirty), kAccessed | kDirty);
}

TEST_F(Paging, ExecuteDisable) {
    m.map(0, kPresent | kNoExecute);
    m.set_gpr(cpu::kRbx, m.page(0) + 8);
    m.run("jump_rbx");
    expect_fault(m.page(0) + 8, 0x11, m.page(0) + 8);
}

TEST_F(Paging, FetchFaultBehindAPageEndComesAfterTheInstructionsBeforeIt) {
    // Page 0 ends in: nop; nop; inc eax -- and the last byte of an instruction that goes on in page 1.
    m.map(0, kPresent);
    const uint8_t code[] = {0x90, 0x90, 0xff, 0xc0, 0xff};
    for (unsigned i = 0; i < sizeof code; ++i)
        m.ram.write<uint8_t>(m.frame(0) + (0x1000 - sizeof code + i), code[i]);
    m.set_gpr(cpu::kRbx, m.page(0) + 0x1000 - sizeof code);
    m.run("jump_rbx");
    expect_fault(m.page(1), 0x10, m.page(0) + 0xfff);
    EXPECT_EQ(m.report().rax, 1u) << "the INC ran once";
    EXPECT_EQ(m.report().rflags & cpu::kFlagTf, 0u) << "our stepping does not show";
}

TEST_F(Paging, PushfBeforeAPageEndDoesNotShowTheStepping) {
    m.map(0, kPresent);
    const uint8_t code[] = {0x9c, 0x58, 0x90};  // pushfq; pop rax; nop, and then the missing page
    for (unsigned i = 0; i < sizeof code; ++i)
        m.ram.write<uint8_t>(m.frame(0) + (0x1000 - sizeof code + i), code[i]);
    m.set_gpr(cpu::kRbx, m.page(0) + 0x1000 - sizeof code);
    m.run("jump_rbx");
    expect_fault(m.page(1), 0x10, m.page(1));
    EXPECT_EQ(m.report().rax & cpu::kFlagTf, 0u);
}

TEST_F(Paging, AccessedAndDirtyComeExactlyWhenUsed) {
    m.map(0, kPresent | kWritable);
    m.set_gpr(cpu::kRbx, m.page(0));
    m.run("read_rbx");
    EXPECT_EQ(m.ram.read<uint64_t>(m.entry(0)) & (kAccessed | kDirty), kAccessed);
    m.run("write_rbx");
    EXPECT_EQ(m.ram.read<uint64_t>(m.entry(0)) & (kAccessed | kDirty), kAccessed | kDirty);
    std::vector<log::Cause> causes;
    for (const log::Event& e : m.events().of(EventKind::PteWrite))
        if (e.pa == m.entry(0).raw()) causes.push_back(e.cause);
    EXPECT_EQ(causes, (std::vector{log::Cause::HardwareAccessed, log::Cause::HardwareDirty}));
    audit_is_clean();
}

TEST_F(Paging, ReadModifyWriteSetsDirtyInOneGo) {
    m.map(0, kPresent | kWritable);
    m.set_gpr(cpu::kRbx, m.page(0));
    m.run("add_rbx");
    EXPECT_EQ(m.ram.read<uint64_t>(m.entry(0)) & (kAccessed | kDirty), kAccessed | kDirty);
    EXPECT_EQ(m.ram.read<uint64_t>(m.frame(0)), 1u);
}

TEST_F(Paging, EveryKindOfStoreToATableIsSeenWithOldAndNewValue) {
    // The identity mapping reaches kUserPt; a first fill under CR3 links it.
    m.set_gpr(cpu::kRdi, m.entry(8).raw());
    EXPECT_EQ(m.run("write_entries"), RunStop::Halted);
    ASSERT_EQ(m.report().vector, 0u);
    std::vector<std::pair<uint64_t, uint64_t>> seen;
    for (const log::Event& e : m.events().of(EventKind::PteWrite)) {
        if (e.pa != m.entry(8).raw()) continue;
        EXPECT_EQ(e.cause, log::Cause::Software);
        EXPECT_EQ(e.level, 1u);
        EXPECT_EQ(e.va, CpuMachine::page(8));
        seen.emplace_back(e.a, e.b);
    }
    const std::vector<std::pair<uint64_t, uint64_t>> expected = {
        {0, 0x1000},      {0x1000, 0x2000}, {0x2000, 0x3000}, {0x3000, 0x4000},
        {0x4000, 0x5000}, {0x5000, 0x5002}, {0x5002, 0x5000}, {0x5000, 0x6000},
        {0x6000, 0x6100}, {0x6100, 0x7000}, {0x7000, 0},
    };
    // A store of the value that is there already may be logged or not: drop those.
    std::erase_if(seen, [](const auto& p) { return p.first == p.second; });
    EXPECT_EQ(seen, expected);
    audit_is_clean();
}

TEST_F(Paging, TableWriteIsBlamedOnItsInstruction) {
    m.set_gpr(cpu::kRdi, m.entry(8).raw());
    m.run("write_entries");
    for (const log::Event& e : m.events().of(EventKind::PteWrite)) {
        if (e.pa != m.entry(8).raw()) continue;
        EXPECT_EQ(e.rip, m.at("write_entries"));
        EXPECT_EQ(e.icount, 0u);
        break;
    }
}

TEST_F(Paging, FlushesAreSeenAndNamed) {
    m.map(0, kPresent | kWritable);
    m.set_gpr(cpu::kRbx, m.page(0) + 0x10);
    m.run("invlpg_rbx");
    m.run("invlpg_sib");
    m.run("reload_cr3");
    m.run("toggle_write_protect");
    std::vector<std::pair<uint16_t, uint64_t>> seen;
    for (const log::Event& e : m.events().of(EventKind::Flush)) seen.emplace_back(e.aux, e.va);
    const auto kind = [](log::FlushKind k) { return static_cast<uint16_t>(k); };
    EXPECT_EQ(seen, (std::vector<std::pair<uint16_t, uint64_t>>{{kind(log::FlushKind::Invlpg), m.page(0)},
                                                                {kind(log::FlushKind::Invlpg), m.page(0)},
                                                                {kind(log::FlushKind::Cr3Load), 0},
                                                                {kind(log::FlushKind::Cr0Write), 0}}));
    EXPECT_TRUE(m.events().of(EventKind::Cr3Switch).empty())
        << "the same root again is a flush, not a switch";
}

TEST_F(Paging, CodePatchedThroughItsOwnAddressRuns) {
    m.run("patch_itself");
    EXPECT_EQ(m.gpr(cpu::kRax) & 0xff, 0x22u);
}

TEST_F(Paging, CodePatchedThroughAnotherAddressRuns) {
    // User page 0 is a second address of the frame that holds alias_code.
    const uint64_t code_frame = m.at("alias_code") & ~kPageOffsetMask;
    m.ram.write<uint64_t>(m.entry(0), code_frame | kPresent | kWritable);
    m.set_gpr(cpu::kRbx, m.page(0) + (m.at("alias_code") & kPageOffsetMask));
    m.run("patch_alias");
    EXPECT_EQ((m.gpr(cpu::kRax) >> 8) & 0xff, 0x33u);
    EXPECT_EQ(m.gpr(cpu::kRax) & 0xff, 0x44u);
}

TEST_F(Paging, FaultThatIsRepairedIsReportedResolved) {
    m.set_gpr(cpu::kRbx, m.page(0) + 8);
    m.write_label("resume", m.at("read_rbx"));
    // The handler comes back without repair: it faults again, and then halts.
    m.run("read_rbx");
    EXPECT_EQ(m.events().of(EventKind::PageFault).size(), 2u);
    EXPECT_TRUE(m.events().of(EventKind::FaultResolved).empty());
    m.map(0, kPresent);
    m.run("read_rbx");
    const auto resolved = m.events().of(EventKind::FaultResolved);
    ASSERT_EQ(resolved.size(), 1u);
    EXPECT_EQ(resolved[0].va, m.page(0) + 8);
}

}  // namespace
}  // namespace forkscope::test
