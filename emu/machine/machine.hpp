// The machine: RAM, bus, devices and CPU wired together, and the loop that runs them.
#pragma once

#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "devices/event_port.hpp"
#include "devices/rom_window.hpp"
#include "emu/base/result.hpp"
#include "emu/bus/clock.hpp"
#include "emu/bus/mmio_bus.hpp"
#include "emu/bus/port_bus.hpp"
#include "emu/cpu/cpu.hpp"
#include "emu/loader/boot_plan.hpp"
#include "emu/log/recorder.hpp"
#include "emu/machine/attendant.hpp"
#include "emu/machine/device_memory.hpp"
#include "emu/machine/firmware.hpp"
#include "emu/machine/pc_devices.hpp"
#include "emu/machine/serial_backend.hpp"
#include "emu/machine/typist.hpp"
#include "emu/mem/guest_ram.hpp"
#include "emu/mem/rom.hpp"
#include "emu/mmu/mirror.hpp"

namespace forkscope::machine {

struct MachineConfig {
    uint64_t ram_bytes = 256 * kMiB;
    std::string cpu_model{cpu::kDefaultCpuModel};
    cpu::TimeMode time_mode = cpu::TimeMode::Instructions;
    SerialBackend* serial = nullptr;       // COM1; outlives the machine
    SerialBackend* debug = nullptr;        // of the debug console, instead of COM1's; outlives the machine
    std::vector<bus::BlockStore*> drives;  // outlive the machine
    Firmware firmware;
    std::vector<KeyStroke> keys;     // typed when the guest waits for input
    Attendant* attendant = nullptr;  // outlives the machine
    // How often the tables in RAM are compared with the mirror while the machine runs; 0: never.
    VirtualNs audit_interval = 0;
    // Compare the engine's own TLB with the ledger at each of these audits: slow, finds our bugs.
    bool audit_engine_tlb = false;
};

// How a run ended.
struct MachineExit {
    log::Stop reason = log::Stop::Host;
    int status = 0;       // what the program that ran the machine returns
    std::string message;  // for people; empty for an ordinary end
};

class Machine final : private bus::TimeSource, private devices::AnnouncementListener {
public:
    // The recorder outlives the machine.
    static Result<std::unique_ptr<Machine>> create(const MachineConfig& config, log::Recorder& recorder);
    ~Machine() override;

    [[nodiscard]] mem::GuestRam& ram() { return ram_; }
    [[nodiscard]] cpu::Cpu& cpu() { return *cpu_; }
    [[nodiscard]] bus::PortBus& ports() { return ports_; }
    [[nodiscard]] bus::MmioBus& mmio() { return mmio_; }

    // Where the loaded kernel is told to look for ACPI's root pointer.
    [[nodiscard]] static PhysAddr acpi_root();
    [[nodiscard]] PcDevices& devices() { return devices_; }

    // Puts the ACPI tables into RAM, or offers them to the firmware, and sets the CPU to the state in which
    // the loaded kernel starts.
    void boot(const loader::BootPlan& plan);

    // The guest's screen, if it was given one that is not the VGA's.
    [[nodiscard]] const std::optional<loader::Framebuffer>& framebuffer() const { return framebuffer_; }

    // Runs until the guest ends the machine, shuts down, or virtual time reaches `limit`.
    MachineExit run(VirtualNs limit = bus::kNever);

    // Ends the run soon, with status 128 + signal. May be called by a signal handler in the thread that runs.
    void interrupt(int signal);

    // A signal asked for the end, which comes soon.
    [[nodiscard]] bool interrupted() const { return interrupted_by_ != 0; }

    // Virtual time that the CPU has spent in HLT.
    [[nodiscard]] VirtualNs halted() const { return halted_; }

    // Compares mirror and RAM now, and logs it.
    mmu::AuditReport audit() { return cpu_->core().mmu().audit(cpu_->origin()); }

    // Which frames became page tables, and how often: what another machine for the same run may be told
    // before it starts (mmu::Mirror).
    [[nodiscard]] const mmu::Mirror::LinkCounts& times_linked() const { return mirror_.times_linked(); }
    void expect_tables(const mmu::Mirror::LinkCounts& counts) { mirror_.expect_tables(counts); }

    [[nodiscard]] VirtualNs now() const override { return cpu_->now(); }

private:
    Machine(const MachineConfig& config, mem::GuestRam ram, std::optional<mem::Rom> rom,
            log::Recorder& recorder);
    Result<void> wire(const cpu::CpuModel& model);

    void announced(abi::Announcement code, std::span<const uint64_t, abi::kEventWords> words,
                   CpuId cpu) override;
    void frame_announced(abi::Announcement code, std::span<const uint64_t, abi::kEventWords> words);
    void end(log::Stop reason, int status, std::string message = {});
    void poll_serial(int wait_ms);
    [[nodiscard]] bool somebody_there() const;
    void wait_for_somebody(VirtualNs next);
    void wait_in_halt(VirtualNs limit);
    void rest_if_idle();
    void audit_while_running();
    void offer_tables();

    MachineConfig config_;
    mem::GuestRam ram_;
    std::optional<mem::Rom> rom_;
    std::optional<devices::RomWindow> rom_window_;
    log::Recorder& recorder_;
    mmu::Mirror mirror_;
    bus::PortBus ports_;
    bus::MmioBus mmio_;
    bus::VirtualClock clock_;
    bus::TimerQueue timers_{clock_};
    DeviceMemory device_memory_;
    PcDevices devices_;
    devices::EventPort event_port_{*this};
    std::unique_ptr<cpu::Cpu> cpu_;
    std::optional<bus::Timer> audit_timer_;
    std::optional<bus::Timer> input_timer_;
    std::optional<bus::Timer> attendant_timer_;
    bool attendant_due_ = false;
    std::optional<Typist> typist_;
    std::optional<loader::Framebuffer> framebuffer_;
    std::optional<MachineExit> exit_;
    volatile std::sig_atomic_t interrupted_by_ = 0;
    VirtualNs next_write_out_ = 0;
    VirtualNs halted_ = 0;  // time spent in HLT
    uint64_t last_halt_icount_ = 0;
    uint64_t idle_wakes_ = 0;  // short ones in a row
};

}  // namespace forkscope::machine
