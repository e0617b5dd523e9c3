// Interrupt request lines, and what a CPU needs to know of the interrupt controller at their end.
#pragma once

#include <cstdint>
#include <vector>

namespace forkscope::bus {

// The controller's side of a line.
class IrqListener {
public:
    virtual ~IrqListener() = default;
    // The line at this input changed to `level`; called at changes only.
    virtual void set_input(unsigned input, bool level) = 0;
};

// A wire: one device drives it, any number of controllers listen. Low until driven.
class IrqLine {
public:
    IrqLine() = default;
    IrqLine(const IrqLine&) = delete;
    IrqLine& operator=(const IrqLine&) = delete;

    // The listener must outlive the line; it is told at once if the line is high.
    void connect(IrqListener& listener, unsigned input) {
        taps_.push_back({&listener, input});
        if (level_) listener.set_input(input, true);
    }

    [[nodiscard]] bool level() const { return level_; }
    void set(bool level) {
        if (level == level_) return;
        level_ = level;
        for (const Tap& tap : taps_) tap.listener->set_input(tap.input, level);
    }
    void raise() { set(true); }
    void lower() { set(false); }

private:
    struct Tap {
        IrqListener* listener;
        unsigned input;
    };
    std::vector<Tap> taps_;
    bool level_ = false;
};

// What a CPU asks at its INTR pin.
class InterruptController {
public:
    virtual ~InterruptController() = default;

    // The level of the INTR output. A plain load: the CPU asks before every block.
    [[nodiscard]] bool pending() const { return pending_; }

    // The interrupt-acknowledge cycle: the vector to deliver. Call it only when the CPU really takes
    // the interrupt; a request that vanished since pending() gives the controller's spurious vector.
    [[nodiscard]] virtual uint8_t acknowledge() = 0;

    // The NMI pin: an edge that waits until the CPU takes it.
    [[nodiscard]] bool nmi_pending() const { return nmi_pending_; }
    void take_nmi() { nmi_pending_ = false; }

    // The CPU's APIC_BASE register, which is the controller's (Intel SDM vol. 3, 11.4.4 "Local APIC Status
    // and Location"). Without a local APIC it reads 0. set: false is a value that raises #GP.
    [[nodiscard]] virtual uint64_t apic_base() const { return 0; }
    [[nodiscard]] virtual bool set_apic_base(uint64_t value) { return value == 0; }

    // CR8: the priority class, 0 to 15, that interrupts must exceed (SDM vol. 3, 11.8.6 "Task Priority in
    // IA-32e Mode"). Without a local APIC it is 0.
    [[nodiscard]] virtual uint8_t task_priority_class() const { return 0; }
    virtual void set_task_priority_class(uint8_t) {}

protected:
    void set_pending(bool pending) { pending_ = pending; }
    void raise_nmi() { nmi_pending_ = true; }

private:
    bool pending_ = false;
    bool nmi_pending_ = false;
};

}  // namespace forkscope::bus
