// All devices on one bus, driven by a script of bytes: for random tests and for the fuzzer. Whatever a
// guest does to the ports, the invariants below hold.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "devices/cmos_rtc.hpp"
#include "devices/debug_console.hpp"
#include "devices/event_port.hpp"
#include "devices/i8254.hpp"
#include "devices/i8259.hpp"
#include "devices/isa_debug_exit.hpp"
#include "devices/uart16550.hpp"
#include "tests/devices/bench.hpp"

namespace forkscope::devices {

class PortStorm final : public AnnouncementListener {
public:
    PortStorm();

    // A script that makes the chips ready as a kernel does: controllers, a periodic timer, serial interrupts.
    [[nodiscard]] static std::vector<uint8_t> prologue();

    // Everything that a guest can see.
    struct State {
        I8259Pair::Regs pic;
        I8254::Regs pit;
        Uart16550::Regs com1, com2;
        CmosRtc::Regs rtc;
        EventPort::Regs events;
        VirtualNs now;
        bool operator==(const State&) const = default;
    };
    [[nodiscard]] State state() const {
        return {pic_.regs(), pit_.regs(),    com1_.regs(), com2_.regs(),
                rtc_.regs(), events_.regs(), bench_.now()};
    }
    // Interrupts that the CPU took.
    [[nodiscard]] uint64_t interrupts() const { return interrupts_; }

    // Plays the script to its end. Null if every invariant held, else the one that did not.
    const char* run(std::span<const uint8_t> script);

    void announced(abi::Announcement, std::span<const uint64_t, abi::kEventWords>, CpuId) override {}

private:
    uint8_t next();
    uint16_t next_port();
    void step();
    void reset_all();
    void pass_time();
    void acknowledge();
    void save_and_restore();
    [[nodiscard]] const char* broken_invariant();

    Bench bench_;
    bus::PortBus bus_;
    bus::IrqLine timer_irq_, com1_irq_, com2_irq_, clock_irq_;
    StringSink sink_;
    I8259Pair pic_;
    I8254 pit_{bench_.timers, timer_irq_};
    Uart16550 com1_{bench_.timers, com1_irq_, sink_, SerialPace::Immediate};
    Uart16550 com2_{bench_.timers, com2_irq_, sink_, SerialPace::Line};
    CmosRtc rtc_{bench_.timers, clock_irq_, {}};
    IsaDebugExit exit_{[this](int status) { all_exits_odd_ &= (status & 1) == 1 && status < 256; }};
    DebugConsole console_{sink_};
    EventPort events_{*this};

    std::span<const uint8_t> script_;
    const char* broken_ = nullptr;
    bool all_exits_odd_ = true;
    uint64_t interrupts_ = 0;
};

}  // namespace forkscope::devices
