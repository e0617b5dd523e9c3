// COM1 by polling. Registers: 16550 data sheet, table 2.
#include "guest/arch/early_serial.hpp"

#include "guest/arch/io.hpp"

namespace guest {

namespace {
constexpr uint16_t kBase = 0x3f8;
constexpr uint16_t kData = kBase, kInterruptEnable = kBase + 1, kFifoControl = kBase + 2,
                   kLineControl = kBase + 3, kModemControl = kBase + 4, kLineStatus = kBase + 5;
constexpr uint8_t kThrEmpty = 0x20;
// A port that is not there never becomes ready; do not wait for ever.
constexpr unsigned kPatience = 100000;

void put(char c) {
    for (unsigned i = 0; i < kPatience && (inb(kLineStatus) & kThrEmpty) == 0; ++i) asm volatile("pause");
    outb(kData, static_cast<uint8_t>(c));
}
}  // namespace

void early_serial_init() {
    outb(kInterruptEnable, 0);
    outb(kLineControl, 0x80);  // divisor latch
    outb(kData, 1);            // 115200 baud
    outb(kInterruptEnable, 0);
    outb(kLineControl, 0x03);   // 8 bits, no parity, one stop bit
    outb(kFifoControl, 0x07);   // FIFO on and cleared
    outb(kModemControl, 0x0b);  // DTR, RTS, and OUT2, which lets interrupts through
}

void early_serial_write(const char* text, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) {
        if (text[i] == '\n') put('\r');
        put(text[i]);
    }
}

}  // namespace guest
