#include "devices/io_apic.hpp"

namespace forkscope::devices {

namespace {

constexpr uint64_t kSelect = 0x00, kWindow = 0x10, kEoi = 0x40;
constexpr uint8_t kIdRegister = 0, kVersionRegister = 1, kArbitration = 2, kRedirection = 0x10;
constexpr uint32_t kVersion = 0x20 | (IoApic::kInputs - 1) << 16;

// A redirection entry.
constexpr uint64_t kRemoteIrr = 1u << 14, kLevel = 1u << 15, kMasked = 1u << 16;
constexpr uint64_t kReadOnly = kRemoteIrr | 1u << 12;
constexpr uint64_t kWritable = 0xff00'0000'0001'ffff & ~kReadOnly;

}  // namespace

void IoApic::reset() {
    const uint32_t lines = regs_.lines;
    regs_ = Regs{};
    regs_.lines = lines;
    regs_.redirection.fill(kMasked);
}

uint64_t IoApic::read(const bus::MmioAccess& access) {
    if (access.offset == kSelect) return regs_.select;
    return access.offset == kWindow ? read_register() : 0;
}

void IoApic::write(const bus::MmioAccess& access, uint64_t value) {
    if (access.offset == kSelect) regs_.select = static_cast<uint8_t>(value);
    if (access.offset == kWindow) write_register(static_cast<uint32_t>(value));
    if (access.offset == kEoi) end_of_interrupt(static_cast<uint8_t>(value));
}

uint32_t IoApic::read_register() const {
    switch (regs_.select) {
        case kIdRegister:
        case kArbitration:
            return uint32_t{regs_.id} << 24;
        case kVersionRegister:
            return kVersion;
        default:
            break;
    }
    const unsigned word = regs_.select - kRedirection;
    if (regs_.select < kRedirection || word >= 2 * kInputs) return 0;
    return static_cast<uint32_t>(regs_.redirection[word / 2] >> (word % 2 * 32));
}

void IoApic::write_register(uint32_t value) {
    if (regs_.select == kIdRegister) regs_.id = static_cast<uint8_t>(value >> 24 & 15);
    const unsigned word = regs_.select - kRedirection;
    if (regs_.select < kRedirection || word >= 2 * kInputs) return;
    const unsigned input = word / 2, shift = word % 2 * 32;
    const uint64_t half = uint64_t{0xffff'ffff} << shift;
    uint64_t& entry = regs_.redirection[input];
    entry = (entry & ~(half & kWritable)) | ((uint64_t{value} << shift) & half & kWritable);
    // An input that became edge triggered waits for no end.
    if ((entry & kLevel) == 0) entry &= ~kRemoteIrr;
    send_if_level(input);
}

void IoApic::set_input(unsigned input, bool level) {
    if (input >= kInputs) return;
    regs_.lines = level ? regs_.lines | 1u << input : regs_.lines & ~(1u << input);
    if (!level) return;
    if ((regs_.redirection[input] & kLevel) != 0)
        send_if_level(input);
    else if ((regs_.redirection[input] & kMasked) == 0)
        send(input);
}

void IoApic::send_if_level(unsigned input) {
    uint64_t& entry = regs_.redirection[input];
    const bool asks = (regs_.lines >> input & 1) != 0;
    if (!asks || (entry & kLevel) == 0 || (entry & (kMasked | kRemoteIrr)) != 0) return;
    entry |= kRemoteIrr;
    send(input);
}

void IoApic::send(unsigned input) {
    if (receiver_ == nullptr) return;
    const uint64_t entry = regs_.redirection[input];
    receiver_->receive({.destination = static_cast<uint8_t>(entry >> 56),
                        .destination_mode = static_cast<bus::DestinationMode>(entry >> 11 & 1),
                        .delivery = static_cast<bus::DeliveryMode>(entry >> 8 & 7),
                        .trigger = static_cast<bus::TriggerMode>(entry >> 15 & 1),
                        .vector = static_cast<uint8_t>(entry)});
}

void IoApic::end_of_interrupt(uint8_t vector) {
    for (unsigned input = 0; input < kInputs; ++input) {
        uint64_t& entry = regs_.redirection[input];
        if (static_cast<uint8_t>(entry) != vector || (entry & kRemoteIrr) == 0) continue;
        entry &= ~kRemoteIrr;
        send_if_level(input);
    }
}

}  // namespace forkscope::devices
