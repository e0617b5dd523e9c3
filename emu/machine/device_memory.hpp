// Guest RAM as devices reach it: what they write is seen by the MMU and by the CPU's code cache.
#pragma once

#include <cstring>

#include "emu/bus/guest_memory.hpp"
#include "emu/cpu/cpu.hpp"
#include "emu/mem/guest_ram.hpp"

namespace forkscope::machine {

class DeviceMemory final : public bus::GuestMemory {
public:
    explicit DeviceMemory(mem::GuestRam& ram) : ram_(ram) {}
    // Until it is set, nothing can be written. The CPU outlives the use of this.
    void connect(cpu::Cpu& cpu) { cpu_ = &cpu; }

    [[nodiscard]] bool read(PhysAddr from, std::span<uint8_t> to) override {
        const uint8_t* bytes = ram_.at(from, to.size());
        if (bytes == nullptr) return false;
        if (!to.empty()) std::memcpy(to.data(), bytes, to.size());
        return true;
    }
    [[nodiscard]] bool write(PhysAddr to, std::span<const uint8_t> from) override {
        return cpu_ != nullptr && cpu_->write_for_device(to, from);
    }

private:
    mem::GuestRam& ram_;
    cpu::Cpu* cpu_ = nullptr;
};

}  // namespace forkscope::machine
