// A virtio console of one port (Virtual I/O Device specification 1.2, 5.3 "Console Device").
#pragma once

#include <deque>
#include <span>

#include "devices/virtio.hpp"
#include "emu/bus/byte_sink.hpp"

namespace forkscope::devices {

class VirtioConsole final : public VirtioDevice {
public:
    VirtioConsole(bus::GuestMemory& memory, bus::IrqLine& irq, bus::ByteSink& sink);

    // Bytes from the host; they wait until the driver has room.
    void receive(std::span<const uint8_t> bytes);

private:
    void notified(unsigned queue) override;
    void give_input();
    void take_output();

    bus::ByteSink& sink_;
    std::deque<uint8_t> input_;
};

}  // namespace forkscope::devices
