// Real-time clock and CMOS memory of a PC (Motorola MC146818A and its successors). Its calendar starts
// at a fixed instant and goes on with virtual time. Citations are to the MC146818A data sheet.
#pragma once

#include <array>
#include <cstdint>

#include "emu/bus/clock.hpp"
#include "emu/bus/irq.hpp"
#include "emu/bus/port_bus.hpp"

namespace forkscope::devices {

// Two ports: offset 0 takes the index of a register (bit 7, the NMI mask, is ignored) and reads all ones;
// offset 1 is that register.
class CmosRtc final : public bus::PortDevice {
public:
    static constexpr unsigned kRegisters = 128;
    // 2024-01-01 00:00:00 UTC: the date at which every run begins unless it is told another.
    static constexpr int64_t kDefaultStart = 1'704'067'200;

    struct Config {
        int64_t start = kDefaultStart;  // seconds since 1970-01-01 00:00:00 UTC
        uint64_t low_ram = 0;           // bytes from address 0, for the memory-size registers
        uint64_t high_ram = 0;          // bytes from 4 GiB
    };

    struct Regs {
        uint8_t index = 0;
        // All registers as stored; of clock and calendar, only while they are frozen.
        std::array<uint8_t, kRegisters> bytes{};
        // The divider chain: ticks of 32,768 Hz, divider_ticks of them at divider_start.
        VirtualNs divider_start = 0;
        uint64_t divider_ticks = 0;
        // Seconds since 1970 when the divider stood at 0.
        int64_t epoch = 0;
        uint64_t seen_ticks = 0;  // up to which the flags of register C have been raised
        bool operator==(const Regs&) const = default;
    };

    // irq: IRQ 8.
    CmosRtc(bus::TimerQueue& timers, bus::IrqLine& irq, const Config& config);

    [[nodiscard]] uint32_t read(const bus::PortAccess& access) override;
    void write(const bus::PortAccess& access, uint32_t value) override;

    // As after power-on; CMOS memory too, which here has no battery.
    void reset();
    [[nodiscard]] const Regs& regs() const { return regs_; }
    void restore(const Regs& regs);

private:
    [[nodiscard]] bool is_divider_held() const;
    // Clock and calendar stand still: SET in register B, or the divider is held.
    [[nodiscard]] bool is_frozen() const;
    [[nodiscard]] uint64_t ticks_at(VirtualNs now) const;
    [[nodiscard]] VirtualNs time_of(uint64_t ticks) const;
    [[nodiscard]] uint64_t periodic_ticks() const;
    [[nodiscard]] int64_t seconds_at(uint64_t ticks) const;
    // Ticks at which the next alarm comes after `ticks`.
    [[nodiscard]] uint64_t next_alarm(uint64_t ticks) const;

    [[nodiscard]] uint8_t encode(unsigned value) const;
    [[nodiscard]] unsigned decode(uint8_t byte) const;
    [[nodiscard]] uint8_t encode_hour(unsigned hour) const;
    [[nodiscard]] unsigned decode_hour(uint8_t byte) const;
    // The calendar between seconds and the stored registers.
    void store_calendar(int64_t seconds);
    [[nodiscard]] int64_t stored_calendar() const;

    [[nodiscard]] uint8_t read_register(uint8_t index);
    void write_register(uint8_t index, uint8_t value);
    void write_a(uint8_t value);
    void write_b(uint8_t value);
    void fill_memory_sizes();
    // Raises the flags of register C for what happened up to now.
    void advance_to(VirtualNs now);
    // The interrupt line and the timer follow registers B and C.
    void update();

    const bus::VirtualClock& clock_;
    bus::IrqLine& irq_;
    Config config_;
    Regs regs_;
    bus::Timer timer_;
};

}  // namespace forkscope::devices
