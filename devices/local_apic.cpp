#include "devices/local_apic.hpp"

#include <bit>

namespace forkscope::devices {

namespace {

// Registers by offset / 16 ("Local APIC Register Address Map").
enum Index : unsigned {
    Id = 0x02,
    Version = 0x03,
    Tpr = 0x08,
    Apr = 0x09,
    Ppr = 0x0a,
    Eoi = 0x0b,
    Ldr = 0x0d,
    Dfr = 0x0e,
    Svr = 0x0f,
    Isr = 0x10,
    Tmr = 0x18,
    Irr = 0x20,
    Esr = 0x28,
    IcrLow = 0x30,
    IcrHigh = 0x31,
    LvtFirst = 0x32,
    InitialCount = 0x38,
    CurrentCount = 0x39,
    Divide = 0x3e,
};

constexpr uint32_t kVersion = 0x14 | (LocalApic::kLvts - 1) << 16;
constexpr uint64_t kGlobalEnable = 1u << 11, kX2apic = 1u << 10;
constexpr uint64_t kBaseMask = 0xff'ffff'f000, kBaseBits = kBaseMask | 0x900;
constexpr uint32_t kSoftwareEnable = 1u << 8, kSpuriousBits = 0x1ff;
constexpr uint32_t kMasked = 1u << 16, kPeriodic = 1u << 17;
constexpr uint32_t kIllegalRegister = 1u << 7, kSendIllegalVector = 1u << 5, kReceiveIllegalVector = 1u << 6;
constexpr uint8_t kFirstLegalVector = 16;
constexpr uint32_t kExtIntLine = 0x700;
// Bits of each local vector that can be written.
constexpr std::array<uint32_t, LocalApic::kLvts> kWritable = {0x300ff, 0x107ff, 0x107ff,
                                                              0x1a7ff, 0x1a7ff, 0x100ff};

bool has(const LocalApic::VectorSet& set, uint8_t vector) {
    return (set[vector / 32] >> (vector % 32) & 1) != 0;
}
void add(LocalApic::VectorSet& set, uint8_t vector) { set[vector / 32] |= 1u << (vector % 32); }
void remove(LocalApic::VectorSet& set, uint8_t vector) { set[vector / 32] &= ~(1u << (vector % 32)); }

// 0 if the set is empty: vectors below 16 are never in one.
uint8_t highest(const LocalApic::VectorSet& set) {
    for (unsigned word = 8; word-- != 0;)
        if (set[word] != 0)
            return static_cast<uint8_t>(word * 32 + 31 - static_cast<unsigned>(std::countl_zero(set[word])));
    return 0;
}

}  // namespace

LocalApic::LocalApic(bus::TimerQueue& timers, bus::InterruptController& external,
                     bus::EndOfInterruptListener& listener)
    : clock_(timers.clock()),
      external_(external),
      listener_(listener),
      timer_(timers, [this](VirtualNs) { timer_expired(); }) {
    reset();
}

void LocalApic::reset() {
    const bool line = regs_.lint0_level;
    regs_ = Regs{};
    regs_.lint0_level = line;
    regs_.lvt.fill(kMasked);
    regs_.lvt[Lint0] = kExtIntLine;
    timer_.cancel();
    update();
}

void LocalApic::restore(const Regs& regs) {
    regs_ = regs;
    start_timer();
    update();
}

bool LocalApic::globally_enabled() const { return (regs_.base & kGlobalEnable) != 0; }
bool LocalApic::software_enabled() const { return (regs_.spurious & kSoftwareEnable) != 0; }

// With the APIC disabled LINT0 is the CPU's INTR pin (11.4.3 "Enabling or Disabling the Local APIC").
bool LocalApic::passes_external() const {
    if (!regs_.lint0_level) return false;
    const uint32_t lvt = regs_.lvt[Lint0];
    return !globally_enabled() || ((lvt & kMasked) == 0 && (lvt & 0x700) == kExtIntLine);
}

// 11.8.3.1 "Task and Processor Priorities".
uint8_t LocalApic::processor_priority() const {
    const uint8_t in_service = highest(regs_.isr) & 0xf0;
    return (regs_.tpr & 0xf0) >= in_service ? regs_.tpr : in_service;
}

uint8_t LocalApic::deliverable() const {
    if (!globally_enabled() || !software_enabled()) return 0;
    const uint8_t vector = highest(regs_.irr);
    return (vector & 0xf0) > (processor_priority() & 0xf0) ? vector : uint8_t{0};
}

void LocalApic::update() { set_pending(deliverable() != 0 || passes_external()); }

uint8_t LocalApic::acknowledge() {
    if (const uint8_t vector = deliverable(); vector != 0) {
        remove(regs_.irr, vector);
        add(regs_.isr, vector);
        update();
        return vector;
    }
    if (passes_external()) {
        const uint8_t vector = external_.acknowledge();
        update();
        return vector;
    }
    return static_cast<uint8_t>(regs_.spurious);
}

bool LocalApic::set_apic_base(uint64_t value) {
    if ((value & ~kBaseBits) != 0 || (value & kX2apic) != 0) return false;
    const bool was_enabled = globally_enabled();
    regs_.base = value;
    // Enabled again, it is as after reset, but for where it stands.
    if (!was_enabled && globally_enabled()) {
        reset();
        regs_.base = value;
    }
    update();
    return true;
}

void LocalApic::set_input(unsigned, bool level) {
    regs_.lint0_level = level;
    update();
}

// 11.6.2 "Determining IPI Destination".
bool LocalApic::is_destination(const bus::ApicMessage& message) const {
    if (message.destination_mode == bus::DestinationMode::Physical)
        return message.destination == regs_.id || message.destination == 0xff;
    if ((regs_.dfr & 0xf0) == 0xf0) return (message.destination & regs_.ldr) != 0;
    const bool cluster = (message.destination >> 4) == (regs_.ldr >> 4) || (message.destination >> 4) == 15;
    return cluster && (message.destination & regs_.ldr & 15) != 0;
}

void LocalApic::receive(const bus::ApicMessage& message) {
    if (!globally_enabled() || !is_destination(message)) return;
    switch (message.delivery) {
        case bus::DeliveryMode::Fixed:
        case bus::DeliveryMode::LowestPriority:
            request(message.vector, message.trigger);
            break;
        case bus::DeliveryMode::Nmi:
            raise_nmi();
            break;
        default:
            break;  // INIT and start-up are for CPUs that are not there; there is no SMM
    }
}

void LocalApic::request(uint8_t vector, bus::TriggerMode trigger) {
    if (!software_enabled()) return;
    if (vector < kFirstLegalVector) {
        regs_.error |= kReceiveIllegalVector;
        return;
    }
    add(regs_.irr, vector);
    if (trigger == bus::TriggerMode::Level)
        add(regs_.tmr, vector);
    else
        remove(regs_.tmr, vector);
    update();
}

void LocalApic::end_of_interrupt() {
    const uint8_t vector = highest(regs_.isr);
    if (vector == 0) return;
    remove(regs_.isr, vector);
    update();
    if (has(regs_.tmr, vector)) listener_.end_of_interrupt(vector);
}

// 11.6.1 "Interrupt Command Register". There is no other CPU: what excludes this one goes nowhere.
void LocalApic::send(uint32_t command) {
    enum Shorthand : uint32_t { None = 0, Self = 1, All = 2, AllButSelf = 3 };
    bus::ApicMessage message;
    message.destination = static_cast<uint8_t>(regs_.icr_high >> 24);
    message.destination_mode = static_cast<bus::DestinationMode>(command >> 11 & 1);
    message.delivery = static_cast<bus::DeliveryMode>(command >> 8 & 7);
    message.vector = static_cast<uint8_t>(command);
    const bool fixed = (command >> 8 & 7) <= 1;
    if (fixed && message.vector < kFirstLegalVector) {
        regs_.error |= kSendIllegalVector;
        return;
    }
    switch (command >> 18 & 3) {
        case AllButSelf:
            return;
        case Self:
        case All:
            message.destination_mode = bus::DestinationMode::Physical;
            message.destination = regs_.id;
            break;
        default:
            break;
    }
    receive(message);
}

// 11.5.4 "APIC Timer": bits 3, 1 and 0 of the divide configuration.
uint64_t LocalApic::divider() const {
    const unsigned code = (regs_.divide & 3) | (regs_.divide >> 1 & 4);
    return uint64_t{1} << ((code + 1) & 7);
}

uint32_t LocalApic::current_count() const {
    if (regs_.initial_count == 0) return 0;
    const uint64_t ticks = (clock_.now() - regs_.timer_start) / divider();
    if ((regs_.lvt[Timer] & kPeriodic) != 0)
        return static_cast<uint32_t>(regs_.initial_count - ticks % regs_.initial_count);
    return ticks >= regs_.initial_count ? 0 : static_cast<uint32_t>(regs_.initial_count - ticks);
}

// Arms for the next expiry after now.
void LocalApic::start_timer() {
    if (regs_.initial_count == 0) return timer_.cancel();
    const VirtualNs period = regs_.initial_count * divider();
    const VirtualNs gone = clock_.now() - regs_.timer_start;
    if ((regs_.lvt[Timer] & kPeriodic) != 0)
        timer_.arm(regs_.timer_start + (gone / period + 1) * period);
    else if (gone < period)
        timer_.arm(regs_.timer_start + period);
    else
        timer_.cancel();
}

void LocalApic::timer_expired() {
    const uint32_t lvt = regs_.lvt[Timer];
    if ((lvt & kMasked) == 0) request(static_cast<uint8_t>(lvt), bus::TriggerMode::Edge);
    // Expiries that passed meanwhile are one interrupt, as they would be in IRR.
    if ((lvt & kPeriodic) != 0) start_timer();
}

uint64_t LocalApic::read(const bus::MmioAccess& access) {
    if (!globally_enabled()) return ~uint64_t{0};
    // Only the first doubleword of each 16 bytes is a register.
    return access.offset % 16 == 0 ? read_register(static_cast<unsigned>(access.offset / 16)) : 0;
}

void LocalApic::write(const bus::MmioAccess& access, uint64_t value) {
    if (!globally_enabled() || access.offset % 16 != 0) return;
    write_register(static_cast<unsigned>(access.offset / 16), static_cast<uint32_t>(value));
}

uint32_t LocalApic::read_register(unsigned index) {
    if (index >= Isr && index < Isr + 8) return regs_.isr[index - Isr];
    if (index >= Tmr && index < Tmr + 8) return regs_.tmr[index - Tmr];
    if (index >= Irr && index < Irr + 8) return regs_.irr[index - Irr];
    if (index >= LvtFirst && index - LvtFirst < kLvts) return regs_.lvt[index - LvtFirst];
    switch (index) {
        case Id:
            return uint32_t{regs_.id} << 24;
        case Version:
            return kVersion;
        case Tpr:
            return regs_.tpr;
        case Apr:
        case Ppr:
            return processor_priority();
        case Ldr:
            return uint32_t{regs_.ldr} << 24;
        case Dfr:
            return uint32_t{regs_.dfr} << 24 | 0x00ff'ffff;
        case Svr:
            return regs_.spurious;
        case Esr:
            return regs_.error_seen;
        case IcrLow:
            return regs_.icr_low;
        case IcrHigh:
            return regs_.icr_high;
        case InitialCount:
            return regs_.initial_count;
        case CurrentCount:
            return current_count();
        case Divide:
            return regs_.divide;
        default:
            regs_.error |= kIllegalRegister;
            return 0;
    }
}

void LocalApic::set_task_priority_class(uint8_t value) {
    regs_.tpr = static_cast<uint8_t>(value << 4);
    update();
}

void LocalApic::write_register(unsigned index, uint32_t value) {
    if (index >= LvtFirst && index - LvtFirst < kLvts) return write_lvt(index - LvtFirst, value);
    switch (index) {
        case Id:
            regs_.id = static_cast<uint8_t>(value >> 24);
            break;
        case Tpr:
            regs_.tpr = static_cast<uint8_t>(value);
            update();
            break;
        case Eoi:
            end_of_interrupt();
            break;
        case Ldr:
            regs_.ldr = static_cast<uint8_t>(value >> 24);
            break;
        case Dfr:
            regs_.dfr = static_cast<uint8_t>(value >> 24 | 0x0f) & 0xf0;
            break;
        case Svr:
            write_spurious(value);
            break;
        case Esr:
            regs_.error_seen = regs_.error;
            regs_.error = 0;
            break;
        case IcrLow:
            regs_.icr_low = value & 0xccfff;
            send(value);
            break;
        case IcrHigh:
            regs_.icr_high = value & 0xff00'0000;
            break;
        case InitialCount:
            regs_.initial_count = value;
            regs_.timer_start = clock_.now();
            start_timer();
            break;
        case Divide:
            regs_.divide = value & 0xb;
            start_timer();
            break;
        case Version:
        case Ppr:
        case CurrentCount:
            break;  // read only
        default:
            regs_.error |= kIllegalRegister;
            break;
    }
}

// 11.4.7.2 "Local APIC State After It Has Been Software Disabled".
void LocalApic::write_spurious(uint32_t value) {
    regs_.spurious = value & kSpuriousBits;
    if (!software_enabled())
        for (uint32_t& lvt : regs_.lvt) lvt |= kMasked;
    update();
}

void LocalApic::write_lvt(unsigned entry, uint32_t value) {
    regs_.lvt[entry] = (value & kWritable[entry]) | (software_enabled() ? 0 : kMasked);
    if (entry == Timer) start_timer();
    update();
}

}  // namespace forkscope::devices
