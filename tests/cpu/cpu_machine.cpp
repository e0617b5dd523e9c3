#include "tests/cpu/cpu_machine.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace forkscope::test {

namespace {

std::vector<uint8_t> read_file(const char* path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

mem::GuestRam make_ram() { return std::move(mem::GuestRam::create(16 * kMiB)).value(); }

}  // namespace

CpuMachine::CpuMachine(cpu::TimeMode time_mode) : ram(make_ram()), mirror(ram, recorder) {
    const std::vector<uint8_t> elf = read_file(FACTS_ELF), image = read_file(FACTS_BIN);
    labels_ = loader::read_symbols("facts", elf).value();
    std::memcpy(ram.at(PhysAddr(kFacts), image.size()), image.data(), image.size());
    build_tables();
    build_descriptors();
    clock.set_source(*this);
    timer_irq.connect(pic, 0);
    const cpu::CpuModel* model = cpu::find_cpu_model(cpu::kDefaultCpuModel).value();
    auto made = cpu::Cpu::create(0, *model, time_mode, {ram, mirror, ports, mmio, timers, pic, recorder});
    if (!made) throw std::runtime_error(made.error().message);
    cpu = std::move(*made);
    EXPECT_TRUE(ports.insert("pic1", {0x20, 2}, pic.master()));
    EXPECT_TRUE(ports.insert("pic2", {0xa0, 2}, pic.slave()));
    EXPECT_TRUE(ports.insert("pit", {0x40, 4}, pit));
    recorder.attach(collected_, log::kAllKinds);
}

void CpuMachine::build_tables() {
    ram.write<uint64_t>(PhysAddr(kPml4), kPdpt | kPresent | kWritable | kUser);
    ram.write<uint64_t>(PhysAddr(kPdpt), kPd | kPresent | kWritable);
    ram.write<uint64_t>(PhysAddr(kPdpt + 8), kUserPd | kPresent | kWritable | kUser);
    constexpr uint64_t kLarge = 0x80;
    for (uint64_t i = 0; i < 8; ++i)
        ram.write<uint64_t>(PhysAddr(kPd + 8 * i), (i * 2 * kMiB) | kPresent | kWritable | kLarge);
    ram.write<uint64_t>(PhysAddr(kUserPd), kUserPt | kPresent | kWritable | kUser);
    // The user's view of the facts: frames of kFacts at kUserCode.
    constexpr uint64_t kUserCodePt = 0x6000, kIndex = (kUserCode - kUserBase) / (2 * kMiB);
    ram.write<uint64_t>(PhysAddr(kUserPd + 8 * kIndex), kUserCodePt | kPresent | kWritable | kUser);
    for (uint64_t i = 0; i < 8; ++i)
        ram.write<uint64_t>(PhysAddr(kUserCodePt + 8 * i),
                            (kFacts + i * kPageSize) | kPresent | kWritable | kUser);
}

void CpuMachine::build_descriptors() {
    constexpr uint64_t kCode64 = 0x00af9b000000ffff, kData = 0x00cf93000000ffff, kDpl3 = 3ull << 45;
    const uint64_t gdt[] = {0, kCode64, kData, kData | kDpl3, kCode64 | kDpl3,
                            // TSS: base, limit 0x67
                            0x0000890000000067 | ((kTss & 0xffffff) << 16) | ((kTss >> 24) << 56), 0};
    std::memcpy(ram.at(PhysAddr(kGdt), sizeof gdt), gdt, sizeof gdt);
    ram.write<uint64_t>(PhysAddr(kTss + 4), kKernelStackTop);
    ram.write<uint64_t>(PhysAddr(kTss + 36), kIstStackTop);
    ram.write<uint16_t>(PhysAddr(kTss + 0x66), 0x68);  // no I/O permission map
    for (unsigned v = 0; v < 256; ++v) set_gate(v, at("stubs") + 16 * v, v == 0x80 || v == 3 ? 3 : 0);
}

void CpuMachine::start_ticks() {
    const auto out = [this](uint16_t port, uint32_t value) { ports.write(port, bus::Width::Byte, value, 0); };
    for (const auto& [port, value] : std::initializer_list<std::pair<uint16_t, uint32_t>>{{0x20, 0x11},
                                                                                          {0x21, 0x20},
                                                                                          {0x21, 4},
                                                                                          {0x21, 1},
                                                                                          {0x21, 0xfe},
                                                                                          {0x43, 0x34},
                                                                                          {0x40, 119},
                                                                                          {0x40, 0}})
        out(port, value);
    set_gate(0x20, at("tick"));
}

void CpuMachine::set_gate(unsigned vector, uint64_t handler, unsigned dpl, unsigned ist, bool present) {
    const uint64_t type = 0xe | (dpl << 5) | (present ? 0x80 : 0);
    const uint64_t low = (handler & 0xffff) | (8ull << 16) | (uint64_t{ist} << 32) | (type << 40) |
                         (((handler >> 16) & 0xffff) << 48);
    ram.write<uint64_t>(PhysAddr(kIdt + 16 * vector), low);
    ram.write<uint64_t>(PhysAddr(kIdt + 16 * vector + 8), handler >> 32);
}

uint64_t CpuMachine::at(const std::string& label) const {
    for (const loader::Symbol& s : labels_.symbols())
        if (s.name == label) return s.address.raw();
    throw std::runtime_error("no label " + label);
}

void CpuMachine::map(unsigned n, uint64_t bits) {
    ram.write<uint64_t>(entry(n), bits == 0 ? 0 : frame(n).raw() | bits);
}

cpu::RunStop CpuMachine::run(const std::string& label, VirtualNs limit) { return run_at(at(label), limit); }

cpu::RunStop CpuMachine::run_at(uint64_t rip, VirtualNs limit) {
    cpu::ResetState state;
    state.mode = cpu::ResetMode::Long64;
    state.rip = rip;
    state.rsp = kKernelStackTop - 0x1000;
    state.code_selector = 8;
    state.data_selector = 16;
    state.cr3 = PhysAddr(kPml4);
    state.gdt_base = PhysAddr(kGdt);
    state.gdt_limit = 7 * 8 - 1;
    cpu->reset(state);
    cpu::LiveState& s = cpu->core().state();
    s.idt() = {0, 0, kIdt, 0xfff, 0};
    s.tr() = {0x28, 0, kTss, tss_limit, 0x8b00};
    s.efer() |= cpu::kEferSce | cpu::kEferNxe;
    s.cr(4) |= 0x600;  // OSFXSR, OSXMMEXCPT
    s.hflags() |= 1u << 22;
    s.star() = (0x13ull << 48) | (8ull << 32);
    s.lstar() = at("syscall_target");
    s.fmask() = cpu::kFlagIf;
    for (unsigned n = 0; n < 16; ++n)
        if (preset_[n] != 0) s.gpr(n) = preset_[n];
    const VirtualNs end = cpu->now() + limit;
    for (;;) {
        const cpu::RunStop stop = cpu->run(end);
        if (stop == cpu::RunStop::Deadline && cpu->now() < end) {
            timers.run_due(cpu->now());
            continue;
        }
        if (stop == cpu::RunStop::Halted && cpu->interrupts_enabled() && timers.next_deadline() < end) {
            cpu->idle_until(timers.next_deadline());
            continue;
        }
        return stop;
    }
}

cpu::RunStop CpuMachine::run_user(const std::string& label, uint64_t rflags) {
    const uint64_t rbx = preset_[cpu::kRbx];
    // enter_user needs RBX, RCX and RDX; what the fact wants in RBX goes through R15.
    EXPECT_EQ(rbx, 0u) << "use R15 in user facts";
    set_gpr(cpu::kRbx, user_at(label));
    set_gpr(cpu::kRcx, kUserBase + 16 * kPageSize);
    set_gpr(cpu::kRdx, rflags);
    map(15, kPresent | kWritable | kUser);
    return run("enter_user");
}

Report CpuMachine::report() { return ram.read<Report>(PhysAddr(at("report"))); }

const Collected& CpuMachine::events() {
    recorder.flush();
    return collected_;
}

}  // namespace forkscope::test
