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
// Unmasks the line. One handler a line.
void request_irq(unsigned irq, irq_handler handler, void* context);
void do_irq(pt_regs& regs, uint32_t vector);

// Whether the interrupt that is being served came from user mode: whose time the tick is.
[[nodiscard]] bool irq_from_user();

// The tick: PIT channel 0 at kHz.
void time_init();

}  // namespace guest
