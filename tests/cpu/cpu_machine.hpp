// A CPU with RAM, tables and handlers laid out for tests of single facts; the guest code is facts.S.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "devices/i8254.hpp"
#include "devices/i8259.hpp"
#include "emu/bus/clock.hpp"
#include "emu/cpu/cpu.hpp"
#include "emu/loader/symbols.hpp"
#include "emu/log/recorder.hpp"
#include "emu/mem/guest_ram.hpp"
#include "emu/mmu/mirror.hpp"

namespace forkscope::test {

// Physical layout. Virtual addresses below 1 GiB are the same, for the supervisor, by 2 MiB pages.
inline constexpr uint64_t kPml4 = 0x1000, kPdpt = 0x2000, kPd = 0x3000, kUserPd = 0x4000, kUserPt = 0x5000;
inline constexpr uint64_t kGdt = 0x20000, kIdt = 0x21000, kTss = 0x23000, kKernelStackTop = 0x30000;
inline constexpr uint64_t kIstStackTop = 0x38000;
inline constexpr uint64_t kFacts = 0x100000;  // facts.S is linked here
// 4 KiB pages that the test maps itself: kUserPt holds their entries.
inline constexpr uint64_t kUserBase = 0x4000'0000;
inline constexpr uint64_t kUserFrames = 0x200000;  // frames for them, a MiB

inline constexpr uint64_t kPresent = 1, kWritable = 2, kUser = 4, kAccessed = 0x20, kDirty = 0x40,
                          kNoExecute = 1ull << 63;

struct Report {
    uint64_t vector, error_code, rip, cs, rflags, rsp, ss, cr2, handler_rsp, rax;
};

class Collected final : public log::EventSink {
public:
    void consume(std::span<const log::Event> events) override {
        all.insert(all.end(), events.begin(), events.end());
    }
    [[nodiscard]] std::vector<log::Event> of(log::EventKind kind) const {
        std::vector<log::Event> out;
        for (const log::Event& e : all)
            if (e.kind == kind) out.push_back(e);
        return out;
    }
    std::vector<log::Event> all;
};

class CpuMachine : private bus::TimeSource {
public:
    static constexpr VirtualNs kLongEnough = 10'000'000;

    explicit CpuMachine(cpu::TimeMode time_mode = cpu::TimeMode::Instructions);

    // Page tables, descriptors and gates, as they are at the beginning.
    void build_system() {
        build_tables();
        build_descriptors();
    }

    // Address of a label in facts.S.
    [[nodiscard]] uint64_t at(const std::string& label) const;

    // Runs a fact at CPL 0 until the machine halts with interrupts off, and gives why it came back.
    cpu::RunStop run(const std::string& label, VirtualNs limit = kLongEnough);
    cpu::RunStop run_at(uint64_t rip, VirtualNs limit = kLongEnough);
    // The same at CPL 3, entered by IRETQ; the code is mapped for the user at kUserCode, so labels move
    // there.
    cpu::RunStop run_user(const std::string& label, uint64_t rflags = 2);
    [[nodiscard]] uint64_t user_at(const std::string& label) const { return at(label) - kFacts + kUserCode; }
    static constexpr uint64_t kUserCode = 0x5000'0000;

    // Maps page n of the user area to its frame with these bits (0: not at all). Before the CPU runs.
    void map(unsigned n, uint64_t bits);
    [[nodiscard]] static uint64_t page(unsigned n) { return kUserBase + n * kPageSize; }
    [[nodiscard]] static PhysAddr frame(unsigned n) { return PhysAddr(kUserFrames + n * kPageSize); }
    [[nodiscard]] static PhysAddr entry(unsigned n) { return PhysAddr(kUserPt + 8 * n); }

    [[nodiscard]] Report report();
    [[nodiscard]] uint64_t gpr(cpu::Gpr n) { return cpu->core().state().gpr(n); }
    void set_gpr(cpu::Gpr n, uint64_t value) { preset_[n] = value; }
    void write_label(const std::string& label, uint64_t value) { ram.write(PhysAddr(at(label)), value); }
    [[nodiscard]] uint64_t read_label(const std::string& label) const {
        return ram.read<uint64_t>(PhysAddr(at(label)));
    }
    void set_gate(unsigned vector, uint64_t handler, unsigned dpl = 0, unsigned ist = 0, bool present = true);
    // Programs the PIT for a tick every 100 us and unmasks it in the PIC, as a kernel would.
    void start_ticks();
    // Events so far.
    const Collected& events();

    mem::GuestRam ram;
    log::Recorder recorder;
    mmu::Mirror mirror;
    bus::PortBus ports;
    bus::MmioBus mmio;
    bus::VirtualClock clock;
    bus::TimerQueue timers{clock};
    devices::I8259Pair pic;
    bus::IrqLine timer_irq;
    devices::I8254 pit{timers, timer_irq};
    std::unique_ptr<cpu::Cpu> cpu;
    uint32_t tss_limit = 0x67;  // set before the run: an I/O permission map may follow

private:
    [[nodiscard]] VirtualNs now() const override { return cpu->now(); }
    void build_tables();
    void build_descriptors();

    Collected collected_;
    loader::SymbolTable labels_;
    uint64_t preset_[16] = {};
};

}  // namespace forkscope::test
