// Hardware interrupts through two 8259A controllers (Intel 8259A data sheet, "Initialization Command Words").
#include "guest/arch/irq.hpp"

#include "guest/arch/io.hpp"
#include "guest/arch/irqflags.hpp"
#include "guest/arch/percpu.hpp"
#include "guest/arch/traps.hpp"
#include "guest/lib/panic.hpp"

namespace guest {

namespace {

constexpr uint16_t kMasterCommand = 0x20, kMasterData = 0x21, kSlaveCommand = 0xa0, kSlaveData = 0xa1;
constexpr uint8_t kEndOfInterrupt = 0x20;
constexpr uint8_t kReadInService = 0x0b;
constexpr unsigned kCascade = 2;
constexpr auto kFirstVector = static_cast<uint32_t>(Vector::FirstIrq);

struct IrqLine {
    irq_handler handler = nullptr;
    void* context = nullptr;
    const char* name = nullptr;
    uint64_t count = 0;
};
constinit IrqLine lines[kIrqs];
constinit uint16_t masked = 0xffff;
constinit bool from_user = false;

void write_masks() {
    outb(kMasterData, static_cast<uint8_t>(masked));
    outb(kSlaveData, static_cast<uint8_t>(masked >> 8));
}

// Line 7 of each controller also stands for a request that went away before it was acknowledged: then the
// in-service bit is clear, and there is nothing to end at that controller.
bool is_spurious(unsigned irq) {
    if (irq == 7) {
        outb(kMasterCommand, kReadInService);
        return (inb(kMasterCommand) & 0x80) == 0;
    }
    if (irq == 15) {
        outb(kSlaveCommand, kReadInService);
        if ((inb(kSlaveCommand) & 0x80) != 0) return false;
        outb(kMasterCommand, kEndOfInterrupt);
        return true;
    }
    return false;
}

void end_of_interrupt(unsigned irq) {
    if (irq >= 8) outb(kSlaveCommand, kEndOfInterrupt);
    outb(kMasterCommand, kEndOfInterrupt);
}

}  // namespace

void init_irq() {
    outb(kMasterCommand, 0x11);  // ICW1: edge-triggered, cascade, ICW4 follows
    outb(kSlaveCommand, 0x11);
    outb(kMasterData, kFirstVector);
    outb(kSlaveData, kFirstVector + 8);
    outb(kMasterData, 1u << kCascade);
    outb(kSlaveData, kCascade);
    outb(kMasterData, 0x01);  // ICW4: 8086 mode, normal end of interrupt
    outb(kSlaveData, 0x01);
    masked = static_cast<uint16_t>(~(1u << kCascade));
    write_masks();
}

irq_statistics irq_statistics_of(unsigned irq) { return {lines[irq].count, lines[irq].name}; }

void request_irq(unsigned irq, irq_handler handler, void* context, const char* name) {
    BUG_ON(irq >= kIrqs || lines[irq].handler != nullptr);
    const IrqGuard guard;
    lines[irq] = IrqLine{handler, context, name, 0};
    masked &= static_cast<uint16_t>(~(1u << irq));
    write_masks();
}

bool irq_from_user() { return from_user; }

void do_irq(pt_regs& regs, uint32_t vector) {
    const unsigned irq = vector - kFirstVector;
    if (irq >= kIrqs || is_spurious(irq)) return;
    PerCpu& cpu = this_cpu();
    cpu.preempt_count += kHardIrqOffset;
    from_user = user_mode(regs);
    ++lines[irq].count;
    end_of_interrupt(irq);
    if (lines[irq].handler != nullptr) lines[irq].handler(irq, lines[irq].context);
    cpu.preempt_count -= kHardIrqOffset;
}

}  // namespace guest
