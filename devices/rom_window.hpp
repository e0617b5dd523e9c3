// Read-only memory as data: what the CPU reads there. Stores do nothing.
#pragma once

#include <cstdint>
#include <span>

#include "emu/bus/mmio_bus.hpp"

namespace forkscope::devices {

class RomWindow final : public bus::MmioDevice {
public:
    // The bytes outlive this.
    explicit RomWindow(std::span<const uint8_t> bytes) : bytes_(bytes) {}

    [[nodiscard]] uint64_t read(const bus::MmioAccess& access) override {
        uint64_t value = 0;
        for (unsigned i = 0; i < bus::bytes_of(access.width); ++i)
            value |= uint64_t{bytes_[access.offset + i]} << (8 * i);
        return value;
    }
    void write(const bus::MmioAccess&, uint64_t) override {}

private:
    std::span<const uint8_t> bytes_;
};

}  // namespace forkscope::devices
