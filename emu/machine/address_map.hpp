// Every port and every physical address that this machine decodes, in one place. Devices do not know
// their addresses (emu/bus); RAM and what the loader puts into it: emu/loader/memory_map.hpp.
#pragma once

#include "devices/acpi_pm.hpp"
#include "devices/fw_cfg.hpp"
#include "devices/io_apic.hpp"
#include "devices/local_apic.hpp"
#include "devices/reset_control.hpp"
#include "devices/vga.hpp"
#include "devices/virtio.hpp"
#include "emu/base/address.hpp"
#include "emu/bus/mmio_bus.hpp"
#include "emu/bus/port_bus.hpp"
#include "guest/abi/event_port.hpp"

namespace forkscope::machine {

inline constexpr bus::PortRange kPic1{0x20, 2};
inline constexpr bus::PortRange kPit{0x40, 4};
inline constexpr bus::PortRange kKeyboardData{0x60, 1};
inline constexpr bus::PortRange kPortB{0x61, 1};
inline constexpr bus::PortRange kKeyboardCommand{0x64, 1};
inline constexpr bus::PortRange kCmos{0x70, 2};
inline constexpr bus::PortRange kPostCode{0x80, 1};
inline constexpr bus::PortRange kSystemControl{0x92, 1};
inline constexpr bus::PortRange kPic2{0xa0, 2};
inline constexpr bus::PortRange kIoDelay{0xed, 1};
inline constexpr bus::PortRange kDebugConsole{0xe9, 1};
inline constexpr bus::PortRange kDebugExit{0xf4, 4};
inline constexpr bus::PortRange kCom2{0x2f8, 8};
inline constexpr bus::PortRange kCom1{0x3f8, 8};
inline constexpr bus::PortRange kVga{0x3c0, devices::Vga::kPorts};
inline constexpr bus::PortRange kElcr{0x4d0, 2};
inline constexpr bus::PortRange kFirmwareDebug{0x402, 1};
inline constexpr bus::PortRange kFwCfg{0x510, 2};
inline constexpr bus::PortRange kFwCfgDma{0x514, devices::FwCfg::kDmaPorts};
inline constexpr bus::PortRange kAcpiPm{0x600, devices::AcpiPm::kPorts};
inline constexpr bus::PortRange kResetControl{0xcf8, devices::ResetControl::kPorts};
inline constexpr bus::PortRange kEventPort{abi::kEventDataPort,
                                           abi::kEventSignaturePort - abi::kEventDataPort + 4};

// In RAM that the memory map reserves: where operating systems look for the root pointer.
inline constexpr PhysAddr kAcpiTables{0xf0000};
inline constexpr bus::MmioRange kVirtio{PhysAddr(0xfeb00000), devices::VirtioDevice::kBytes};  // the first
inline constexpr unsigned kVirtioMost = 8;
inline constexpr bus::MmioRange kIoApic{PhysAddr(0xfec00000), devices::IoApic::kBytes};
inline constexpr bus::MmioRange kLocalApic{PhysAddr(devices::LocalApic::kBase), devices::LocalApic::kBytes};
// Firmware, if there is any, ends here.
inline constexpr PhysAddr kFirmwareEnd{0x1'0000'0000};

// Interrupts below 16 are inputs of the 8259 pair and, but for the timer's, of the I/O APIC alike; those
// above are the latter's alone.
inline constexpr unsigned kIrqTimer = 0;
inline constexpr unsigned kIrqTimerAtIoApic = 2;
inline constexpr unsigned kIrqKeyboard = 1;
inline constexpr unsigned kIrqCom2 = 3;
inline constexpr unsigned kIrqCom1 = 4;
inline constexpr unsigned kIrqRtc = 8;
inline constexpr unsigned kIrqAcpi = 9;
inline constexpr unsigned kIrqMouse = 12;
inline constexpr unsigned kIrqVirtio = 16;  // the first

}  // namespace forkscope::machine
