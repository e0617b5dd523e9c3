// The devices of the machine, and what is wired to what.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "devices/acpi_pm.hpp"
#include "devices/acpi_tables.hpp"
#include "devices/cmos_rtc.hpp"
#include "devices/debug_console.hpp"
#include "devices/fw_cfg.hpp"
#include "devices/i8042.hpp"
#include "devices/i8254.hpp"
#include "devices/i8259.hpp"
#include "devices/io_apic.hpp"
#include "devices/isa_debug_exit.hpp"
#include "devices/local_apic.hpp"
#include "devices/reset_control.hpp"
#include "devices/scratch_port.hpp"
#include "devices/system_control.hpp"
#include "devices/uart16550.hpp"
#include "devices/vga.hpp"
#include "devices/virtio.hpp"
#include "emu/base/result.hpp"
#include "emu/bus/block_store.hpp"
#include "emu/bus/clock.hpp"
#include "emu/bus/guest_memory.hpp"
#include "emu/bus/mmio_bus.hpp"
#include "emu/bus/port_bus.hpp"
#include "emu/machine/serial_backend.hpp"

namespace forkscope::machine {

// What devices ask of the machine.
struct DeviceRequests {
    std::function<void()> power_off;
    std::function<void()> reset;
    std::function<void(int status)> exit;
    std::function<void(bool open)> gate;  // A20's
};

class PcDevices {
public:
    struct Config {
        uint64_t low_ram = 0, high_ram = 0;  // bytes below and above the hole under 4 GiB
        // Of COM1 and the debug console; null: none.
        SerialBackend* serial = nullptr;
        // Of the debug console instead, and of the firmware's; null: none.
        SerialBackend* debug = nullptr;
        // Disks, each behind a virtio device. They outlive this.
        std::vector<bus::BlockStore*> drives;
    };

    // All references outlive this.
    PcDevices(bus::TimerQueue& timers, bus::GuestMemory& memory, const Config& config,
              const DeviceRequests& requests);

    // Puts every device where the address map says.
    Result<> insert(bus::PortBus& ports, bus::MmioBus& mmio);

    // At the CPU's INTR pin.
    [[nodiscard]] bus::InterruptController& interrupts() { return local_apic_; }
    [[nodiscard]] devices::Uart16550& com1() { return com1_; }
    [[nodiscard]] devices::I8042& keyboard_controller() { return i8042_; }
    [[nodiscard]] devices::Vga& vga() { return vga_; }
    [[nodiscard]] devices::FwCfg& fw_cfg() { return fw_cfg_; }

    // What there is, for ACPI tables at kAcpiTables.
    [[nodiscard]] devices::AcpiConfig acpi_config() const;

private:
    void wire_interrupts();
    void move_gate(bool open, const DeviceRequests& requests);
    void add_virtio(const Config& config, bus::GuestMemory& memory);

    bus::IrqLine timer_irq_, keyboard_irq_, com1_irq_, com2_irq_, rtc_irq_, acpi_irq_, mouse_irq_;
    std::vector<std::unique_ptr<bus::IrqLine>> virtio_irqs_;
    devices::I8259Pair pic_;
    devices::IoApic io_apic_;
    devices::LocalApic local_apic_;
    std::unique_ptr<SerialBackend> no_serial_;
    devices::I8254 pit_;
    devices::I8042 i8042_;
    devices::Uart16550 com1_;
    devices::Uart16550 com2_;
    devices::CmosRtc cmos_;
    devices::Vga vga_;
    devices::AcpiPm acpi_pm_;
    devices::ResetControl reset_control_;
    devices::SystemControl system_control_;
    devices::ScratchPort post_code_, io_delay_;
    bool has_firmware_console_;
    devices::DebugConsole debug_console_;
    devices::IsaDebugExit debug_exit_;
    devices::FwCfg fw_cfg_;
    std::vector<std::unique_ptr<devices::VirtioDevice>> virtio_;
};

}  // namespace forkscope::machine
