// A virtio disk (Virtual I/O Device specification 1.2, 5.2 "Block Device").
#pragma once

#include <array>

#include "devices/virtio.hpp"
#include "emu/bus/block_store.hpp"

namespace forkscope::devices {

class VirtioBlock final : public VirtioDevice {
public:
    VirtioBlock(bus::GuestMemory& memory, bus::IrqLine& irq, bus::BlockStore& store);

private:
    struct Outcome {
        uint8_t status;
        uint32_t written;  // bytes before the status
    };

    void notified(unsigned queue) override;
    [[nodiscard]] std::span<const uint8_t> configuration() const override { return config_; }
    [[nodiscard]] Outcome carry_out(const VirtioQueue::Chain& chain, uint64_t room);
    [[nodiscard]] Outcome transfer(const VirtioQueue::Chain& chain, uint32_t type, uint64_t sector,
                                   uint64_t room);

    bus::BlockStore& store_;
    std::array<uint8_t, 60> config_{};
};

}  // namespace forkscope::devices
