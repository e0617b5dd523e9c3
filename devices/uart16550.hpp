// National Semiconductor PC16550D serial port. Citations are to its data sheet.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <span>

#include "emu/bus/byte_sink.hpp"
#include "emu/bus/clock.hpp"
#include "emu/bus/irq.hpp"
#include "emu/bus/port_bus.hpp"

namespace forkscope::devices {

// How fast characters move: at once, or one in the time that the programmed line parameters take.
enum class SerialPace : uint8_t { Immediate, Line };

// Eight ports. At the other end of the line stands the host: it takes every byte, and its own bytes wait
// while the receiver is full or looped back, so they are never overrun.
class Uart16550 final : public bus::PortDevice {
public:
    static constexpr unsigned kFifoBytes = 16;

    struct Fifo {
        std::array<uint8_t, kFifoBytes> bytes{};
        uint8_t first = 0;
        uint8_t count = 0;
        bool operator==(const Fifo&) const = default;

        void push(uint8_t byte) { bytes[(first + count++) % kFifoBytes] = byte; }
        uint8_t pop() {
            const uint8_t byte = bytes[first];
            first = static_cast<uint8_t>((first + 1) % kFifoBytes);
            --count;
            return byte;
        }
    };

    struct Regs {
        Fifo receive;               // with FIFOs off, the receiver buffer: one byte
        Fifo transmit;              // with FIFOs off, the transmitter holding register: one byte
        uint8_t last_received = 0;  // what an empty receiver buffer still reads as
        bool shifting = false;      // a character is in the transmitter's shift register
        uint8_t shift = 0;
        uint8_t ier = 0;
        uint8_t fcr = 0;
        uint8_t lcr = 0;
        uint8_t mcr = 0;
        uint8_t msr_deltas = 0;
        uint8_t scr = 0;
        uint16_t divisor = 12;
        bool overrun = false;
        bool transmitter_empty_irq = false;  // an unserved "holding register empty"
        bool receive_timeout = false;
        // Times at which the line is done with what it does; kNever when it does nothing.
        VirtualNs transmit_done = bus::kNever;
        VirtualNs receive_done = bus::kNever;
        VirtualNs timeout_at = bus::kNever;
        bool operator==(const Regs&) const = default;
    };

    Uart16550(bus::TimerQueue& timers, bus::IrqLine& irq, bus::ByteSink& sink, SerialPace pace);

    // Bytes from the host, at the present virtual time.
    void receive(std::span<const uint8_t> bytes);
    // How many of them still wait.
    [[nodiscard]] size_t backlog() const { return from_host_.size(); }

    [[nodiscard]] uint32_t read(const bus::PortAccess& access) override;
    void write(const bus::PortAccess& access, uint32_t value) override;

    // What the host has sent and the guest has not seen stays.
    void reset();
    [[nodiscard]] const Regs& regs() const { return regs_; }
    void restore(const Regs& regs);

private:
    [[nodiscard]] bool fifos_enabled() const { return (regs_.fcr & 1) != 0; }
    [[nodiscard]] bool is_divisor_access() const { return (regs_.lcr & 0x80) != 0; }
    [[nodiscard]] bool is_looped() const { return (regs_.mcr & 0x10) != 0; }
    [[nodiscard]] unsigned capacity() const { return fifos_enabled() ? kFifoBytes : 1; }
    [[nodiscard]] VirtualNs character_time() const;

    [[nodiscard]] uint8_t read_receiver();
    [[nodiscard]] uint8_t read_iir();
    [[nodiscard]] uint8_t read_lsr();
    [[nodiscard]] uint8_t read_msr();
    [[nodiscard]] uint8_t modem_lines() const;
    [[nodiscard]] uint8_t pending_interrupt() const;
    void write_transmitter(uint8_t byte);
    void write_ier(uint8_t value);
    void write_fcr(uint8_t value);
    void write_mcr(uint8_t value);

    // Moves characters whose time has come, and starts the next.
    void run_transmitter(VirtualNs now);
    void run_receiver(VirtualNs now);
    void transmitted(uint8_t byte, VirtualNs now);
    void received(uint8_t byte, VirtualNs now);
    void restart_timeout(VirtualNs now);
    // After any change: the interrupt output and the timers follow the registers.
    void update();

    const bus::VirtualClock& clock_;
    bus::IrqLine& irq_;
    bus::ByteSink& sink_;
    SerialPace pace_;
    Regs regs_;
    std::deque<uint8_t> from_host_;
    bus::Timer transmit_timer_;
    bus::Timer receive_timer_;
    bus::Timer timeout_timer_;
};

}  // namespace forkscope::devices
