// Stopping the machine.
#include "guest/arch/power.hpp"

#include "guest/arch/event_port.hpp"
#include "guest/arch/io.hpp"
#include "guest/arch/irqflags.hpp"

namespace guest {

namespace {
constexpr uint16_t kDebugExitPort = 0xf4;
// PM1a control of the PC machine's ACPI block: sleep type 0, sleep enable.
constexpr uint16_t kPm1aControl = 0x604;
constexpr uint16_t kSleepEnable = 1u << 13;
constexpr uint16_t kKeyboardCommand = 0x64;
constexpr uint8_t kPulseReset = 0xfe;

[[noreturn]] void halt_for_ever() {
    for (;;) asm volatile("cli; hlt");
}
}  // namespace

void machine_power_off(uint8_t status) {
    local_irq_disable();
    announce(abi::Announcement::PowerOff, status);
    outl(kDebugExitPort, status);
    outw(kPm1aControl, kSleepEnable);
    halt_for_ever();
}

void machine_restart() {
    local_irq_disable();
    outb(kKeyboardCommand, kPulseReset);
    const struct [[gnu::packed]] {
        uint16_t limit;
        uint64_t base;
    } empty{0, 0};
    asm volatile("lidt %0; int3" : : "m"(empty));
    halt_for_ever();
}

}  // namespace guest
