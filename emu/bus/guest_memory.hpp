// What a device sees of guest RAM: reads and writes by physical address, as a bus master has them.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "emu/base/address.hpp"

namespace forkscope::bus {

class GuestMemory {
public:
    virtual ~GuestMemory() = default;
    // False, and nothing done, if not all of it is RAM.
    [[nodiscard]] virtual bool read(PhysAddr from, std::span<uint8_t> to) = 0;
    [[nodiscard]] virtual bool write(PhysAddr to, std::span<const uint8_t> from) = 0;

    template <typename T>
    [[nodiscard]] bool load(PhysAddr from, T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        return read(from, {reinterpret_cast<uint8_t*>(&value), sizeof value});
    }
    template <typename T>
    [[nodiscard]] bool store(PhysAddr to, const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        return write(to, {reinterpret_cast<const uint8_t*>(&value), sizeof value});
    }
};

}  // namespace forkscope::bus
