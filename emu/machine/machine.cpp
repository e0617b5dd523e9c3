#include "emu/machine/machine.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "emu/machine/address_map.hpp"

namespace forkscope::machine {

namespace {

// How often the guest's input is looked for while the guest computes, in virtual time.
constexpr VirtualNs kInputInterval = 10'000'000;
constexpr VirtualNs kAttendantInterval = 2'000'000;
constexpr int kSignalStatus = 128;  // what a shell adds to the number of the signal
constexpr int kLongWaitMs = 1000;
constexpr VirtualNs kNsPerMs = 1'000'000;
// A guest that idles with nobody at the serial line: after so many short wakes of its tick in a row (ten
// minutes at 100 a second) the host rests for a millisecond in every few, which leaves time a hundred times
// faster than real.
constexpr uint64_t kShortWakeInstructions = 50'000;
constexpr uint64_t kIdleWakes = 60'000;
constexpr uint64_t kWakesBetweenRests = 16;
constexpr auto kRest = std::chrono::milliseconds(1);
// How often the log is written out, in virtual time, so that it is the same in every run: what a kill can
// lose.
constexpr VirtualNs kWriteOutInterval = 250'000'000;

PcDevices::Config devices_config(const MachineConfig& config, const mem::GuestRam& ram) {
    PcDevices::Config devices;
    devices.low_ram = std::min(ram.size(), mem::kLowRamLimit);
    devices.high_ram = ram.size() - devices.low_ram;
    devices.serial = config.serial;
    devices.debug = config.debug;
    devices.drives = config.drives;
    return devices;
}

cpu::ResetMode reset_mode(loader::EntryMode mode) {
    switch (mode) {
        case loader::EntryMode::Real16:
            return cpu::ResetMode::Real;
        case loader::EntryMode::Protected32:
            return cpu::ResetMode::Protected32;
        case loader::EntryMode::Long64:
            return cpu::ResetMode::Long64;
    }
    return cpu::ResetMode::Protected32;
}

}  // namespace

Result<std::unique_ptr<Machine>> Machine::create(const MachineConfig& config, log::Recorder& recorder) {
    const cpu::CpuModel* model = TRY(cpu::find_cpu_model(config.cpu_model));
    mem::GuestRam ram = TRY(mem::GuestRam::create(config.ram_bytes));
    std::optional<mem::Rom> rom;
    if (const std::vector<uint8_t>& image = config.firmware.image; !image.empty())
        rom.emplace(TRY(mem::Rom::create(kFirmwareEnd - image.size(), image)));
    auto machine = std::unique_ptr<Machine>(new Machine(config, std::move(ram), std::move(rom), recorder));
    TRY_VOID(machine->wire(*model));
    return machine;
}

Machine::Machine(const MachineConfig& config, mem::GuestRam ram, std::optional<mem::Rom> rom,
                 log::Recorder& recorder)
    : config_(config),
      ram_(std::move(ram)),
      rom_(std::move(rom)),
      recorder_(recorder),
      mirror_(ram_, recorder),
      device_memory_(ram_),
      devices_(timers_, device_memory_, devices_config(config, ram_),
               {.power_off = [this] { end(log::Stop::PowerOff, 0); },
                .reset = [this] { end(log::Stop::Reset, 0, "the guest reset the machine"); },
                .exit = [this](int status) { end(log::Stop::GuestExit, status); },
                .gate = [this](bool open) { cpu_->set_line_20(open); }}) {}

Machine::~Machine() = default;

Result<void> Machine::wire(const cpu::CpuModel& model) {
    clock_.set_source(*this);
    // The CPU comes first: it is the clock that devices may ask for.
    cpu_ = TRY(cpu::Cpu::create(0, model, config_.time_mode,
                                {.ram = ram_,
                                 .mirror = mirror_,
                                 .ports = ports_,
                                 .mmio = mmio_,
                                 .timers = timers_,
                                 .interrupts = devices_.interrupts(),
                                 .recorder = recorder_,
                                 .rom = rom_ ? &*rom_ : nullptr}));
    device_memory_.connect(*cpu_);
    TRY_VOID(devices_.insert(ports_, mmio_));
    if (rom_) {
        rom_window_.emplace(std::span(rom_->at(rom_->base(), rom_->size()), rom_->size()));
        TRY_VOID(mmio_.insert("firmware", {rom_->base(), rom_->size()}, *rom_window_));
    }
    TRY_VOID(ports_.insert("event port", kEventPort, event_port_));
    if (config_.audit_interval != 0) {
        audit_timer_.emplace(timers_, [this](VirtualNs deadline) {
            audit_while_running();
            audit_timer_->arm(deadline + config_.audit_interval);
        });
        audit_timer_->arm(config_.audit_interval);
    }
    if (config_.attendant != nullptr) {
        attendant_timer_.emplace(timers_, [this](VirtualNs deadline) {
            attendant_due_ = true;
            attendant_timer_->arm(deadline + kAttendantInterval);
        });
        attendant_timer_->arm(kAttendantInterval);
    }
    if (!config_.keys.empty())
        typist_.emplace(timers_, devices_.keyboard_controller(), config_.keys,
                        Typist::Signs{.halted = [this] { return halted_; },
                                      .bios_calls = [this] { return cpu_->counters().keyboard_services; }});
    if (config_.serial != nullptr && !config_.serial->at_end()) {
        input_timer_.emplace(timers_, [this](VirtualNs deadline) {
            poll_serial(0);
            if (!config_.serial->at_end()) input_timer_->arm(deadline + kInputInterval);
        });
        input_timer_->arm(kInputInterval);
    }
    return {};
}

PhysAddr Machine::acpi_root() { return kAcpiTables; }

void Machine::offer_tables() {
    const devices::AcpiConfig acpi = devices_.acpi_config();
    if (rom_) {
        add_firmware_files(devices_.fw_cfg(), config_.firmware, ram_.regions(), acpi);
        return;
    }
    const std::vector<uint8_t> tables = devices::build_acpi_tables(acpi);
    std::memcpy(ram_.at(kAcpiTables, tables.size()), tables.data(), tables.size());
}

void Machine::boot(const loader::BootPlan& plan) {
    framebuffer_ = plan.framebuffer;
    offer_tables();
    const loader::BootRegisters& r = plan.registers;
    cpu::ResetState state;
    state.mode = reset_mode(plan.mode);
    state.rip = r.rip;
    state.rsp = r.rsp;
    state.rax = r.rax;
    state.rbx = r.rbx;
    state.rsi = r.rsi;
    state.rdi = r.rdi;
    state.cr3 = r.cr3;
    state.gdt_base = r.gdt_base;
    state.gdt_limit = r.gdt_limit;
    if (state.mode == cpu::ResetMode::Real) {
        state.code_selector = r.code_segment;
        state.data_selector = 0;
        if (r.code_base != 0) {
            state.code_base = r.code_base;
            state.rdx = cpu_->core().model().version;  // SDM vol. 3, 9.1.3 "Model and Stepping Information"
        }
    }
    cpu_->reset(state);
}

MachineExit Machine::run(VirtualNs limit) {
    while (!exit_) {
        switch (cpu_->run(limit)) {
            case cpu::RunStop::Deadline:
                timers_.run_due(now());
                if (now() >= limit) end(log::Stop::Limit, 0);
                break;
            case cpu::RunStop::Halted:
                wait_in_halt(limit);
                break;
            case cpu::RunStop::Requested:
                break;
            case cpu::RunStop::Shutdown:
                end(log::Stop::TripleFault, static_cast<int>(ExitStatus::TripleFault),
                    "triple fault: the guest took an exception that it cannot handle\n" + cpu_->dump());
                break;
            case cpu::RunStop::EngineError:
                end(log::Stop::Host, static_cast<int>(ExitStatus::CheckFailed), cpu_->engine_error());
                break;
        }
        if (std::exchange(attendant_due_, false) && config_.attendant->attend(*this) == Attendant::Order::End)
            end(log::Stop::Host, 0);
        if (config_.serial != nullptr && config_.serial->wants_to_leave()) end(log::Stop::Host, 0);
        if (const int signal = interrupted_by_; signal != 0)
            end(log::Stop::Host, kSignalStatus + signal, fmt::format("ended by signal {}", signal));
        if (now() >= next_write_out_) {
            recorder_.write_out();
            next_write_out_ = now() + kWriteOutInterval;
        }
    }
    log::Event e = log::make_event(log::EventKind::Stop, cpu_->origin());
    e.aux = static_cast<uint16_t>(exit_->reason);
    e.a = static_cast<uint64_t>(exit_->status);
    recorder_.append(e);
    if (config_.serial != nullptr) config_.serial->flush();
    if (config_.attendant != nullptr) config_.attendant->ended(*this, *exit_);
    return *exit_;
}

void Machine::interrupt(int signal) {
    interrupted_by_ = signal;
    cpu_->request_stop_from_signal();
}

bool Machine::somebody_there() const {
    return config_.attendant != nullptr || (config_.serial != nullptr && !config_.serial->at_end());
}

// Until `next`, or until there is input.
void Machine::wait_for_somebody(VirtualNs next) {
    const VirtualNs present = now();
    const VirtualNs wait = next == bus::kNever ? kNsPerSecond : next - std::min(next, present);
    const bool attended = config_.attendant != nullptr;
    if (config_.serial != nullptr && !config_.serial->at_end())
        poll_serial(attended ? 0 : static_cast<int>(std::min<VirtualNs>(wait / kNsPerMs, kLongWaitMs)));
    if (attended) config_.attendant->wait(std::chrono::nanoseconds(wait));
}

// The CPU waits for an interrupt. With somebody at the other end of the serial line, or at the screen, time
// passes as it does for them; else it jumps to what comes next.
void Machine::wait_in_halt(VirtualNs limit) {
    const VirtualNs since = now();
    const VirtualNs next = std::min(limit, timers_.next_deadline());
    const bool somebody = somebody_there();
    if (config_.serial != nullptr) config_.serial->flush();
    if (!cpu_->interrupts_enabled()) {
        end(log::Stop::Host, static_cast<int>(ExitStatus::TripleFault),
            "the guest halted for ever: HLT with interrupts off\n" + cpu_->dump());
        return;
    }
    if (next == bus::kNever && !somebody) {
        end(log::Stop::Host, static_cast<int>(ExitStatus::TripleFault),
            "the guest halted for ever: HLT, and no device has anything to come\n" + cpu_->dump());
        return;
    }
    if (somebody) {
        wait_for_somebody(next);
        if (exit_) return;
    } else if (config_.time_mode == cpu::TimeMode::Host && next > now()) {
        std::this_thread::sleep_for(std::chrono::nanoseconds(next - now()));
    } else {
        rest_if_idle();
    }
    if (next != bus::kNever) cpu_->idle_until(next);
    halted_ += now() - since;
}

void Machine::rest_if_idle() {
    const uint64_t icount = cpu_->icount();
    idle_wakes_ = icount - last_halt_icount_ < kShortWakeInstructions ? idle_wakes_ + 1 : 0;
    last_halt_icount_ = icount;
    if (idle_wakes_ > kIdleWakes && idle_wakes_ % kWakesBetweenRests == 0) std::this_thread::sleep_for(kRest);
}

void Machine::poll_serial(int wait_ms) {
    const auto bytes = config_.serial->read(wait_ms);
    if (!bytes.empty()) devices_.com1().receive(bytes);
    if (config_.serial->wants_to_leave()) cpu_->request_stop();
}

void Machine::announced(abi::Announcement code, std::span<const uint64_t, abi::kEventWords> words, CpuId) {
    log::Event e = log::make_event(log::EventKind::Announce, cpu_->origin());
    e.aux = static_cast<uint16_t>(code);
    e.a = words[0];
    e.b = words[1];
    e.va = words[2];
    e.pa = words[3];
    recorder_.append(e);
    frame_announced(code, words);
    if (code == abi::Announcement::TaskSwitch) cpu_->set_task(static_cast<uint32_t>(words[0]));
    if (code == abi::Announcement::PowerOff) end(log::Stop::PowerOff, static_cast<int>(words[0] & 0xff));
}

// Frames that become page tables are watched from here on, for the sake of the log: so it can say who filled
// them before they were linked.
void Machine::frame_announced(abi::Announcement code, std::span<const uint64_t, abi::kEventWords> words) {
    if (!recorder_.wants(log::EventKind::PteFound)) return;
    const PhysAddr frame(words[0]);
    if (code == abi::Announcement::FrameAlloc && words[1] == static_cast<uint64_t>(abi::FrameUse::PageTable))
        mirror_.announce_table(frame);
    else if (code == abi::Announcement::FrameAlloc || code == abi::Announcement::FrameFree)
        mirror_.announce_no_table(frame, cpu_->origin());
}

void Machine::end(log::Stop reason, int status, std::string message) {
    if (exit_) return;
    exit_ = MachineExit{reason, status, std::move(message)};
    cpu_->request_stop();
}

void Machine::audit_while_running() {
    const mmu::AuditReport report = audit();
    std::string wrong;
    for (const std::string& line : report.described) wrong += line + "\n";
    if (config_.audit_engine_tlb) wrong += cpu_->audit_engine_tlb();
    if (wrong.empty()) return;
    end(log::Stop::Host, static_cast<int>(ExitStatus::CheckFailed),
        fmt::format("audit: {} differences at instruction {}\n{}", report.differences, cpu_->icount(),
                    wrong));
}

}  // namespace forkscope::machine
