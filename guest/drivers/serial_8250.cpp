// COM1 as a terminal (National Semiconductor PC16550D data sheet, 8 "Registers"). Input comes by interrupt.
// Output is polled, byte by byte: printk writes to the same port at any moment, so that nothing may be
// assumed about its FIFO.
#include "guest/drivers/serial_8250.hpp"

#include "guest/arch/io.hpp"
#include "guest/arch/irq.hpp"
#include "guest/drivers/tty.hpp"
#include "guest/fs/special.hpp"
#include "guest/lib/printk.hpp"

namespace guest {

namespace {

constexpr uint16_t kCom1 = 0x3f8;
constexpr unsigned kCom1Irq = 4;

// Offsets of the registers, with the divisor latch closed.
constexpr uint16_t kData = 0;
constexpr uint16_t kInterruptEnable = 1;
constexpr uint16_t kFifoControl = 2;
constexpr uint16_t kInterruptIdent = 2;
constexpr uint16_t kLineControl = 3;
constexpr uint16_t kModemControl = 4;
constexpr uint16_t kLineStatus = 5;
constexpr uint16_t kScratch = 7;

constexpr uint8_t kIerReceive = 0x01;
constexpr uint8_t kIirNone = 0x01;  // no interrupt is pending
constexpr uint8_t kFcrEnable = 0x01;
constexpr uint8_t kLcr8n1 = 0x03;
constexpr uint8_t kLcrDivisorLatch = 0x80;
constexpr uint8_t kMcrReady = 0x0b;  // DTR, RTS, and OUT2: the gate of the interrupt line
constexpr uint8_t kLsrDataReady = 0x01;
constexpr uint8_t kLsrTransmitEmpty = 0x20;
constexpr uint8_t kDivisor115200 = 1;

void serial_write(tty_struct&, const char* text, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) {
        while ((inb(kCom1 + kLineStatus) & kLsrTransmitEmpty) == 0) asm volatile("pause");
        outb(kCom1 + kData, static_cast<uint8_t>(text[i]));
    }
}

constexpr tty_operations kSerialOperations{.write = serial_write};
constinit tty_struct com1(abi::make_dev(kTtyMajor, 64), kSerialOperations,
                          abi::kB115200 | abi::kCs8 | abi::kCRead | abi::kHupCl | abi::kCLocal,
                          {24, 80, 0, 0});

// Until the port says that nothing is pending: the line is edge-triggered at the 8259, and an edge that is
// missed does not come again.
void serial_interrupt(unsigned, void*) {
    uint8_t received[64];
    for (unsigned round = 0; round < 64 && (inb(kCom1 + kInterruptIdent) & kIirNone) == 0; ++round) {
        size_t count = 0;
        while (count < sizeof(received) && (inb(kCom1 + kLineStatus) & kLsrDataReady) != 0) {
            received[count++] = inb(kCom1 + kData);
        }
        if (count != 0) tty_receive(com1, received, count);
    }
}

// A port that is not there reads all ones.
bool is_present() {
    outb(kCom1 + kScratch, 0x5a);
    return inb(kCom1 + kScratch) == 0x5a;
}

}  // namespace

void serial_init() {
    tty_init();
    tty_register(com1);
    tty_set_console(com1);
    if (!is_present()) {
        pr_warn("serial: no 16550 at %#x\n", kCom1);
        return;
    }
    outb(kCom1 + kInterruptEnable, 0);
    outb(kCom1 + kLineControl, kLcrDivisorLatch);
    outb(kCom1 + kData, kDivisor115200);
    outb(kCom1 + kInterruptEnable, 0);
    outb(kCom1 + kLineControl, kLcr8n1);
    // What was typed before now stays in the FIFO only where it was on already.
    outb(kCom1 + kFifoControl, kFcrEnable);
    outb(kCom1 + kModemControl, kMcrReady);
    request_irq(kCom1Irq, serial_interrupt, nullptr, "ttyS0");
    outb(kCom1 + kInterruptEnable, kIerReceive);
}

}  // namespace guest
