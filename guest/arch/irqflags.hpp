// The interrupt flag.
#pragma once

#include <stdint.h>

namespace guest {

inline constexpr uint64_t kFlagsIf = 1u << 9;

inline uint64_t save_flags() {
    uint64_t flags;
    asm volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
    return flags;
}
inline void local_irq_disable() { asm volatile("cli" : : : "memory"); }
inline void local_irq_enable() { asm volatile("sti" : : : "memory"); }
[[nodiscard]] inline bool irqs_disabled() { return (save_flags() & kFlagsIf) == 0; }

// Returns what local_irq_restore() needs.
[[nodiscard]] inline uint64_t local_irq_save() {
    const uint64_t flags = save_flags();
    local_irq_disable();
    return flags;
}
inline void local_irq_restore(uint64_t flags) {
    if ((flags & kFlagsIf) != 0) local_irq_enable();
}

// Interrupts off until the end of the scope, then as they were.
class IrqGuard {
public:
    IrqGuard() : flags_(local_irq_save()) {}
    IrqGuard(const IrqGuard&) = delete;
    IrqGuard& operator=(const IrqGuard&) = delete;
    ~IrqGuard() { local_irq_restore(flags_); }

private:
    uint64_t flags_;
};

}  // namespace guest
