// A port that takes anything and does nothing with it: the POST code at 0x80, which software also writes for
// a short delay, as it does 0xed. It reads what was written last.
#pragma once

#include <cstdint>

#include "emu/bus/port_bus.hpp"

namespace forkscope::devices {

class ScratchPort final : public bus::PortDevice {
public:
    [[nodiscard]] uint32_t read(const bus::PortAccess&) override { return last_; }
    void write(const bus::PortAccess&, uint32_t value) override { last_ = static_cast<uint8_t>(value); }

private:
    uint8_t last_ = 0;
};

}  // namespace forkscope::devices
