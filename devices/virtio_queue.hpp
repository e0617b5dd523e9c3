// A split virtqueue, seen from the device (Virtual I/O Device specification 1.2, 2.7 "Split Virtqueues").
#pragma once

#include <array>
#include <cstdint>

#include "emu/base/address.hpp"
#include "emu/bus/guest_memory.hpp"

namespace forkscope::devices {

class VirtioQueue {
public:
    static constexpr uint16_t kMostEntries = 128;

    struct Regs {
        uint16_t size = kMostEntries;
        bool ready = false;
        uint64_t descriptors = 0, driver = 0, device = 0;  // physical addresses
        uint16_t next_available = 0, next_used = 0;
        bool operator==(const Regs&) const = default;
    };

    struct Piece {
        PhysAddr base;
        uint32_t size;  // bytes
    };
    // One request: what the device reads comes first, then what it writes.
    struct Chain {
        uint16_t head = 0;
        uint16_t readable = 0, writable = 0;  // number of pieces of each kind
        std::array<Piece, kMostEntries> pieces;

        [[nodiscard]] uint64_t readable_bytes() const { return bytes(0, readable); }
        [[nodiscard]] uint64_t writable_bytes() const { return bytes(readable, writable); }

    private:
        [[nodiscard]] uint64_t bytes(unsigned first, unsigned count) const {
            uint64_t sum = 0;
            for (unsigned i = 0; i < count; ++i) sum += pieces[first + i].size;
            return sum;
        }
    };

    enum class Next : uint8_t { None, Taken, Broken };
    // Takes the next request. Broken: the driver's rings make no sense.
    [[nodiscard]] Next take(bus::GuestMemory& memory, Chain& chain);
    // Gives a request back with the number of bytes written into it. False: as Broken.
    [[nodiscard]] bool give_back(bus::GuestMemory& memory, const Chain& chain, uint32_t written);
    // Whether the driver wants to hear of what was given back.
    [[nodiscard]] bool wants_interrupt(bus::GuestMemory& memory) const;

    Regs regs;
};

// Bytes of one kind of a chain from an offset on; false if they are not all there.
[[nodiscard]] bool read_chain(bus::GuestMemory& memory, const VirtioQueue::Chain& chain, uint64_t offset,
                              std::span<uint8_t> to);
[[nodiscard]] bool write_chain(bus::GuestMemory& memory, const VirtioQueue::Chain& chain, uint64_t offset,
                               std::span<const uint8_t> from);

}  // namespace forkscope::devices
