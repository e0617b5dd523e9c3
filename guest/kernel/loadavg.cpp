// The load average: every five seconds the number of tasks that run or are uninterruptible is taken into
// three averages, which forget what was e times as fast as their minutes pass. man 5 proc, "/proc/loadavg".
#include "guest/kernel/sched_core.hpp"

namespace guest {

namespace {

constexpr uint64_t kLoadTicks = 5 * kHz + 1;  // one off, so as not to beat with what wakes every 5 s
constexpr uint64_t kFixed1 = uint64_t{1} << kLoadShift;
// e^(-5/60), e^(-5/300), e^(-5/900) in units of 1 / 2^11
constexpr uint64_t kDecay[] = {1884, 2014, 2037};

constinit load_average averages;
constinit uint64_t next_sample = kLoadTicks;

}  // namespace

load_average avenrun() {
    const IrqGuard guard;  // the tick changes them
    return averages;
}

void calc_load() {
    if (jiffies < next_sample) return;
    next_sample += kLoadTicks;
    const uint64_t active = (nr_running() + nr_uninterruptible()) * kFixed1;
    for (unsigned i = 0; i < 3; ++i) {
        uint64_t& load = averages.minutes[i];
        uint64_t sum = load * kDecay[i] + active * (kFixed1 - kDecay[i]);
        // Upwards while it grows, so that it gets there.
        if (active >= load) sum += kFixed1 - 1;
        load = sum / kFixed1;
    }
}

}  // namespace guest
