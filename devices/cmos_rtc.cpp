#include "devices/cmos_rtc.hpp"

#include <algorithm>
#include <chrono>

namespace forkscope::devices {

namespace {

enum Index : uint8_t {
    Seconds = 0x00,
    SecondsAlarm = 0x01,
    Minutes = 0x02,
    MinutesAlarm = 0x03,
    Hours = 0x04,
    HoursAlarm = 0x05,
    DayOfWeek = 0x06,  // 1 is Sunday
    DayOfMonth = 0x07,
    Month = 0x08,
    Year = 0x09,
    A = 0x0a,
    B = 0x0b,
    C = 0x0c,
    D = 0x0d,
    Century = 0x32,  // where PC firmware keeps it
};

constexpr uint8_t kUpdateInProgress = 0x80;  // A
constexpr uint8_t kSet = 0x80;               // B
constexpr uint8_t kBinary = 0x04;            // B
constexpr uint8_t k24Hours = 0x02;           // B
constexpr uint8_t kInterrupt = 0x80;         // C
constexpr uint8_t kPeriodic = 0x40;          // enabled in B, raised in C; so are the next two
constexpr uint8_t kAlarm = 0x20;
constexpr uint8_t kUpdateEnded = 0x10;
constexpr uint8_t kValidRam = 0x80;  // D
constexpr uint8_t kPm = 0x80;        // hours, in 12-hour mode

constexpr uint64_t kHz = 32768;
// "Update-in-progress is set 244 us before the update": eight ticks.
constexpr uint64_t kUpdateTicks = 8;
constexpr unsigned kSecondsADay = 86400;

bool is_calendar(uint8_t index) {
    return index == Seconds || index == Minutes || index == Hours || (index >= DayOfWeek && index <= Year) ||
           index == Century;
}

// "Two most significant bits set": any value matches.
bool is_wildcard(uint8_t alarm) { return (alarm & 0xc0) == 0xc0; }

}  // namespace

CmosRtc::CmosRtc(bus::TimerQueue& timers, bus::IrqLine& irq, const Config& config)
    : clock_(timers.clock()), irq_(irq), config_(config), timer_(timers, [this](VirtualNs deadline) {
          advance_to(deadline);
          update();
      }) {
    reset();
}

void CmosRtc::reset() {
    regs_ = Regs{};
    // The calendar has no power-on value of its own: it shows start + virtual time, as if it had run on.
    regs_.epoch = config_.start;
    regs_.bytes[A] = 0x26;  // 32,768 Hz, periodic rate 1,024 Hz
    regs_.bytes[B] = k24Hours;
    regs_.bytes[D] = kValidRam;
    regs_.seen_ticks = ticks_at(clock_.now());
    fill_memory_sizes();
    update();
}

void CmosRtc::restore(const Regs& regs) {
    regs_ = regs;
    update();
}

void CmosRtc::fill_memory_sizes() {
    const auto put = [this](uint8_t low_index, uint64_t value, unsigned bytes) {
        for (unsigned i = 0; i < bytes; ++i)
            regs_.bytes[low_index + i] = static_cast<uint8_t>(value >> (8 * i));
    };
    const uint64_t low = config_.low_ram;
    const uint64_t above_1m = low > kMiB ? low - kMiB : 0;
    const uint64_t above_16m = low > 16 * kMiB ? low - 16 * kMiB : 0;
    const uint64_t extended_kib = std::min<uint64_t>(above_1m / kKiB, 0xffff);
    put(0x15, std::min<uint64_t>(low / kKiB, 640), 2);                  // KiB of base memory
    put(0x17, extended_kib, 2);                                         // KiB above 1 MiB
    put(0x30, extended_kib, 2);                                         // the same, as found by firmware
    put(0x34, std::min<uint64_t>(above_16m / (64 * kKiB), 0xffff), 2);  // 64 KiB blocks above 16 MiB
    put(0x5b, std::min<uint64_t>(config_.high_ram / (64 * kKiB), 0xffffff), 3);  // blocks above 4 GiB
    unsigned sum = 0;
    for (unsigned i = 0x10; i <= 0x2d; ++i) sum += regs_.bytes[i];
    regs_.bytes[0x2e] = static_cast<uint8_t>(sum >> 8);
    regs_.bytes[0x2f] = static_cast<uint8_t>(sum);
}

// Register A, "divider control": 110 and 111 hold the divider in reset.
bool CmosRtc::is_divider_held() const { return (regs_.bytes[A] & 0x60) == 0x60; }

bool CmosRtc::is_frozen() const { return is_divider_held() || (regs_.bytes[B] & kSet) != 0; }

uint64_t CmosRtc::ticks_at(VirtualNs now) const {
    const auto scaled = static_cast<unsigned __int128>(now - regs_.divider_start) * kHz;
    return regs_.divider_ticks + static_cast<uint64_t>(scaled / kNsPerSecond);
}

VirtualNs CmosRtc::time_of(uint64_t ticks) const {
    const auto scaled = static_cast<unsigned __int128>(ticks - regs_.divider_ticks) * kNsPerSecond;
    return regs_.divider_start + static_cast<VirtualNs>((scaled + kHz - 1) / kHz);
}

// Register A, "rate selection": 0 is none; 1 and 2 are the slow rates 256 and 128 Hz of 8 and 9.
uint64_t CmosRtc::periodic_ticks() const {
    const unsigned rate = regs_.bytes[A] & 0x0f;
    if (rate == 0) return 0;
    return uint64_t{1} << ((rate <= 2 ? rate + 7 : rate) - 1);
}

int64_t CmosRtc::seconds_at(uint64_t ticks) const { return regs_.epoch + static_cast<int64_t>(ticks / kHz); }

uint8_t CmosRtc::encode(unsigned value) const {
    if ((regs_.bytes[B] & kBinary) != 0) return static_cast<uint8_t>(value);
    return static_cast<uint8_t>((value / 10) << 4 | value % 10);
}

unsigned CmosRtc::decode(uint8_t byte) const {
    if ((regs_.bytes[B] & kBinary) != 0) return byte;
    return 10u * (byte >> 4) + (byte & 15);
}

uint8_t CmosRtc::encode_hour(unsigned hour) const {
    if ((regs_.bytes[B] & k24Hours) != 0) return encode(hour);
    const unsigned twelve = hour % 12 == 0 ? 12 : hour % 12;
    return static_cast<uint8_t>(encode(twelve) | (hour >= 12 ? kPm : 0));
}

unsigned CmosRtc::decode_hour(uint8_t byte) const {
    if ((regs_.bytes[B] & k24Hours) != 0) return decode(byte);
    return decode(byte & 0x7f) % 12 + ((byte & kPm) != 0 ? 12 : 0);
}

void CmosRtc::store_calendar(int64_t seconds) {
    using namespace std::chrono;
    const sys_seconds time{std::chrono::seconds{seconds}};
    const sys_days day = floor<days>(time);
    const year_month_day date{day};
    const auto second_of_day = static_cast<unsigned>((time - day).count());
    const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
    regs_.bytes[Seconds] = encode(second_of_day % 60);
    regs_.bytes[Minutes] = encode(second_of_day / 60 % 60);
    regs_.bytes[Hours] = encode_hour(second_of_day / 3600);
    regs_.bytes[DayOfWeek] = encode(weekday{day}.c_encoding() + 1);
    regs_.bytes[DayOfMonth] = encode(static_cast<unsigned>(date.day()));
    regs_.bytes[Month] = encode(static_cast<unsigned>(date.month()));
    regs_.bytes[Year] = encode(year % 100);
    regs_.bytes[Century] = encode(year / 100 % 100);
}

// A guest may have stored nonsense; it becomes some date, never an error.
int64_t CmosRtc::stored_calendar() const {
    using namespace std::chrono;
    const auto value = [this](Index index) { return decode(regs_.bytes[index]); };
    const auto year_number = static_cast<int>(100 * value(Century) + value(Year));
    const unsigned month_number = std::clamp(value(Month), 1u, 12u);
    const sys_days first{year{year_number} / month{month_number} / 1};
    const auto whole_days = static_cast<int64_t>(first.time_since_epoch().count()) + value(DayOfMonth) - 1;
    return whole_days * kSecondsADay + 3600 * int64_t{decode_hour(regs_.bytes[Hours])} +
           60 * int64_t{value(Minutes)} + value(Seconds);
}

uint64_t CmosRtc::next_alarm(uint64_t ticks) const {
    const int64_t from = seconds_at(ticks) + 1;
    const auto second_of_day = static_cast<unsigned>((from % kSecondsADay + kSecondsADay) % kSecondsADay);
    const auto matches = [this](Index alarm, unsigned value) {
        const uint8_t byte = regs_.bytes[alarm];
        return is_wildcard(byte) || (alarm == HoursAlarm ? decode_hour(byte) : decode(byte)) == value;
    };
    unsigned some_second = 0;
    while (some_second < 60 && !matches(SecondsAlarm, some_second)) ++some_second;
    if (some_second == 60) return UINT64_MAX;
    // Unit by unit, skipping whatever part of an hour or a minute cannot match.
    for (unsigned at = second_of_day; at < second_of_day + kSecondsADay;) {
        const unsigned s = at % kSecondsADay;
        if (!matches(HoursAlarm, s / 3600)) {
            at += 3600 - s % 3600;
        } else if (!matches(MinutesAlarm, s / 60 % 60)) {
            at += 60 - s % 60;
        } else if (!matches(SecondsAlarm, s % 60)) {
            ++at;
        } else {
            return (ticks / kHz + 1 + (at - second_of_day)) * kHz;
        }
    }
    return UINT64_MAX;
}

void CmosRtc::advance_to(VirtualNs now) {
    if (is_divider_held()) return;
    const uint64_t ticks = ticks_at(now);
    if (ticks <= regs_.seen_ticks) return;
    const auto crossed = [&](uint64_t unit) { return ticks / unit != regs_.seen_ticks / unit; };
    uint8_t raised = 0;
    if (const uint64_t period = periodic_ticks(); period != 0 && crossed(period)) raised |= kPeriodic;
    if (!is_frozen()) {
        if (crossed(kHz)) raised |= kUpdateEnded;
        if (next_alarm(regs_.seen_ticks) <= ticks) raised |= kAlarm;
    }
    regs_.bytes[C] |= raised;
    regs_.seen_ticks = ticks;
}

void CmosRtc::update() {
    const uint8_t enabled = regs_.bytes[B] & (kPeriodic | kAlarm | kUpdateEnded);
    uint8_t& c = regs_.bytes[C];
    c = static_cast<uint8_t>((c & 0x7f) | ((c & enabled) != 0 ? kInterrupt : 0));
    irq_.set((c & kInterrupt) != 0);
    // With the line high nothing more can be told before register C is read.
    if (is_divider_held() || (c & kInterrupt) != 0) return timer_.cancel();
    uint64_t next = UINT64_MAX;
    const uint64_t seen = regs_.seen_ticks;
    if (const uint64_t period = periodic_ticks(); (enabled & kPeriodic) != 0 && period != 0)
        next = (seen / period + 1) * period;
    if (!is_frozen()) {
        if ((enabled & kUpdateEnded) != 0) next = std::min(next, (seen / kHz + 1) * kHz);
        if ((enabled & kAlarm) != 0) next = std::min(next, next_alarm(seen));
    }
    timer_.arm(next == UINT64_MAX ? bus::kNever : time_of(next));
}

uint32_t CmosRtc::read(const bus::PortAccess& access) {
    if (access.offset == 0) return 0xff;
    advance_to(clock_.now());
    const uint8_t value = read_register(regs_.index);
    update();
    return value;
}

uint8_t CmosRtc::read_register(uint8_t index) {
    const uint64_t ticks = is_divider_held() ? regs_.seen_ticks : ticks_at(clock_.now());
    if (is_calendar(index) && !is_frozen()) store_calendar(seconds_at(ticks));
    const uint8_t value = regs_.bytes[index];
    if (index == A) {
        const bool updating = !is_frozen() && ticks % kHz >= kHz - kUpdateTicks;
        return static_cast<uint8_t>(value | (updating ? kUpdateInProgress : 0));
    }
    if (index == C) regs_.bytes[C] = 0;
    return value;
}

void CmosRtc::write(const bus::PortAccess& access, uint32_t value) {
    const auto byte = static_cast<uint8_t>(value);
    if (access.offset == 0) {
        regs_.index = byte % kRegisters;
        return;
    }
    advance_to(clock_.now());
    write_register(regs_.index, byte);
    update();
}

void CmosRtc::write_register(uint8_t index, uint8_t value) {
    switch (index) {
        case A:
            return write_a(value);
        case B:
            return write_b(value);
        case C:
        case D:
            return;  // read only
        default:
            break;
    }
    if (!is_calendar(index) || is_frozen()) {
        regs_.bytes[index] = value;
        return;
    }
    // The registers are counters: the one that is written goes on from there.
    store_calendar(seconds_at(regs_.seen_ticks));
    regs_.bytes[index] = value;
    regs_.epoch = stored_calendar() - static_cast<int64_t>(regs_.seen_ticks / kHz);
}

void CmosRtc::write_a(uint8_t value) {
    const bool was_held = is_divider_held();
    const bool was_frozen = is_frozen();
    const int64_t seconds = seconds_at(regs_.seen_ticks);
    regs_.bytes[A] = value & 0x7f;
    if (!was_frozen && is_frozen()) store_calendar(seconds);
    if (!was_held || is_divider_held()) return;
    // "The first update cycle begins one-half second after" the divider is released.
    regs_.divider_start = clock_.now();
    regs_.divider_ticks = kHz / 2;
    regs_.seen_ticks = kHz / 2;
    regs_.epoch = stored_calendar();
}

void CmosRtc::write_b(uint8_t value) {
    const bool was_frozen = is_frozen();
    // "Setting the SET bit clears UIE."
    if ((value & kSet) != 0) value = static_cast<uint8_t>(value & ~kUpdateEnded);
    regs_.bytes[B] = value;
    if (!was_frozen) {
        // Frozen now, it shows this instant; running on, a change of format changes the display alone.
        store_calendar(seconds_at(regs_.seen_ticks));
    } else if (!is_frozen()) {
        regs_.epoch = stored_calendar() - static_cast<int64_t>(regs_.seen_ticks / kHz);
    }
}

}  // namespace forkscope::devices
