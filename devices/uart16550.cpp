#include "devices/uart16550.hpp"

#include <utility>

namespace forkscope::devices {

namespace {

// Offsets; the first two are the divisor while LCR bit 7 is set.
enum Register : uint16_t { Data = 0, Ier = 1, IirFcr = 2, Lcr = 3, Mcr = 4, Lsr = 5, Msr = 6, Scr = 7 };

constexpr uint8_t kIerReceived = 0x01;
constexpr uint8_t kIerTransmitter = 0x02;
constexpr uint8_t kIerLineStatus = 0x04;
constexpr uint8_t kIerModem = 0x08;

// IIR, "Interrupt Control Functions": highest priority first.
constexpr uint8_t kIirLineStatus = 0x06;
constexpr uint8_t kIirReceived = 0x04;
constexpr uint8_t kIirTimeout = 0x0c;
constexpr uint8_t kIirTransmitter = 0x02;
constexpr uint8_t kIirModem = 0x00;
constexpr uint8_t kIirNone = 0x01;
constexpr uint8_t kIirFifos = 0xc0;

constexpr uint8_t kFcrEnable = 0x01;
constexpr uint8_t kFcrClearReceive = 0x02;
constexpr uint8_t kFcrClearTransmit = 0x04;
constexpr std::array<uint8_t, 4> kTriggerLevels = {1, 4, 8, 14};

constexpr uint8_t kMcrDtr = 0x01;
constexpr uint8_t kMcrRts = 0x02;
constexpr uint8_t kMcrOut1 = 0x04;
constexpr uint8_t kMcrOut2 = 0x08;

constexpr uint8_t kLsrData = 0x01;
constexpr uint8_t kLsrOverrun = 0x02;
constexpr uint8_t kLsrHoldingEmpty = 0x20;
constexpr uint8_t kLsrAllEmpty = 0x40;

constexpr uint8_t kMsrCts = 0x10;
constexpr uint8_t kMsrDsr = 0x20;
constexpr uint8_t kMsrRing = 0x40;
constexpr uint8_t kMsrCarrier = 0x80;

constexpr uint64_t kCrystalHz = 1'843'200;

}  // namespace

Uart16550::Uart16550(bus::TimerQueue& timers, bus::IrqLine& irq, bus::ByteSink& sink, SerialPace pace)
    : clock_(timers.clock()),
      irq_(irq),
      sink_(sink),
      pace_(pace),
      transmit_timer_(timers,
                      [this](VirtualNs at) {
                          run_transmitter(at);
                          update();
                      }),
      receive_timer_(timers,
                     [this](VirtualNs at) {
                         run_receiver(at);
                         update();
                     }),
      timeout_timer_(timers, [this](VirtualNs) {
          regs_.timeout_at = bus::kNever;
          regs_.receive_timeout = true;
          update();
      }) {}

void Uart16550::reset() { restore(Regs{}); }

void Uart16550::restore(const Regs& regs) {
    regs_ = regs;
    run_receiver(clock_.now());
    update();
}

// Start bit, 5 to 8 data bits, parity, 1 or 2 stop bits; one bit takes 16 * divisor crystal periods.
VirtualNs Uart16550::character_time() const {
    const uint64_t data_bits = 5u + (regs_.lcr & 3);
    const uint64_t half_bits = 2 * (1 + data_bits + ((regs_.lcr & 8) != 0 ? 1 : 0));
    // "1 1/2 stop bits" with five data bits
    const uint64_t stop_halves = (regs_.lcr & 4) == 0 ? 2 : data_bits == 5 ? 3 : 4;
    // The counter runs through zero last, so that 0 divides by 65536.
    const uint64_t divisor = regs_.divisor == 0 ? 65536 : regs_.divisor;
    return (half_bits + stop_halves) * 8 * divisor * kNsPerSecond / kCrystalHz;
}

void Uart16550::receive(std::span<const uint8_t> bytes) {
    from_host_.insert(from_host_.end(), bytes.begin(), bytes.end());
    run_receiver(clock_.now());
    update();
}

void Uart16550::run_receiver(VirtualNs now) {
    for (VirtualNs start = now;;) {
        const bool has_room = regs_.receive.count < capacity();
        if (from_host_.empty() || is_looped() || !has_room) {
            // A character that cannot come in now starts over when it can.
            regs_.receive_done = bus::kNever;
            return;
        }
        if (pace_ == SerialPace::Line) {
            if (regs_.receive_done == bus::kNever) regs_.receive_done = start + character_time();
            if (regs_.receive_done > now) return;
            start = std::exchange(regs_.receive_done, bus::kNever);
        }
        const uint8_t byte = from_host_.front();
        from_host_.pop_front();
        received(byte, start);
    }
}

void Uart16550::received(uint8_t byte, VirtualNs now) {
    restart_timeout(now);
    if (regs_.receive.count < capacity()) {
        regs_.receive.push(byte);
        return;
    }
    regs_.overrun = true;
    // With FIFOs "the character in the shift register is overwritten", without them the waiting one is.
    if (!fifos_enabled()) regs_.receive.bytes[regs_.receive.first] = byte;
}

// "The most recent serial character received, or CPU read of the FIFO, was longer than 4 continuous
// character times ago."
void Uart16550::restart_timeout(VirtualNs now) {
    regs_.receive_timeout = false;
    regs_.timeout_at = now + 4 * character_time();
}

void Uart16550::run_transmitter(VirtualNs now) {
    for (VirtualNs start = now;;) {
        if (regs_.shifting) {
            if (regs_.transmit_done > now) return;
            regs_.shifting = false;
            start = std::exchange(regs_.transmit_done, bus::kNever);
            transmitted(regs_.shift, start);
        }
        if (regs_.transmit.count == 0) return;
        regs_.shift = regs_.transmit.pop();
        regs_.shifting = true;
        regs_.transmit_done = pace_ == SerialPace::Line ? start + character_time() : start;
        if (regs_.transmit.count == 0) regs_.transmitter_empty_irq = true;
    }
}

void Uart16550::transmitted(uint8_t byte, VirtualNs now) {
    if (is_looped()) {
        received(byte, now);
    } else {
        sink_.put(byte);
    }
}

uint32_t Uart16550::read(const bus::PortAccess& access) {
    uint8_t value = 0;
    switch (access.offset) {
        case Data:
            value = is_divisor_access() ? static_cast<uint8_t>(regs_.divisor) : read_receiver();
            break;
        case Ier:
            value = is_divisor_access() ? static_cast<uint8_t>(regs_.divisor >> 8) : regs_.ier;
            break;
        case IirFcr:
            value = read_iir();
            break;
        case Lcr:
            value = regs_.lcr;
            break;
        case Mcr:
            value = regs_.mcr;
            break;
        case Lsr:
            value = read_lsr();
            break;
        case Msr:
            value = read_msr();
            break;
        case Scr:
            value = regs_.scr;
            break;
        default:
            break;
    }
    update();
    return value;
}

void Uart16550::write(const bus::PortAccess& access, uint32_t value) {
    const auto byte = static_cast<uint8_t>(value);
    switch (access.offset) {
        case Data:
            if (is_divisor_access()) {
                regs_.divisor = static_cast<uint16_t>((regs_.divisor & 0xff00) | byte);
            } else {
                write_transmitter(byte);
            }
            break;
        case Ier:
            if (is_divisor_access()) {
                regs_.divisor = static_cast<uint16_t>((regs_.divisor & 0x00ff) | (byte << 8));
            } else {
                write_ier(byte);
            }
            break;
        case IirFcr:
            write_fcr(byte);
            break;
        case Lcr:
            regs_.lcr = byte;
            break;
        case Mcr:
            write_mcr(byte);
            break;
        case Scr:
            regs_.scr = byte;
            break;
        default:
            break;  // LSR and MSR: writes are for factory testing
    }
    update();
}

uint8_t Uart16550::read_receiver() {
    if (regs_.receive.count == 0) return regs_.last_received;
    const VirtualNs now = clock_.now();
    regs_.last_received = regs_.receive.pop();
    restart_timeout(now);
    update();  // the line falls before the next character, already there, raises it again
    run_receiver(now);
    return regs_.last_received;
}

uint8_t Uart16550::pending_interrupt() const {
    if ((regs_.ier & kIerLineStatus) != 0 && regs_.overrun) return kIirLineStatus;
    if ((regs_.ier & kIerReceived) != 0) {
        const unsigned trigger = fifos_enabled() ? kTriggerLevels[regs_.fcr >> 6] : 1;
        if (regs_.receive.count >= trigger) return kIirReceived;
        if (regs_.receive_timeout) return kIirTimeout;
    }
    if ((regs_.ier & kIerTransmitter) != 0 && regs_.transmitter_empty_irq) return kIirTransmitter;
    if ((regs_.ier & kIerModem) != 0 && regs_.msr_deltas != 0) return kIirModem;
    return kIirNone;
}

// Reading IIR serves the transmitter's interrupt, if that is the one it shows.
uint8_t Uart16550::read_iir() {
    const uint8_t cause = pending_interrupt();
    if (cause == kIirTransmitter) regs_.transmitter_empty_irq = false;
    return static_cast<uint8_t>(cause | (fifos_enabled() ? kIirFifos : 0));
}

uint8_t Uart16550::read_lsr() {
    uint8_t value = 0;
    if (regs_.receive.count != 0) value |= kLsrData;
    if (regs_.overrun) value |= kLsrOverrun;
    if (regs_.transmit.count == 0) value |= kLsrHoldingEmpty;
    if (regs_.transmit.count == 0 && !regs_.shifting) value |= kLsrAllEmpty;
    regs_.overrun = false;
    return value;
}

// The host is always there and ready; looped back, the four outputs are the four inputs.
uint8_t Uart16550::modem_lines() const {
    if (!is_looped()) return kMsrCts | kMsrDsr | kMsrCarrier;
    uint8_t lines = 0;
    if ((regs_.mcr & kMcrRts) != 0) lines |= kMsrCts;
    if ((regs_.mcr & kMcrDtr) != 0) lines |= kMsrDsr;
    if ((regs_.mcr & kMcrOut1) != 0) lines |= kMsrRing;
    if ((regs_.mcr & kMcrOut2) != 0) lines |= kMsrCarrier;
    return lines;
}

uint8_t Uart16550::read_msr() {
    const auto value = static_cast<uint8_t>(modem_lines() | regs_.msr_deltas);
    regs_.msr_deltas = 0;
    return value;
}

void Uart16550::write_transmitter(uint8_t byte) {
    regs_.transmitter_empty_irq = false;
    update();  // the line falls before the character, perhaps gone at once, raises it again
    if (regs_.transmit.count == capacity()) {
        // The newest byte is lost, or takes the place of the one that waits.
        if (!fifos_enabled()) regs_.transmit.bytes[regs_.transmit.first] = byte;
        return;
    }
    regs_.transmit.push(byte);
    run_transmitter(clock_.now());
}

// Enabling the interrupt while the holding register is empty raises it anew.
void Uart16550::write_ier(uint8_t value) {
    const bool enabled_now = (value & kIerTransmitter) != 0 && (regs_.ier & kIerTransmitter) == 0;
    if (enabled_now && regs_.transmit.count == 0) regs_.transmitter_empty_irq = true;
    regs_.ier = value & 0x0f;
}

void Uart16550::write_fcr(uint8_t value) {
    const bool toggled = ((value ^ regs_.fcr) & kFcrEnable) != 0;
    // "This bit must be a 1 when other FCR bits are written to or they will not be programmed"; changing
    // it clears both FIFOs.
    if ((value & kFcrEnable) == 0) value = 0;
    if (toggled || (value & kFcrClearReceive) != 0) {
        regs_.receive = Fifo{};
        regs_.receive_timeout = false;
        regs_.timeout_at = bus::kNever;
    }
    if ((toggled || (value & kFcrClearTransmit) != 0) && regs_.transmit.count != 0) {
        regs_.transmit = Fifo{};
        regs_.transmitter_empty_irq = true;
    }
    regs_.fcr = value & (0xc0 | kFcrEnable);
    run_receiver(clock_.now());
}

void Uart16550::write_mcr(uint8_t value) {
    const uint8_t before = modem_lines();
    regs_.mcr = value & 0x1f;
    const auto changed = static_cast<uint8_t>(before ^ modem_lines());
    const uint8_t any_edge = kMsrCts | kMsrDsr | kMsrCarrier;
    // The ring indicator reports its trailing edge only.
    const auto ring_ended = static_cast<uint8_t>(changed & before & kMsrRing);
    regs_.msr_deltas |= static_cast<uint8_t>(((changed & any_edge) | ring_ended) >> 4);
    run_receiver(clock_.now());
}

void Uart16550::update() {
    if (regs_.receive.count == 0 || !fifos_enabled()) {
        regs_.receive_timeout = false;
        regs_.timeout_at = bus::kNever;
    }
    // A PC lets the interrupt out only while OUT2 is set.
    irq_.set((regs_.mcr & kMcrOut2) != 0 && pending_interrupt() != kIirNone);
    transmit_timer_.arm(regs_.transmit_done);
    receive_timer_.arm(regs_.receive_done);
    timeout_timer_.arm(regs_.receive_timeout ? bus::kNever : regs_.timeout_at);
}

}  // namespace forkscope::devices
