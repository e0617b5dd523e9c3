// RAM for devices under test: 64 KiB from address 0 on.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "emu/bus/guest_memory.hpp"

namespace forkscope::devices {

class FlatMemory final : public bus::GuestMemory {
public:
    [[nodiscard]] bool read(PhysAddr from, std::span<uint8_t> to) override {
        if (!inside(from, to.size())) return false;
        std::memcpy(to.data(), &bytes[from.raw()], to.size());
        return true;
    }
    [[nodiscard]] bool write(PhysAddr to, std::span<const uint8_t> from) override {
        if (!inside(to, from.size())) return false;
        std::memcpy(&bytes[to.raw()], from.data(), from.size());
        return true;
    }
    std::vector<uint8_t> bytes = std::vector<uint8_t>(0x10000);

private:
    [[nodiscard]] bool inside(PhysAddr at, uint64_t size) const {
        return at.raw() < bytes.size() && size <= bytes.size() - at.raw();
    }
};

}  // namespace forkscope::devices
