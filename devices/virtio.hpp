// A virtio device behind memory addresses (Virtual I/O Device specification 1.2, 4.2 "Virtio Over MMIO",
// without the legacy interface). Requests are carried out while the driver notifies: nothing is left open.
#pragma once

#include <cstdint>
#include <span>

#include "devices/virtio_queue.hpp"
#include "emu/bus/guest_memory.hpp"
#include "emu/bus/irq.hpp"
#include "emu/bus/mmio_bus.hpp"

namespace forkscope::devices {

class VirtioDevice : public bus::MmioDevice {
public:
    static constexpr uint64_t kBytes = 0x200;
    static constexpr unsigned kMostQueues = 2;

    struct Regs {
        uint32_t status = 0;
        uint32_t features_select = 0, driver_features_select = 0;
        uint64_t driver_features = 0;
        uint32_t queue_select = 0;
        uint32_t interrupt_status = 0;
        VirtioQueue::Regs queues[kMostQueues];
        bool operator==(const Regs&) const = default;
    };

    [[nodiscard]] uint64_t read(const bus::MmioAccess& access) final;
    void write(const bus::MmioAccess& access, uint64_t value) final;

    void reset();
    [[nodiscard]] Regs regs() const;
    void restore(const Regs& regs);

protected:
    // id: the device type (5 "Device Types"); features: beyond VERSION_1; queues: how many it has.
    VirtioDevice(bus::GuestMemory& memory, bus::IrqLine& irq, uint32_t id, uint64_t features,
                 unsigned queues);

    // The driver says that there is something in the queue.
    virtual void notified(unsigned queue) = 0;
    // Bytes of the device's configuration; offsets past its end read 0.
    [[nodiscard]] virtual std::span<const uint8_t> configuration() const { return {}; }

    [[nodiscard]] bool driver_ok() const;
    // The next request of a queue, or null. It is to be given back before the next is taken.
    [[nodiscard]] const VirtioQueue::Chain* take(unsigned queue);
    void give_back(unsigned queue, const VirtioQueue::Chain& chain, uint32_t written);
    [[nodiscard]] bus::GuestMemory& memory() { return memory_; }

private:
    [[nodiscard]] uint32_t read_register(uint64_t offset) const;
    void write_register(uint64_t offset, uint32_t value);
    void write_queue_address(uint64_t offset, uint32_t value);
    void write_status(uint32_t value);
    void raise(uint32_t reason);
    // The driver broke the rules: it must reset (2.1.2).
    void needs_reset();

    bus::GuestMemory& memory_;
    bus::IrqLine& irq_;
    uint32_t id_;
    uint64_t features_;
    unsigned queue_count_;
    Regs regs_;  // without the queues'
    VirtioQueue queues_[kMostQueues];
    VirtioQueue::Chain chain_;
};

}  // namespace forkscope::devices
