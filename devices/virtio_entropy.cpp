#include "devices/virtio_entropy.hpp"

#include <algorithm>
#include <array>

namespace forkscope::devices {

namespace {

constexpr uint32_t kDeviceId = 4;

// SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators").
uint64_t next_random(uint64_t& state) {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

}  // namespace

VirtioEntropy::VirtioEntropy(bus::GuestMemory& memory, bus::IrqLine& irq)
    : VirtioDevice(memory, irq, kDeviceId, 0, 1) {}

void VirtioEntropy::notified(unsigned queue) {
    while (const VirtioQueue::Chain* chain = take(queue)) {
        // A device may give less than was asked for.
        std::array<uint8_t, 256> bytes;
        const auto part = std::span(bytes).first(std::min<uint64_t>(chain->writable_bytes(), bytes.size()));
        for (uint8_t& byte : part) byte = static_cast<uint8_t>(next_random(state_));
        const bool told = write_chain(memory(), *chain, 0, part);
        give_back(queue, *chain, told ? static_cast<uint32_t>(part.size()) : 0);
    }
}

}  // namespace forkscope::devices
