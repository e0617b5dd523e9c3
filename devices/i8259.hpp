// Intel 8259A interrupt controllers, two in cascade as in a PC: the slave's output is the master's
// input 2. Citations are to the 8259A data sheet.
#pragma once

#include <cstdint>

#include "emu/bus/irq.hpp"
#include "emu/bus/port_bus.hpp"

namespace forkscope::devices {

// One chip. Two ports: offset 0 takes ICW1, OCW2 and OCW3 and reads IRR, ISR or the poll byte;
// offset 1 takes ICW2 to ICW4 and OCW1 and reads IMR.
class I8259 final : public bus::PortDevice, public bus::IrqListener {
public:
    enum class Role : uint8_t { Master, Slave };
    // Where the chip stands in its initialization sequence.
    enum class Step : uint8_t { Uninitialized, Icw2, Icw3, Icw4, Ready };

    struct Regs {
        Step step = Step::Uninitialized;
        uint8_t lines = 0;   // levels at the inputs
        uint8_t irr = 0;     // requests
        uint8_t isr = 0;     // in service
        uint8_t imr = 0;     // masked
        uint8_t elcr = 0;    // inputs set to level by the chipset, whatever ICW1 says
        uint8_t icw1 = 0;    // as written
        uint8_t vector = 0;  // ICW2: vector of input 0
        uint8_t icw3 = 0;    // master: inputs with a slave; slave: its number
        uint8_t icw4 = 0;
        uint8_t lowest = 7;  // input with the lowest priority
        bool rotate_on_auto_eoi = false;
        bool special_mask = false;
        bool poll = false;      // the next read is a poll
        bool read_isr = false;  // offset 0 reads ISR rather than IRR
        bool operator==(const Regs&) const = default;
    };

    // elcr_mask: inputs that the chipset lets be level triggered.
    I8259(Role role, uint8_t elcr_mask) : role_(role), elcr_mask_(elcr_mask) {}

    // The INT output.
    [[nodiscard]] bus::IrqLine& output() { return output_; }
    // An interrupt-acknowledge cycle: the input that is served, or none when the request vanished.
    struct Acknowledged {
        unsigned input;  // 7 when spurious
        bool spurious;
    };
    Acknowledged acknowledge();
    // Whether a slave sits at this input and answers for it.
    [[nodiscard]] bool has_slave(unsigned input) const;
    [[nodiscard]] uint8_t vector_of(unsigned input) const {
        return static_cast<uint8_t>(regs_.vector + input);
    }

    void set_elcr(uint8_t value);
    void set_input(unsigned input, bool level) override;
    [[nodiscard]] uint32_t read(const bus::PortAccess& access) override;
    void write(const bus::PortAccess& access, uint32_t value) override;

    // The levels at the inputs are the devices', and stay.
    void reset();
    [[nodiscard]] const Regs& regs() const { return regs_; }
    void restore(const Regs& regs);

private:
    [[nodiscard]] uint8_t level_inputs() const;
    // Place in the order of priority, 0 the highest.
    [[nodiscard]] unsigned rank_of(unsigned input) const { return (input + 7 - regs_.lowest) & 7; }
    // The input of highest priority in a set, 8 if the set is empty.
    [[nodiscard]] unsigned highest(uint8_t inputs) const;
    // The request that may interrupt now, 8 if none may.
    [[nodiscard]] unsigned deliverable() const;
    void serve(unsigned input);
    void write_icw1(uint8_t value);
    void write_ocw2(uint8_t value);
    void write_ocw3(uint8_t value);
    void end_of_interrupt(unsigned input);
    void update_output();

    Role role_;
    uint8_t elcr_mask_;
    Regs regs_;
    bus::IrqLine output_;
};

// The pair: 15 inputs (input 2 is the cascade), one INTR output, one vector an acknowledge cycle.
class I8259Pair final : public bus::InterruptController, public bus::IrqListener {
public:
    I8259Pair();

    [[nodiscard]] uint8_t acknowledge() override;
    void set_input(unsigned input, bool level) override;

    [[nodiscard]] I8259& master() { return master_; }
    [[nodiscard]] I8259& slave() { return slave_; }
    // The edge/level control registers: offset 0 for inputs 0 to 7, offset 1 for inputs 8 to 15.
    [[nodiscard]] bus::PortDevice& elcr() { return elcr_; }

    struct Regs {
        I8259::Regs master;
        I8259::Regs slave;
        bool operator==(const Regs&) const = default;
    };
    void reset();
    [[nodiscard]] Regs regs() const { return {master_.regs(), slave_.regs()}; }
    // Restore the devices that drive the inputs first: their lines move, and these registers then say
    // what had become of it.
    void restore(const Regs& regs);

private:
    class Elcr final : public bus::PortDevice {
    public:
        explicit Elcr(I8259Pair& pair) : pair_(pair) {}
        [[nodiscard]] uint32_t read(const bus::PortAccess& access) override;
        void write(const bus::PortAccess& access, uint32_t value) override;

    private:
        I8259Pair& pair_;
    };
    // Takes the master's output to the CPU's pin.
    class IntrPin final : public bus::IrqListener {
    public:
        explicit IntrPin(I8259Pair& pair) : pair_(pair) {}
        void set_input(unsigned, bool level) override { pair_.set_pending(level); }

    private:
        I8259Pair& pair_;
    };

    I8259 master_;
    I8259 slave_;
    Elcr elcr_{*this};
    IntrPin pin_{*this};
};

}  // namespace forkscope::devices
