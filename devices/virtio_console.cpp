#include "devices/virtio_console.hpp"

#include <algorithm>
#include <array>

namespace forkscope::devices {

namespace {

constexpr uint32_t kDeviceId = 3;
constexpr unsigned kReceive = 0, kTransmit = 1;

}  // namespace

VirtioConsole::VirtioConsole(bus::GuestMemory& memory, bus::IrqLine& irq, bus::ByteSink& sink)
    : VirtioDevice(memory, irq, kDeviceId, 0, 2), sink_(sink) {}

void VirtioConsole::receive(std::span<const uint8_t> bytes) {
    input_.insert(input_.end(), bytes.begin(), bytes.end());
    give_input();
}

void VirtioConsole::notified(unsigned queue) {
    if (queue == kReceive) give_input();
    if (queue == kTransmit) take_output();
}

void VirtioConsole::give_input() {
    while (!input_.empty()) {
        const VirtioQueue::Chain* chain = take(kReceive);
        if (chain == nullptr) return;
        std::array<uint8_t, 256> bytes;
        const auto part = std::span(bytes).first(
            std::min<uint64_t>({chain->writable_bytes(), bytes.size(), input_.size()}));
        for (uint8_t& byte : part) {
            byte = input_.front();
            input_.pop_front();
        }
        const bool told = write_chain(memory(), *chain, 0, part);
        give_back(kReceive, *chain, told ? static_cast<uint32_t>(part.size()) : 0);
    }
}

void VirtioConsole::take_output() {
    while (const VirtioQueue::Chain* chain = take(kTransmit)) {
        std::array<uint8_t, 256> bytes;
        const uint64_t size = chain->readable_bytes();
        for (uint64_t done = 0; done < size;) {
            const auto part = std::span(bytes).first(std::min<uint64_t>(size - done, bytes.size()));
            if (!read_chain(memory(), *chain, done, part)) break;
            for (const uint8_t byte : part) sink_.put(byte);
            done += part.size();
        }
        give_back(kTransmit, *chain, 0);
    }
}

}  // namespace forkscope::devices
