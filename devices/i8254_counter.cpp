#include "devices/i8254_counter.hpp"

#include <algorithm>

namespace forkscope::devices {

namespace {

constexpr unsigned kRateGenerator = 2;
constexpr unsigned kSquareWave = 3;

constexpr unsigned kLowByteOnly = 1;
constexpr unsigned kHighByteOnly = 2;

uint32_t from_bcd(uint32_t bcd) {
    uint32_t value = 0;
    for (int digit = 3; digit >= 0; --digit) value = 10 * value + ((bcd >> (4 * digit)) & 15);
    return value;
}

uint32_t to_bcd(uint32_t value) {
    uint32_t bcd = 0;
    for (unsigned digit = 0; digit < 4; ++digit, value /= 10) bcd |= (value % 10) << (4 * digit);
    return bcd;
}

}  // namespace

unsigned I8254Counter::mode() const {
    const unsigned written = (regs_.control >> 1) & 7;
    return written > 5 ? written - 4 : written;  // the top bit of modes 2 and 3 is "don't care"
}

bool I8254Counter::is_inhibited() const {
    switch (mode()) {
        // "Writing the first byte disables counting."
        case 0:
            return !regs_.gate || regs_.half_written;
        case 1:
        case 5:
            return false;
        default:
            return !regs_.gate;
    }
}

uint16_t I8254Counter::count() const {
    uint32_t value = regs_.element;
    if (mode() == kSquareWave) {
        // The element counts by two; with an odd count the high half has one pulse more, at zero.
        const bool odd_high = (regs_.loaded & 1) != 0 && regs_.out && value != 0;
        value = 2 * (odd_high ? value - 1 : value);
    }
    value %= modulus();
    return static_cast<uint16_t>(is_bcd() ? to_bcd(value) : value);
}

void I8254Counter::write_control(uint8_t value) {
    const bool gate = regs_.gate;
    const uint32_t element = regs_.element;
    regs_ = Regs{};
    regs_.control = value & 0x3f;
    regs_.gate = gate;
    regs_.element = element;
    regs_.out = mode() != 0;
}

void I8254Counter::write(uint8_t value) {
    if (access() == kLowByteOnly) return set_count(value);
    if (access() == kHighByteOnly) return set_count(static_cast<uint16_t>(value << 8));
    if (!regs_.half_written) {
        regs_.half_written = true;
        regs_.low_byte = value;
        if (mode() == 0) regs_.out = false;
        return;
    }
    regs_.half_written = false;
    set_count(static_cast<uint16_t>(regs_.low_byte | (value << 8)));
}

void I8254Counter::set_count(uint16_t written) {
    const uint32_t value = is_bcd() ? from_bcd(written) : written;
    regs_.reload = value == 0 ? modulus() : value;
    regs_.null_count = true;
    switch (mode()) {
        case 0:
            regs_.out = false;
            regs_.load_pending = true;
            break;
        case 4:
            regs_.load_pending = true;
            break;
        // A new count waits for the end of the running period, or half of it.
        case kRateGenerator:
        case kSquareWave:
            regs_.load_pending |= regs_.loaded == 0;
            break;
        default:
            break;  // modes 1 and 5 wait for the gate
    }
}

void I8254Counter::set_gate(bool level) {
    if (level == regs_.gate) return;
    regs_.gate = level;
    const bool triggered = mode() == 1 || mode() == 2 || mode() == 3 || mode() == 5;
    if (level && triggered && regs_.reload != 0) regs_.load_pending = true;
    if (!level && (mode() == kRateGenerator || mode() == kSquareWave)) regs_.out = true;
}

uint8_t I8254Counter::read() {
    if (regs_.status_latched) {
        regs_.status_latched = false;
        return regs_.status_latch;
    }
    const uint16_t value = regs_.count_latched ? regs_.count_latch : count();
    const bool both = access() != kLowByteOnly && access() != kHighByteOnly;
    const bool high = both ? regs_.read_high : access() == kHighByteOnly;
    if (both) regs_.read_high = !regs_.read_high;
    if (!both || high) regs_.count_latched = false;
    return static_cast<uint8_t>(high ? value >> 8 : value);
}

// A second latch command before the read is ignored.
void I8254Counter::latch_count() {
    if (regs_.count_latched) return;
    regs_.count_latched = true;
    regs_.count_latch = count();
}

void I8254Counter::latch_status() {
    if (regs_.status_latched) return;
    regs_.status_latched = true;
    regs_.status_latch =
        static_cast<uint8_t>((regs_.out ? 0x80 : 0) | (regs_.null_count ? 0x40 : 0) | regs_.control);
}

void I8254Counter::load() {
    regs_.load_pending = false;
    regs_.null_count = false;
    regs_.loaded = regs_.reload;
    switch (mode()) {
        case kRateGenerator:
            regs_.element = regs_.loaded;
            regs_.out = true;
            break;
        case kSquareWave:
            start_half(true);
            break;
        default:
            regs_.element = regs_.loaded % modulus();
            regs_.armed = true;
            regs_.out = mode() >= 4;
            break;
    }
}

// "OUT will be high for (N + 1)/2 counts and low for (N - 1)/2 counts" when N is odd.
void I8254Counter::start_half(bool out) {
    regs_.loaded = regs_.reload;
    regs_.null_count = false;
    // A count of 1, which the data sheet forbids, leaves no low half.
    regs_.out = out || regs_.loaded == 1;
    regs_.element = regs_.out ? (regs_.loaded + 1) / 2 : regs_.loaded / 2;
}

bool I8254Counter::advance(uint64_t pulses) {
    bool rose = false;
    while (pulses != 0) rose |= step_once(&pulses);
    return rose;
}

bool I8254Counter::step_once(uint64_t* pulses) {
    if (regs_.load_pending) {
        const bool before = regs_.out;
        load();
        --*pulses;
        return !before && regs_.out;
    }
    if (is_strobing()) {
        // The strobe lasts one pulse, whatever the gate does.
        if (!is_inhibited()) regs_.element = (regs_.element + modulus() - 1) % modulus();
        regs_.out = true;
        --*pulses;
        return true;
    }
    if (regs_.loaded == 0 || is_inhibited()) {
        *pulses = 0;
        return false;
    }
    if (mode() == kRateGenerator) return step_rate_generator(pulses);
    if (mode() == kSquareWave) return step_square_wave(pulses);
    return step_one_shot(pulses);
}

bool I8254Counter::step_rate_generator(uint64_t* pulses) {
    const bool steady = !regs_.null_count;
    if (regs_.loaded == 1) {
        // Forbidden by the data sheet: OUT stays high until there is another count.
        if (steady) {
            *pulses = 0;
        } else {
            --*pulses;
            load();
        }
        return false;
    }
    if (steady && *pulses >= regs_.loaded) {
        *pulses %= regs_.loaded;
        return true;
    }
    if (regs_.element > 1) {
        const uint64_t n = std::min<uint64_t>(*pulses, regs_.element - 1);
        regs_.element -= static_cast<uint32_t>(n);
        regs_.out = regs_.element != 1;
        *pulses -= n;
        return false;
    }
    load();
    --*pulses;
    return true;
}

bool I8254Counter::step_square_wave(uint64_t* pulses) {
    const bool steady = !regs_.null_count;
    if (steady && *pulses >= regs_.loaded) {
        *pulses %= regs_.loaded;
        return regs_.loaded != 1;
    }
    if (*pulses < regs_.element) {
        regs_.element -= static_cast<uint32_t>(*pulses);
        *pulses = 0;
        return false;
    }
    *pulses -= regs_.element;
    const bool before = regs_.out;
    start_half(!before);
    return !before && regs_.out;
}

bool I8254Counter::step_one_shot(uint64_t* pulses) {
    const uint32_t to_zero = pulses_to_zero();
    if (!regs_.armed || *pulses < to_zero) {
        // The element wraps and goes on.
        const auto n = static_cast<uint32_t>(*pulses % modulus());
        regs_.element = (regs_.element + modulus() - n) % modulus();
        *pulses = 0;
        return false;
    }
    *pulses -= to_zero;
    regs_.element = 0;
    regs_.armed = false;
    const bool before = regs_.out;
    regs_.out = mode() < 4;
    return !before && regs_.out;
}

uint64_t I8254Counter::pulses_to_event() const {
    if (regs_.load_pending || is_strobing()) return 1;
    if (regs_.loaded == 0 || is_inhibited()) return kNoEvent;
    const bool steady = !regs_.null_count;
    switch (mode()) {
        case kRateGenerator:
            if (regs_.loaded == 1) return steady ? kNoEvent : 1;
            return regs_.element > 1 ? regs_.element - 1 : 1;
        case kSquareWave:
            return regs_.loaded == 1 && steady ? kNoEvent : regs_.element;
        default:
            return regs_.armed ? pulses_to_zero() : kNoEvent;
    }
}

}  // namespace forkscope::devices
