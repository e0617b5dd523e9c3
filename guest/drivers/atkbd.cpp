// The keyboard controller (IBM Personal System/2 Hardware Interface Technical Reference, "Keyboard and
// Auxiliary Device Controller"). It translates the keyboard's codes to set 1.
#include "guest/drivers/atkbd.hpp"

#include "guest/arch/io.hpp"
#include "guest/arch/irq.hpp"
#include "guest/lib/printk.hpp"

namespace guest {

namespace {

constexpr uint16_t kData = 0x60, kControl = 0x64;
constexpr unsigned kKeyboardIrq = 1;
constexpr uint8_t kOutputFull = 0x01, kInputFull = 0x02, kFromMouse = 0x20;
constexpr uint8_t kReadConfig = 0x20, kWriteConfig = 0x60, kEnableKeyboard = 0xae;
constexpr uint8_t kConfigInterrupt = 0x01, kConfigKeyboardOff = 0x10, kConfigTranslate = 0x40;
constexpr uint8_t kEnableScanning = 0xf4;
constexpr unsigned kPatience = 10000;  // looks at the status

using ScanHandler = void (*)(uint8_t code);
constinit ScanHandler handler = nullptr;

bool wait_for(uint8_t mask, uint8_t wanted) {
    for (unsigned i = 0; i < kPatience; ++i)
        if ((inb(kControl) & mask) == wanted) return true;
    return false;
}

bool send(uint16_t port, uint8_t byte) {
    if (!wait_for(kInputFull, 0)) return false;
    outb(port, byte);
    return true;
}

// What came before anybody listened.
void drain() {
    for (unsigned i = 0; i < 32 && (inb(kControl) & kOutputFull) != 0; ++i) static_cast<void>(inb(kData));
}

void interrupt(unsigned, void*) {
    for (unsigned i = 0; i < 32; ++i) {
        const uint8_t status = inb(kControl);
        if ((status & kOutputFull) == 0) return;
        const uint8_t byte = inb(kData);
        if ((status & kFromMouse) == 0) handler(byte);
    }
}

bool set_up() {
    if (inb(kControl) == 0xff) return false;
    drain();
    if (!send(kControl, kReadConfig) || !wait_for(kOutputFull, kOutputFull)) return false;
    const uint8_t config = inb(kData);
    if (!send(kControl, kWriteConfig) ||
        !send(kData,
              static_cast<uint8_t>((config | kConfigInterrupt | kConfigTranslate) & ~kConfigKeyboardOff)) ||
        !send(kControl, kEnableKeyboard) || !send(kData, kEnableScanning))
        return false;
    static_cast<void>(wait_for(kOutputFull, kOutputFull));  // its acknowledgement
    drain();
    return true;
}

}  // namespace

void atkbd_init(void (*scan)(uint8_t code)) {
    handler = scan;
    if (set_up())
        request_irq(kKeyboardIrq, interrupt, nullptr, "i8042");
    else
        pr_warn("no keyboard controller\n");
}

}  // namespace guest
