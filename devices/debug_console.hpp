// The debug console of Bochs and QEMU at port 0xe9: bytes written go to the host; a read gives 0xe9,
// by which a guest knows that it is there.
#pragma once

#include <cstdint>

#include "emu/bus/byte_sink.hpp"
#include "emu/bus/port_bus.hpp"

namespace forkscope::devices {

class DebugConsole final : public bus::PortDevice {
public:
    explicit DebugConsole(bus::ByteSink& sink) : sink_(sink) {}

    [[nodiscard]] uint32_t read(const bus::PortAccess&) override { return 0xe9; }
    void write(const bus::PortAccess&, uint32_t value) override { sink_.put(static_cast<uint8_t>(value)); }

private:
    bus::ByteSink& sink_;
};

}  // namespace forkscope::devices
