#include "emu/machine/pc_devices.hpp"

#include "devices/virtio_block.hpp"
#include "devices/virtio_entropy.hpp"
#include "emu/machine/address_map.hpp"

namespace forkscope::machine {

namespace {

std::unique_ptr<SerialBackend> null_serial() { return std::move(open_serial("-serial", "null")).value(); }

devices::CmosRtc::Config cmos_config(const PcDevices::Config& config) {
    devices::CmosRtc::Config cmos;
    cmos.low_ram = config.low_ram;
    cmos.high_ram = config.high_ram;
    return cmos;
}

}  // namespace

PcDevices::PcDevices(bus::TimerQueue& timers, bus::GuestMemory& memory, const Config& config,
                     const DeviceRequests& requests)
    : local_apic_(timers, pic_, io_apic_),
      no_serial_(null_serial()),
      pit_(timers, timer_irq_),
      i8042_(keyboard_irq_, mouse_irq_, requests.reset,
             [this, requests](bool open) { move_gate(open, requests); }),
      com1_(timers, com1_irq_, config.serial != nullptr ? *config.serial : *no_serial_,
            devices::SerialPace::Immediate),
      com2_(timers, com2_irq_, *no_serial_, devices::SerialPace::Immediate),
      cmos_(timers, rtc_irq_, cmos_config(config)),
      vga_(timers.clock()),
      acpi_pm_(timers, acpi_irq_, requests.power_off),
      reset_control_(requests.reset),
      system_control_(requests.reset, [this, requests](bool open) { move_gate(open, requests); }),
      has_firmware_console_(config.debug != nullptr),
      debug_console_(config.debug != nullptr    ? *config.debug
                     : config.serial != nullptr ? *config.serial
                                                : *no_serial_),
      debug_exit_(requests.exit),
      fw_cfg_(config.low_ram + config.high_ram, 1, &memory) {
    add_virtio(config, memory);
    wire_interrupts();
}

void PcDevices::move_gate(bool open, const DeviceRequests& requests) {
    i8042_.set_gate(open);
    system_control_.set_gate(open);
    requests.gate(open);
}

// The disks first, so that their numbers do not depend on what else there is.
void PcDevices::add_virtio(const Config& config, bus::GuestMemory& memory) {
    const auto line = [this]() -> bus::IrqLine& {
        virtio_irqs_.push_back(std::make_unique<bus::IrqLine>());
        return *virtio_irqs_.back();
    };
    for (bus::BlockStore* store : config.drives)
        virtio_.push_back(std::make_unique<devices::VirtioBlock>(memory, line(), *store));
    virtio_.push_back(std::make_unique<devices::VirtioEntropy>(memory, line()));
}

void PcDevices::wire_interrupts() {
    io_apic_.connect(local_apic_);
    pic_.master().output().connect(local_apic_, 0);
    const struct {
        bus::IrqLine& line;
        unsigned number;
    } lines[] = {
        {timer_irq_, kIrqTimer}, {keyboard_irq_, kIrqKeyboard}, {com2_irq_, kIrqCom2},
        {com1_irq_, kIrqCom1},   {rtc_irq_, kIrqRtc},           {acpi_irq_, kIrqAcpi},
        {mouse_irq_, kIrqMouse},
    };
    for (const auto& [line, number] : lines) {
        line.connect(pic_, number);
        line.connect(io_apic_, number == kIrqTimer ? kIrqTimerAtIoApic : number);
    }
    for (size_t i = 0; i < virtio_irqs_.size(); ++i)
        virtio_irqs_[i]->connect(io_apic_, kIrqVirtio + static_cast<unsigned>(i));
}

Result<> PcDevices::insert(bus::PortBus& ports, bus::MmioBus& mmio) {
    const struct {
        const char* name;
        bus::PortRange range;
        bus::PortDevice& device;
    } claims[] = {
        {"8259 master", kPic1, pic_.master()},
        {"8259 slave", kPic2, pic_.slave()},
        {"ELCR", kElcr, pic_.elcr()},
        {"8254", kPit, pit_},
        {"port B", kPortB, pit_.port_b()},
        {"8042 data", kKeyboardData, i8042_.data()},
        {"8042 command", kKeyboardCommand, i8042_.command()},
        {"CMOS", kCmos, cmos_},
        {"POST code", kPostCode, post_code_},
        {"I/O delay", kIoDelay, io_delay_},
        {"system control", kSystemControl, system_control_},
        {"VGA", kVga, vga_},
        {"COM1", kCom1, com1_},
        {"COM2", kCom2, com2_},
        {"debug console", kDebugConsole, debug_console_},
        {"isa-debug-exit", kDebugExit, debug_exit_},
        {"fw_cfg", kFwCfg, fw_cfg_},
        {"fw_cfg DMA", kFwCfgDma, fw_cfg_.dma()},
        {"ACPI", kAcpiPm, acpi_pm_},
        {"reset control", kResetControl, reset_control_},
    };
    for (const auto& claim : claims) TRY_VOID(ports.insert(claim.name, claim.range, claim.device));
    if (has_firmware_console_)
        TRY_VOID(ports.insert("firmware's debug console", kFirmwareDebug, debug_console_));
    TRY_VOID(mmio.insert("I/O APIC", kIoApic, io_apic_));
    TRY_VOID(mmio.insert("local APIC", kLocalApic, local_apic_));
    if (virtio_.size() > kVirtioMost)
        return fail("{} virtio devices; expected at most {}", virtio_.size(), kVirtioMost);
    for (size_t i = 0; i < virtio_.size(); ++i)
        TRY_VOID(mmio.insert(fmt::format("virtio {}", i), {kVirtio.base + i * kVirtio.size, kVirtio.size},
                             *virtio_[i]));
    return {};
}

devices::AcpiConfig PcDevices::acpi_config() const {
    devices::AcpiConfig config;
    config.base = kAcpiTables;
    config.local_apic = kLocalApic.base;
    config.io_apic = kIoApic.base;
    config.pm_event_port = kAcpiPm.first + devices::AcpiPm::kEventOffset;
    config.pm_control_port = kAcpiPm.first + devices::AcpiPm::kControlOffset;
    config.pm_timer_port = kAcpiPm.first + devices::AcpiPm::kTimerOffset;
    config.sci = kIrqAcpi;
    config.soft_off_type = devices::AcpiPm::kSoftOff;
    config.reset_port = kResetControl.first + devices::ResetControl::kOffset;
    config.reset_value = devices::ResetControl::kReset | devices::ResetControl::kHard;
    for (size_t i = 0; i < virtio_.size(); ++i)
        config.virtio.push_back({kVirtio.base + i * kVirtio.size, static_cast<uint32_t>(kVirtio.size),
                                 kIrqVirtio + static_cast<uint32_t>(i)});
    return config;
}

}  // namespace forkscope::machine
