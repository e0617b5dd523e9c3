// The local APIC of one CPU with its timer (Intel SDM vol. 3, chapter 11; xAPIC mode). Citations are to it.
// It stands between the 8259 pair and the CPU: LINT0 is the pair's output. Its own ID is 0: there is one CPU.
#pragma once

#include <array>
#include <cstdint>

#include "emu/bus/apic_bus.hpp"
#include "emu/bus/clock.hpp"
#include "emu/bus/irq.hpp"
#include "emu/bus/mmio_bus.hpp"

namespace forkscope::devices {

class LocalApic final : public bus::MmioDevice,
                        public bus::InterruptController,
                        public bus::ApicReceiver,
                        public bus::IrqListener {
public:
    static constexpr uint64_t kBytes = 4096;
    static constexpr uint64_t kBase = 0xfee0'0000;
    // Of the timer before its divider: one tick a virtual nanosecond.
    static constexpr uint64_t kHz = kNsPerSecond;

    using VectorSet = std::array<uint32_t, 8>;
    enum Lvt : uint8_t { Timer, Thermal, Performance, Lint0, Lint1, ErrorLvt, kLvts };

    struct Regs {
        uint64_t base = kBase | 0x900;  // enabled, bootstrap processor
        uint8_t id = 0;
        uint8_t tpr = 0;
        uint8_t ldr = 0;
        uint8_t dfr = 0xf0;  // bits 31..24
        uint32_t spurious = 0xff;
        uint32_t error = 0, error_seen = 0;
        uint32_t icr_low = 0, icr_high = 0;
        std::array<uint32_t, kLvts> lvt{};
        VectorSet isr{}, irr{}, tmr{};
        uint32_t divide = 0;
        uint32_t initial_count = 0;
        VirtualNs timer_start = 0;
        bool lint0_level = false;
        bool operator==(const Regs&) const = default;
    };

    // external: the controller behind LINT0. listener: hears the end of level-triggered interrupts.
    LocalApic(bus::TimerQueue& timers, bus::InterruptController& external,
              bus::EndOfInterruptListener& listener);

    [[nodiscard]] bus::WidthSet widths() const override { return bus::width_set(bus::Width::Dword); }
    [[nodiscard]] uint64_t read(const bus::MmioAccess& access) override;
    void write(const bus::MmioAccess& access, uint64_t value) override;

    [[nodiscard]] uint8_t acknowledge() override;
    [[nodiscard]] uint64_t apic_base() const override { return regs_.base; }
    [[nodiscard]] bool set_apic_base(uint64_t value) override;
    [[nodiscard]] uint8_t task_priority_class() const override { return regs_.tpr >> 4; }
    void set_task_priority_class(uint8_t value) override;
    void receive(const bus::ApicMessage& message) override;
    // LINT0.
    void set_input(unsigned input, bool level) override;

    // As firmware leaves it: LINT0 passes the 8259's interrupts on ("virtual wire mode").
    void reset();
    [[nodiscard]] const Regs& regs() const { return regs_; }
    void restore(const Regs& regs);

private:
    [[nodiscard]] bool globally_enabled() const;
    [[nodiscard]] bool software_enabled() const;
    [[nodiscard]] bool passes_external() const;
    [[nodiscard]] uint8_t processor_priority() const;
    // The request that may interrupt now, 0 if none may.
    [[nodiscard]] uint8_t deliverable() const;
    [[nodiscard]] bool is_destination(const bus::ApicMessage& message) const;
    [[nodiscard]] uint64_t divider() const;
    [[nodiscard]] uint32_t current_count() const;
    [[nodiscard]] uint32_t read_register(unsigned index);
    void write_register(unsigned index, uint32_t value);
    void write_spurious(uint32_t value);
    void write_lvt(unsigned entry, uint32_t value);
    void request(uint8_t vector, bus::TriggerMode trigger);
    void end_of_interrupt();
    void send(uint32_t command);
    void start_timer();
    void timer_expired();
    void update();

    bus::VirtualClock const& clock_;
    bus::InterruptController& external_;
    bus::EndOfInterruptListener& listener_;
    Regs regs_;
    bus::Timer timer_;
};

}  // namespace forkscope::devices
