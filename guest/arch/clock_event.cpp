// Channel 0 of the PIT: one interrupt at a time, at the next tick or when the next timer is due.
// Intel 8254 data sheet, "Mode 0: Interrupt on Terminal Count", "Mode 2: Rate Generator".
#include "guest/arch/clock_event.hpp"

#include "guest/arch/io.hpp"
#include "guest/arch/irq.hpp"
#include "guest/arch/pit.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/kernel/sched_core.hpp"
#include "guest/kernel/timer.hpp"

namespace guest {

volatile uint64_t jiffies = 0;

namespace {

constexpr unsigned kTimerIrq = 0;
constexpr uint64_t kNsPerSecond = 1'000'000'000;
constexpr uint64_t kNever = ~uint64_t{0};
// What is due sooner waits that long: timers of 1 ns must leave time for programs. Linux's timer slack is as
// much.
constexpr uint64_t kLeastWait = 50'000;  // ns
// A tick that is due so soon is due now: counter and clock do not agree to the last nanosecond.
constexpr uint64_t kTickSlack = 5'000;  // ns

constinit bool precise = false;
constinit uint64_t next_tick = 0;            // ns
constinit uint64_t next_interrupt = kNever;  // ns; kNever: none is on its way

void program(uint64_t now, uint64_t at) {
    next_interrupt = at;
    // Never more than a tick, which fits into 16 bits; one count more, so that it does not come too early.
    const auto count = static_cast<uint16_t>((at - now) * kPitHz / kNsPerSecond + 2);
    outb(kPitControl, 0x30);  // channel 0, low and high byte, mode 0
    outb(kPitChannel0, static_cast<uint8_t>(count & 0xff));
    outb(kPitChannel0, static_cast<uint8_t>(count >> 8));
}

uint64_t not_too_soon(uint64_t now, uint64_t at) { return at > now + kLeastWait ? at : now + kLeastWait; }

// Ticks that went by unseen are counted, but scheduled only once.
bool count_ticks(uint64_t now) {
    if (!precise) {
        jiffies = jiffies + 1;
        return true;
    }
    const bool due = now + kTickSlack >= next_tick;
    for (; now + kTickSlack >= next_tick; next_tick += kNsPerTick) jiffies = jiffies + 1;
    return due;
}

void timer_interrupt(unsigned, void*) {
    next_interrupt = kNever;
    const bool tick = count_ticks(ktime_get());
    run_timers();
    if (tick) {
        calc_load();
        scheduler_tick(irq_from_user());
    }
    if (!precise) return;
    const uint64_t timer = next_timer();
    const uint64_t now = ktime_get();
    program(now, not_too_soon(now, timer < next_tick ? timer : next_tick));
}

}  // namespace

void clock_event_at(uint64_t ns) {
    if (!precise || next_interrupt == kNever) return;  // the interrupt itself looks for what is next
    const uint64_t now = ktime_get();
    const uint64_t at = not_too_soon(now, ns);
    // One that comes earlier stays: who sets timers all the time does not put it off.
    if (at < next_interrupt) program(now, at);
}

void clock_event_init(ClockEvents events) {
    precise = events == ClockEvents::Precise;
    request_irq(kTimerIrq, timer_interrupt, nullptr, "timer");
    if (precise) {
        const uint64_t now = ktime_get();
        next_tick = now + kNsPerTick;
        program(now, next_tick);
        return;
    }
    constexpr uint16_t kDivisor = (kPitHz + kHz / 2) / kHz;
    outb(kPitControl, 0x34);  // channel 0, low and high byte, mode 2
    outb(kPitChannel0, static_cast<uint8_t>(kDivisor & 0xff));
    outb(kPitChannel0, static_cast<uint8_t>(kDivisor >> 8));
}

}  // namespace guest
