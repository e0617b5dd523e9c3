// printk: formats and hands to the console.
#include "guest/lib/printk.hpp"

#include "guest/arch/early_serial.hpp"
#include "guest/arch/irqflags.hpp"
#include "guest/lib/format.hpp"

namespace guest {

namespace {
constinit unsigned console_loglevel = 7;
constexpr size_t kLineSize = 512;
}  // namespace

void set_console_loglevel(unsigned level) { console_loglevel = level; }

void vprintk(LogLevel level, const char* format, va_list args) {
    if (static_cast<unsigned>(level) >= console_loglevel) return;
    char line[kLineSize];
    const size_t length = vsnprintf(line, sizeof(line), format, args);
    const IrqGuard guard;  // lines of an interrupt and of a task do not mix
    early_serial_write(line, length < sizeof(line) ? length : sizeof(line) - 1);
}

void printk(LogLevel level, const char* format, ...) {
    va_list args;
    va_start(args, format);
    vprintk(level, format, args);
    va_end(args);
}

}  // namespace guest
