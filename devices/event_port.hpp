// The host's end of the event port (guest/abi/event_port.hpp): puts the words of an announcement
// together, for each CPU apart, and hands it on when its command comes.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "emu/bus/port_bus.hpp"
#include "guest/abi/event_port.hpp"

namespace forkscope::devices {

class AnnouncementListener {
public:
    virtual ~AnnouncementListener() = default;
    // code: as the guest wrote it, so perhaps none that this version knows.
    virtual void announced(abi::Announcement code, std::span<const uint64_t, abi::kEventWords> words,
                           CpuId cpu) = 0;
};

// The ports from kEventDataPort to the end of kEventSignaturePort. Only the three registers, each at its
// own width, are decoded; any other access reads all ones, is dropped, and is counted.
class EventPort final : public bus::PortDevice {
public:
    static constexpr uint32_t kPorts = abi::kEventSignaturePort - abi::kEventDataPort + 4;

    struct Gathered {
        std::array<uint64_t, abi::kEventWords> words{};
        uint8_t halves = 0;  // 32-bit halves written so far, at most 2 * kEventWords
        bool operator==(const Gathered&) const = default;
    };
    struct Regs {
        std::array<Gathered, 256> cpus;
        bool operator==(const Regs&) const = default;
    };

    explicit EventPort(AnnouncementListener& listener) : listener_(listener) {}

    [[nodiscard]] bus::WidthSet widths() const override {
        return bus::width_set(bus::Width::Word, bus::Width::Dword);
    }
    [[nodiscard]] uint32_t read(const bus::PortAccess& access) override;
    void write(const bus::PortAccess& access, uint32_t value) override;

    // Accesses inside the ports that fit none of the registers.
    [[nodiscard]] uint64_t misfits() const { return misfits_; }

    void reset() { regs_ = Regs{}; }
    [[nodiscard]] const Regs& regs() const { return regs_; }
    void restore(const Regs& regs) { regs_ = regs; }

private:
    AnnouncementListener& listener_;
    Regs regs_{};
    uint64_t misfits_ = 0;
};

}  // namespace forkscope::devices
