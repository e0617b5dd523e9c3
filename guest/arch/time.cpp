// The clock: the time-stamp counter, measured against PIT channel 2.
// Intel 8254 data sheet, "Control Word Format".
#include "guest/arch/clock_event.hpp"
#include "guest/arch/cpu.hpp"
#include "guest/arch/io.hpp"
#include "guest/arch/irq.hpp"
#include "guest/arch/pit.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/kernel/sched_core.hpp"
#include "guest/kernel/timer.hpp"

namespace guest {

namespace {

constexpr uint16_t kSystemControlB = 0x61;
// Reads of the port, at least as many as 10 ms can hold.
constexpr unsigned kPatience = 10'000'000;
// A counter slower than 1 MHz is none: channel 2 or the counter itself is missing.
constexpr uint64_t kMinTscTicks = 10'000;
constexpr uint64_t kNsPerSecond = 1'000'000'000;
// CLOCK_REALTIME at boot. There is no battery-backed clock to ask, and runs repeat: 2024-01-01 00:00:00 UTC.
constexpr uint64_t kBootTime = 1704067200;

constinit uint64_t tsc_at_boot = 0;
// ns = ticks * tsc_mult / 2^32; 0: the tick is all the clock there is
constinit uint64_t tsc_mult = 0;
constinit uint64_t realtime_offset = kBootTime * kNsPerSecond;

// How far the time-stamp counter goes while channel 2 counts down from `count`.
uint64_t measure_tsc(uint16_t count) {
    const uint8_t control = inb(kSystemControlB);
    outb(kSystemControlB, static_cast<uint8_t>((control & ~2u) | 1u));  // gate on, speaker off
    outb(kPitControl, 0xb0);  // channel 2, low and high byte, mode 0
    outb(kPitChannel2, static_cast<uint8_t>(count));
    outb(kPitChannel2, static_cast<uint8_t>(count >> 8));
    const uint64_t start = rdtsc();
    // The output goes high at zero.
    for (unsigned i = 0; i < kPatience && (inb(kSystemControlB) & 0x20) == 0; ++i) cpu_relax();
    const uint64_t ticks = rdtsc() - start;
    outb(kSystemControlB, control);
    return ticks;
}

}  // namespace

uint64_t ktime_get() {
    if (tsc_mult == 0) return jiffies * kNsPerTick;
    const uint64_t ticks = rdtsc() - tsc_at_boot;
    return static_cast<uint64_t>((static_cast<unsigned __int128>(ticks) * tsc_mult) >> 32);
}

uint64_t ktime_get_real() { return ktime_get() + realtime_offset; }
void set_realtime(uint64_t ns) {
    const IrqGuard guard;
    const uint64_t before = realtime_offset;
    realtime_offset = ns - ktime_get();
    timers_clock_was_set(static_cast<int64_t>(realtime_offset - before));
}

void time_init() {
    constexpr uint16_t kMeasured = kPitHz / kHz;  // 10 ms
    const uint64_t ticks = measure_tsc(kMeasured);
    const uint64_t ns = kMeasured * kNsPerSecond / kPitHz;
    if (ticks >= kMinTscTicks) tsc_mult = (ns << 32) / ticks;
    tsc_at_boot = rdtsc();
    clock_event_init(tsc_mult != 0 ? ClockEvents::Precise : ClockEvents::TickOnly);
}

}  // namespace guest
