// QEMU's isa-debug-exit: a write ends the machine with a status that is odd, so never 0.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "emu/bus/port_bus.hpp"

namespace forkscope::devices {

// Any number of ports; each takes bytes, words and doublewords, and reads 0.
class IsaDebugExit final : public bus::PortDevice {
public:
    // status: (value << 1) | 1 of the value written, as far as the 8 bits of an exit status hold it.
    using ExitHandler = std::function<void(int status)>;

    explicit IsaDebugExit(ExitHandler on_exit) : on_exit_(std::move(on_exit)) {}

    [[nodiscard]] bus::WidthSet widths() const override {
        return bus::width_set(bus::Width::Byte, bus::Width::Word, bus::Width::Dword);
    }
    [[nodiscard]] uint32_t read(const bus::PortAccess&) override { return 0; }
    void write(const bus::PortAccess&, uint32_t value) override {
        on_exit_(static_cast<int>(((value << 1) | 1) & 0xff));
    }

private:
    ExitHandler on_exit_;
};

}  // namespace forkscope::devices
