#include "devices/i8259.hpp"

#include <cassert>

namespace forkscope::devices {

namespace {

constexpr unsigned kNone = 8;
constexpr unsigned kCascadeInput = 2;

constexpr uint8_t kIcw1NeedsIcw4 = 0x01;
constexpr uint8_t kIcw1Single = 0x02;
constexpr uint8_t kIcw1LevelTriggered = 0x08;
constexpr uint8_t kIcw1 = 0x10;  // tells ICW1 from OCW2 and OCW3
constexpr uint8_t kOcw3 = 0x08;  // tells OCW3 from OCW2
constexpr uint8_t kIcw4AutoEoi = 0x02;
constexpr uint8_t kIcw4SpecialFullyNested = 0x10;

// The PIIX keeps the timer, the keyboard, the cascade, the clock and the coprocessor edge triggered
// (82371SB data sheet, ELCR1 and ELCR2).
constexpr uint8_t kMasterElcrMask = 0xf8;
constexpr uint8_t kSlaveElcrMask = 0xde;

constexpr uint8_t bit_of(unsigned input) { return static_cast<uint8_t>(1u << input); }

}  // namespace

uint8_t I8259::level_inputs() const { return (regs_.icw1 & kIcw1LevelTriggered) != 0 ? 0xff : regs_.elcr; }

unsigned I8259::highest(uint8_t inputs) const {
    for (unsigned rank = 0; rank < 8; ++rank) {
        const unsigned input = (regs_.lowest + 1u + rank) & 7;
        if ((inputs & bit_of(input)) != 0) return input;
    }
    return kNone;
}

unsigned I8259::deliverable() const {
    // "After the Initialization Command Words are programmed, the device is ready to accept requests."
    if (regs_.step != Step::Ready) return kNone;
    const unsigned request = highest(static_cast<uint8_t>(regs_.irr & ~regs_.imr));
    if (request == kNone) return kNone;
    // In special mask mode a masked level in service no longer holds the others back.
    uint8_t holding = regs_.isr;
    if (regs_.special_mask) holding = static_cast<uint8_t>(holding & ~regs_.imr);
    const unsigned serving = highest(holding);
    if (serving == kNone || rank_of(request) < rank_of(serving)) return request;
    // Special fully nested mode: a slave in service is not locked out, its own priorities decide.
    const bool nested = (regs_.icw4 & kIcw4SpecialFullyNested) != 0 && has_slave(request);
    return nested && request == serving ? request : kNone;
}

void I8259::serve(unsigned input) {
    // An edge is used up; a level asks for as long as it lasts.
    if ((level_inputs() & bit_of(input)) == 0) regs_.irr = static_cast<uint8_t>(regs_.irr & ~bit_of(input));
    if ((regs_.icw4 & kIcw4AutoEoi) == 0) {
        regs_.isr |= bit_of(input);
    } else if (regs_.rotate_on_auto_eoi) {
        regs_.lowest = static_cast<uint8_t>(input);
    }
}

I8259::Acknowledged I8259::acknowledge() {
    const unsigned input = deliverable();
    if (input != kNone) serve(input);
    // INT falls in every acknowledge cycle, so that one more request is a new edge for the master.
    output_.lower();
    update_output();
    if (input == kNone) return {7, true};
    return {input, false};
}

bool I8259::has_slave(unsigned input) const {
    return role_ == Role::Master && (regs_.icw1 & kIcw1Single) == 0 && (regs_.icw3 & bit_of(input)) != 0;
}

void I8259::set_input(unsigned input, bool level) {
    assert(input < 8);
    const uint8_t mask = bit_of(input);
    const bool was = (regs_.lines & mask) != 0;
    if (level) {
        regs_.lines |= mask;
        // A rising edge stays latched after the line drops.
        if (!was || (level_inputs() & mask) != 0) regs_.irr |= mask;
    } else {
        regs_.lines = static_cast<uint8_t>(regs_.lines & ~mask);
        if ((level_inputs() & mask) != 0) regs_.irr = static_cast<uint8_t>(regs_.irr & ~mask);
    }
    update_output();
}

void I8259::set_elcr(uint8_t value) {
    const uint8_t before = level_inputs();
    regs_.elcr = value & elcr_mask_;
    const uint8_t changed = before ^ level_inputs();
    // A new level input asks while it is high; a new edge input asks at its next edge.
    const auto kept = static_cast<uint8_t>(regs_.irr & ~changed);
    regs_.irr = static_cast<uint8_t>(kept | (changed & level_inputs() & regs_.lines));
    update_output();
}

uint32_t I8259::read(const bus::PortAccess& access) {
    if (regs_.poll) {
        regs_.poll = false;
        const Acknowledged served = acknowledge();
        return served.spurious ? 0 : 0x80 | served.input;
    }
    if (access.offset == 1) return regs_.imr;
    return regs_.read_isr ? regs_.isr : regs_.irr;
}

void I8259::write(const bus::PortAccess& access, uint32_t value) {
    const auto byte = static_cast<uint8_t>(value);
    const Step after_icw3 = (regs_.icw1 & kIcw1NeedsIcw4) != 0 ? Step::Icw4 : Step::Ready;
    if (access.offset == 0) {
        if ((byte & kIcw1) != 0) {
            write_icw1(byte);
        } else if ((byte & kOcw3) != 0) {
            write_ocw3(byte);
        } else {
            write_ocw2(byte);
        }
    } else {
        switch (regs_.step) {
            case Step::Icw2:
                regs_.vector = byte & 0xf8;
                regs_.step = (regs_.icw1 & kIcw1Single) != 0 ? after_icw3 : Step::Icw3;
                break;
            case Step::Icw3:
                regs_.icw3 = byte;
                regs_.step = after_icw3;
                break;
            case Step::Icw4:
                regs_.icw4 = byte;
                regs_.step = Step::Ready;
                break;
            case Step::Uninitialized:
            case Step::Ready:
                regs_.imr = byte;
                break;
        }
    }
    update_output();
}

// "Initialization Command Words": the edge sense circuit is reset, IMR is cleared, input 7 gets the lowest
// priority, special mask mode is off, reads give IRR, and without an ICW4 all its functions are 0.
void I8259::write_icw1(uint8_t value) {
    const Regs before = regs_;
    regs_ = Regs{};
    regs_.lines = before.lines;
    regs_.elcr = before.elcr;
    regs_.icw1 = value;
    regs_.irr = regs_.lines & level_inputs();
    regs_.step = Step::Icw2;
}

// R, SL and EOI in bits 7 to 5; the level they act on, where SL is set, in bits 2 to 0.
void I8259::write_ocw2(uint8_t value) {
    const unsigned level = value & 7;
    // "An IS bit that is masked by an IMR bit will not be cleared by a non-specific EOI if the 8259A is
    // in the special mask mode."
    const auto served = static_cast<uint8_t>(regs_.special_mask ? regs_.isr & ~regs_.imr : regs_.isr);
    switch (value >> 5) {
        case 0b000:
            regs_.rotate_on_auto_eoi = false;
            break;
        case 0b100:
            regs_.rotate_on_auto_eoi = true;
            break;
        case 0b001:
            end_of_interrupt(highest(served));
            break;
        case 0b011:
            end_of_interrupt(level);
            break;
        case 0b101: {
            const unsigned input = highest(served);
            end_of_interrupt(input);
            if (input != kNone) regs_.lowest = static_cast<uint8_t>(input);
            break;
        }
        case 0b111:
            end_of_interrupt(level);
            regs_.lowest = static_cast<uint8_t>(level);
            break;
        case 0b110:
            regs_.lowest = static_cast<uint8_t>(level);
            break;
        default:
            break;  // 010: no operation
    }
}

void I8259::write_ocw3(uint8_t value) {
    if ((value & 0x40) != 0) regs_.special_mask = (value & 0x20) != 0;
    // Poll overrides a register read in the same word.
    if ((value & 0x04) != 0) {
        regs_.poll = true;
    } else if ((value & 0x02) != 0) {
        regs_.read_isr = (value & 0x01) != 0;
    }
}

void I8259::end_of_interrupt(unsigned input) {
    if (input != kNone) regs_.isr = static_cast<uint8_t>(regs_.isr & ~bit_of(input));
}

void I8259::update_output() { output_.set(deliverable() != kNone); }

void I8259::reset() {
    const uint8_t lines = regs_.lines;
    regs_ = Regs{};
    regs_.lines = lines;
    update_output();
}

void I8259::restore(const Regs& regs) {
    regs_ = regs;
    update_output();
}

I8259Pair::I8259Pair()
    : master_(I8259::Role::Master, kMasterElcrMask), slave_(I8259::Role::Slave, kSlaveElcrMask) {
    slave_.output().connect(master_, kCascadeInput);
    master_.output().connect(pin_, 0);
}

uint8_t I8259Pair::acknowledge() {
    const I8259::Acknowledged first = master_.acknowledge();
    if (first.spurious || !master_.has_slave(first.input)) return master_.vector_of(first.input);
    // The slave answers when its number is the input that the master calls; else the bus floats.
    if (first.input != kCascadeInput || (slave_.regs().icw3 & 7) != kCascadeInput) return 0xff;
    return slave_.vector_of(slave_.acknowledge().input);
}

void I8259Pair::set_input(unsigned input, bool level) {
    assert(input < 16 && input != kCascadeInput);
    (input < 8 ? master_ : slave_).set_input(input % 8, level);
}

void I8259Pair::reset() {
    slave_.reset();
    master_.reset();
}

// The slave first: its output moves an input of the master, whose registers hold that already.
void I8259Pair::restore(const Regs& regs) {
    slave_.restore(regs.slave);
    master_.restore(regs.master);
}

uint32_t I8259Pair::Elcr::read(const bus::PortAccess& access) {
    return (access.offset == 0 ? pair_.master_ : pair_.slave_).regs().elcr;
}

void I8259Pair::Elcr::write(const bus::PortAccess& access, uint32_t value) {
    (access.offset == 0 ? pair_.master_ : pair_.slave_).set_elcr(static_cast<uint8_t>(value));
}

}  // namespace forkscope::devices
