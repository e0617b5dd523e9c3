// Hardware interrupts: the 8259 pair, handlers by line, the tick.
#pragma once

#include <stdint.h>

namespace guest {

struct pt_regs;

inline constexpr unsigned kIrqs = 16;
// Called with interrupts off; must not sleep.
using irq_handler = void (*)(unsigned irq, void* context);

// The controllers, all lines masked.
void init_irq();
// Unmasks the line. One handler a line. name: as /proc/interrupts shows it.
void request_irq(unsigned irq, irq_handler handler, void* context, const char* name);
// Of one line: interrupts so far, and whose it is; null if it is nobody's.
struct irq_statistics {
    uint64_t count = 0;
    const char* name = nullptr;
};
[[nodiscard]] irq_statistics irq_statistics_of(unsigned irq);
void do_irq(pt_regs& regs, uint32_t vector);

// Whether the interrupt that is being served came from user mode: whose time the tick is.
[[nodiscard]] bool irq_from_user();

// The tick: PIT channel 0 at kHz.
void time_init();

}  // namespace guest
