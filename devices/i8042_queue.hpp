// A few bytes on their way from a PS/2 device to its controller.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace forkscope::devices {

struct Ps2Queue {
    static constexpr size_t kBytes = 32;
    std::array<uint8_t, kBytes> bytes{};
    uint8_t first = 0, count = 0;

    [[nodiscard]] bool empty() const { return count == 0; }
    [[nodiscard]] bool has_room_for(size_t n) const { return count + n <= kBytes; }
    void clear() { count = 0; }
    // What does not fit as a whole is lost as a whole, so that no half of a packet remains.
    bool push(std::span<const uint8_t> more) {
        if (!has_room_for(more.size())) return false;
        for (const uint8_t byte : more) bytes[(first + count++) % kBytes] = byte;
        return true;
    }
    bool push(std::initializer_list<uint8_t> more) { return push(std::span(more.begin(), more.size())); }
    uint8_t pop() {
        const uint8_t byte = bytes[first];
        first = static_cast<uint8_t>((first + 1) % kBytes);
        --count;
        return byte;
    }
    bool operator==(const Ps2Queue&) const = default;
};

}  // namespace forkscope::devices
