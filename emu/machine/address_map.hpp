// Every port and every physical address that this machine decodes, in one place. Devices do not know
// their addresses (emu/bus); RAM and what the loader puts into it: emu/loader/memory_map.hpp.
#pragma once

#include "emu/bus/port_bus.hpp"
#include "guest/abi/event_port.hpp"

namespace forkscope::machine {

inline constexpr bus::PortRange kPic1{0x20, 2};
inline constexpr bus::PortRange kPit{0x40, 4};
inline constexpr bus::PortRange kPortB{0x61, 1};
inline constexpr bus::PortRange kCmos{0x70, 2};
inline constexpr bus::PortRange kPic2{0xa0, 2};
inline constexpr bus::PortRange kDebugConsole{0xe9, 1};
inline constexpr bus::PortRange kDebugExit{0xf4, 4};
inline constexpr bus::PortRange kCom2{0x2f8, 8};
inline constexpr bus::PortRange kCom1{0x3f8, 8};
inline constexpr bus::PortRange kElcr{0x4d0, 2};
inline constexpr bus::PortRange kEventPort{abi::kEventDataPort,
                                           abi::kEventSignaturePort - abi::kEventDataPort + 4};

// Inputs of the interrupt controllers.
inline constexpr unsigned kIrqTimer = 0;
inline constexpr unsigned kIrqCom2 = 3;
inline constexpr unsigned kIrqCom1 = 4;
inline constexpr unsigned kIrqRtc = 8;

}  // namespace forkscope::machine
