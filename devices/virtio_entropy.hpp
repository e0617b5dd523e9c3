// A virtio source of random bytes (Virtual I/O Device specification 1.2, 5.4 "Entropy Device"). They come
// from a generator that begins with the same state in every run, so that runs repeat: good for tests, not for
// secrets.
#pragma once

#include "devices/virtio.hpp"

namespace forkscope::devices {

class VirtioEntropy final : public VirtioDevice {
public:
    VirtioEntropy(bus::GuestMemory& memory, bus::IrqLine& irq);

private:
    void notified(unsigned queue) override;
    uint64_t state_ = 1;
};

}  // namespace forkscope::devices
