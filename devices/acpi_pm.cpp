#include "devices/acpi_pm.hpp"

namespace forkscope::devices {

namespace {

constexpr uint16_t kPowerButton = 1u << 8;
constexpr uint16_t kStatusBits = 0x8531, kEnableBits = 0x0521;  // those that this hardware could ever set
constexpr uint16_t kSleepType = 7u << 10, kSleepEnable = 1u << 13;
constexpr uint16_t kControlBits = kSleepType | 6;

}  // namespace

AcpiPm::AcpiPm(bus::TimerQueue& timers, bus::IrqLine& sci, std::function<void()> on_power_off)
    : clock_(timers.clock()), sci_(sci), on_power_off_(std::move(on_power_off)) {}

void AcpiPm::reset() {
    regs_ = Regs{};
    update();
}

void AcpiPm::restore(const Regs& regs) {
    regs_ = regs;
    update();
}

void AcpiPm::press_power_button() {
    regs_.status |= kPowerButton;
    update();
}

void AcpiPm::update() { sci_.set((regs_.status & regs_.enable) != 0); }

uint8_t AcpiPm::read_byte(unsigned offset) const {
    const auto of = [&](uint32_t value) { return static_cast<uint8_t>(value >> (offset % 4 * 8)); };
    if (offset < kControlOffset) return of(uint32_t{regs_.status} | uint32_t{regs_.enable} << 16);
    return of(regs_.control);
}

uint32_t AcpiPm::read(const bus::PortAccess& access) {
    const auto scaled = static_cast<unsigned __int128>(clock_.now()) * kTimerHz / kNsPerSecond;
    const auto ticks = static_cast<uint32_t>(scaled);
    if (access.offset >= kTimerOffset) return ticks >> ((access.offset - kTimerOffset) * 8);
    uint32_t value = 0;
    for (unsigned i = 0; i < bus::bytes_of(access.width); ++i)
        if (access.offset + i < kTimerOffset) value |= uint32_t{read_byte(access.offset + i)} << (8 * i);
    return value;
}

void AcpiPm::write(const bus::PortAccess& access, uint32_t value) {
    for (unsigned i = 0; i < bus::bytes_of(access.width); ++i)
        write_byte(access.offset + i, static_cast<uint8_t>(value >> (8 * i)));
    update();
}

void AcpiPm::write_byte(unsigned offset, uint8_t value) {
    const unsigned shift = offset % 2 * 8;
    const auto bits = static_cast<uint16_t>(value << shift);
    const auto mask = static_cast<uint16_t>(0xff << shift);
    const auto replace = [&](uint16_t& word, uint16_t writable) {
        word = static_cast<uint16_t>((word & ~(mask & writable)) | (bits & writable));
    };
    if (offset < 2) {
        regs_.status = static_cast<uint16_t>(regs_.status & ~(bits & kStatusBits));  // written ones clear
    } else if (offset < 4) {
        replace(regs_.enable, kEnableBits);
    } else if (offset < 6) {
        replace(regs_.control, kControlBits);
        const bool soft_off = (regs_.control & kSleepType) >> 10 == kSoftOff;
        if ((bits & kSleepEnable) != 0 && soft_off) on_power_off_();
    }
}

}  // namespace forkscope::devices
