#include "tests/devices/port_storm.hpp"

#include <array>
#include <cstdlib>

namespace forkscope::devices {

namespace {

constexpr std::array<bus::PortRange, 11> kRanges = {{{0x20, 2},
                                                     {0xa0, 2},
                                                     {0x4d0, 2},
                                                     {0x40, 4},
                                                     {0x61, 1},
                                                     {0x3f8, 8},
                                                     {0x2f8, 8},
                                                     {0x70, 2},
                                                     {0xf4, 4},
                                                     {0xe9, 1},
                                                     {abi::kEventDataPort, EventPort::kPorts}}};

constexpr std::array<bus::Width, 3> kWidths = {bus::Width::Byte, bus::Width::Word, bus::Width::Dword};

}  // namespace

PortStorm::PortStorm() {
    const std::array<bus::PortDevice*, kRanges.size()> devices = {
        &pic_.master(), &pic_.slave(), &pic_.elcr(), &pit_,     &pit_.port_b(), &com1_,
        &com2_,         &rtc_,         &exit_,       &console_, &events_};
    for (size_t i = 0; i < kRanges.size(); ++i)
        if (!bus_.insert("device " + std::to_string(i), kRanges[i], *devices[i])) std::abort();
    timer_irq_.connect(pic_, 0);
    com2_irq_.connect(pic_, 3);
    com1_irq_.connect(pic_, 4);
    clock_irq_.connect(pic_, 8);
}

std::vector<uint8_t> PortStorm::prologue() {
    // operation 0 (write a byte), range, offset in it, value
    return {0, 0, 0, 0x11, 0, 0, 1, 0x20, 0, 0, 1, 0x04, 0, 0, 1, 0x01,  // master
            0, 1, 0, 0x11, 0, 1, 1, 0x28, 0, 1, 1, 0x02, 0, 1, 1, 0x01,  // slave
            0, 3, 3, 0x34, 0, 3, 0, 0x00, 0, 3, 0, 0x04,                 // counter 0: mode 2, 1,024
            0, 5, 4, 0x0b, 0, 5, 1, 0x0f, 0, 6, 4, 0x0b, 0, 6, 1, 0x0f,  // COM1 and COM2
            0, 7, 0, 0x0b, 0, 7, 1, 0x42};                               // the clock's periodic interrupt
}

uint8_t PortStorm::next() {
    if (script_.empty()) return 0;
    const uint8_t byte = script_.front();
    script_ = script_.subspan(1);
    return byte;
}

// Mostly a port of a device, also one beside it, which makes wide accesses straddle.
uint16_t PortStorm::next_port() {
    const uint8_t choice = next();
    if (choice >= 0xf0) return static_cast<uint16_t>(next() << 8 | next());
    const bus::PortRange& range = kRanges[choice % kRanges.size()];
    return static_cast<uint16_t>(range.first + next() % (range.count + 1) - (choice >= 0xe0 ? 1 : 0));
}

void PortStorm::step() {
    const uint8_t op = next();
    const bus::Width width = kWidths[op / 16 % kWidths.size()];
    const CpuId cpu = op >= 0xc0 ? 1 : 0;
    switch (op % 16) {
        case 0:
        case 1:
        case 2:
        case 3:
        case 4:
        case 5:
        case 6: {
            const uint16_t port = next_port();
            uint32_t value = next();
            if (width != bus::Width::Byte) value |= static_cast<uint32_t>(next()) << 8 | value << 24;
            bus_.write(port, width, value, cpu);
            break;
        }
        case 7:
        case 8:
        case 9:
        case 10: {
            const uint32_t value = bus_.read(next_port(), width, cpu);
            if (value > bus::all_ones(width)) broken_ = "a read gave bits above its width";
            break;
        }
        case 11:
            pass_time();
            break;
        case 12:
            acknowledge();
            break;
        case 13: {
            const std::array<uint8_t, 3> bytes = {next(), op, op};
            (op >= 0x80 ? com1_ : com2_).receive(std::span(bytes).first(op % 4));
            break;
        }
        case 14:
            save_and_restore();
            break;
        default:
            if (next() == 0) reset_all();
            break;
    }
}

void PortStorm::reset_all() {
    pit_.reset();
    com1_.reset();
    com2_.reset();
    rtc_.reset();
    events_.reset();
    pic_.reset();
}

void PortStorm::pass_time() {
    const uint8_t how = next();
    if (how < 0xf0) {
        bench_.run_for(VirtualNs{1} << (how % 20));
        return;
    }
    // A long time in which no timer ran. Each chip sees it at once when it is touched; catching up
    // period by period is for the run loop, which is never so late.
    if (bench_.now() < (VirtualNs{1} << 61)) bench_.skip_to(bench_.now() + (VirtualNs{1} << (how % 16 + 30)));
    (void)in(pit_, 0);
    out(rtc_, 0, 0);
    (void)in(rtc_, 1);
    bench_.timers.run_due(bench_.now());
    if (bench_.timers.next_deadline() <= bench_.now()) broken_ = "a timer is still due after run_due()";
}

void PortStorm::acknowledge() {
    const bool pending = pic_.pending();
    const uint8_t master_isr = pic_.master().regs().isr;
    (void)pic_.acknowledge();
    if (pending) ++interrupts_;
    if (!pending && pic_.master().regs().isr != master_isr)
        broken_ = "a spurious acknowledge served something";
}

void PortStorm::save_and_restore() {
    const auto same = [this](auto& device, const char* name) {
        const auto saved = device.regs();
        device.restore(saved);
        if (!(device.regs() == saved)) broken_ = name;
    };
    const VirtualNs deadline = bench_.timers.next_deadline();
    same(pit_, "restoring the timer's own registers changed it");
    same(com1_, "restoring COM1's own registers changed it");
    same(com2_, "restoring COM2's own registers changed it");
    same(rtc_, "restoring the clock's own registers changed it");
    same(events_, "restoring the event port's own registers changed it");
    same(pic_, "restoring the interrupt controllers' own registers changed them");
    if (bench_.timers.next_deadline() != deadline) broken_ = "restoring moved a deadline";
}

const char* PortStorm::broken_invariant() {
    if (broken_ != nullptr) return broken_;
    if (!all_exits_odd_) return "an exit status is even or too large";
    const I8259::Regs& master = pic_.master().regs();
    if (pic_.pending() != pic_.master().output().level()) return "INTR differs from the master's output";
    if (((master.lines & 1) != 0) != timer_irq_.level()) return "the master missed a change of IRQ 0";
    if (((master.lines & 4) != 0) != pic_.slave().output().level())
        return "the master missed the slave's output";
    if (pic_.pending() && (master.irr & ~master.imr) == 0) return "INTR without a request";
    for (const I8254Counter::Regs& counter : pit_.regs().counters)
        if (counter.element > 65536 || counter.reload > 65536) return "a count is out of range";
    for (const Uart16550* uart : {&com1_, &com2_}) {
        const Uart16550::Regs& regs = uart->regs();
        const unsigned capacity = (regs.fcr & 1) != 0 ? Uart16550::kFifoBytes : 1;
        if (regs.receive.count > capacity || regs.transmit.count > capacity) return "a FIFO is overfull";
        if (regs.transmit.count != 0 && !regs.shifting) return "the transmitter stopped with bytes to send";
    }
    return nullptr;
}

const char* PortStorm::run(std::span<const uint8_t> script) {
    script_ = script;
    while (!script_.empty()) {
        step();
        if (const char* broken = broken_invariant()) return broken;
        sink_.text.clear();
    }
    return nullptr;
}

}  // namespace forkscope::devices
