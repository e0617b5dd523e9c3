#include "devices/i8254.hpp"

namespace forkscope::devices {

namespace {

constexpr unsigned kCounters = 3;
constexpr uint64_t kRefreshPulses = 18;
constexpr uint8_t kPortBWritable = 0x0f;
constexpr uint8_t kGate2 = 0x01;

// Pulses at or before a time, and the first time at which so many pulses have been.
uint64_t pulses_at(VirtualNs now) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(now) * I8254::kHz / kNsPerSecond);
}

VirtualNs time_of(uint64_t pulses) {
    const auto scaled = static_cast<unsigned __int128>(pulses) * kNsPerSecond;
    return static_cast<VirtualNs>((scaled + I8254::kHz - 1) / I8254::kHz);
}

}  // namespace

I8254::I8254(bus::TimerQueue& timers, bus::IrqLine& irq)
    : clock_(timers.clock()), irq_(irq), timer_(timers, [this](VirtualNs deadline) {
          advance_to(deadline);
          update();
      }) {
    reset();
}

void I8254::reset() {
    Regs regs;
    regs.pulses = pulses_at(clock_.now());
    restore(regs);
}

I8254::Regs I8254::regs() const {
    Regs regs;
    for (unsigned i = 0; i < kCounters; ++i) regs.counters[i] = counters_[i].regs();
    regs.port_b = port_b_bits_;
    regs.pulses = pulses_;
    return regs;
}

void I8254::restore(const Regs& regs) {
    for (unsigned i = 0; i < kCounters; ++i) counters_[i].restore(regs.counters[i]);
    port_b_bits_ = regs.port_b;
    pulses_ = regs.pulses;
    update();
}

void I8254::advance_to(VirtualNs now) {
    const uint64_t pulses = pulses_at(now);
    if (pulses <= pulses_) return;
    const bool rose = counters_[0].advance(pulses - pulses_);
    counters_[1].advance(pulses - pulses_);
    counters_[2].advance(pulses - pulses_);
    pulses_ = pulses;
    // OUT may have fallen and risen again since the last look: the controller still gets its edge.
    if (rose) irq_.lower();
}

void I8254::update() {
    irq_.set(counters_[0].out());
    const uint64_t event = counters_[0].pulses_to_event();
    timer_.arm(event == I8254Counter::kNoEvent ? bus::kNever : time_of(pulses_ + event));
}

uint32_t I8254::read(const bus::PortAccess& access) {
    if (access.offset == kCounters) return 0xff;
    advance_to(clock_.now());
    update();
    return counters_[access.offset].read();
}

void I8254::write(const bus::PortAccess& access, uint32_t value) {
    const auto byte = static_cast<uint8_t>(value);
    advance_to(clock_.now());
    if (access.offset == kCounters) {
        write_control(byte);
    } else {
        counters_[access.offset].write(byte);
    }
    update();
}

void I8254::write_control(uint8_t value) {
    const unsigned select = value >> 6;
    if (select < kCounters) {
        if ((value & 0x30) == 0) {
            counters_[select].latch_count();
        } else {
            counters_[select].write_control(value);
        }
        return;
    }
    // Read-back: bit 5 low latches counts, bit 4 low latches status, bits 3..1 select the counters.
    for (unsigned i = 0; i < kCounters; ++i) {
        if ((value & (2u << i)) == 0) continue;
        if ((value & 0x20) == 0) counters_[i].latch_count();
        if ((value & 0x10) == 0) counters_[i].latch_status();
    }
}

uint32_t I8254::PortB::read(const bus::PortAccess&) {
    pit_.advance_to(pit_.clock_.now());
    pit_.update();
    const uint32_t refresh = (pit_.pulses_ / kRefreshPulses) & 1;
    return pit_.port_b_bits_ | refresh << 4 | (pit_.counters_[2].out() ? 0x20u : 0u);
}

void I8254::PortB::write(const bus::PortAccess&, uint32_t value) {
    pit_.advance_to(pit_.clock_.now());
    pit_.port_b_bits_ = static_cast<uint8_t>(value) & kPortBWritable;
    pit_.counters_[2].set_gate((value & kGate2) != 0);
    pit_.update();
}

}  // namespace forkscope::devices
