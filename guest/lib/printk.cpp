// printk: formats and hands to the console.
#include "guest/lib/printk.hpp"

#include "guest/arch/early_serial.hpp"
#include "guest/arch/irqflags.hpp"
#include "guest/lib/format.hpp"
#include "guest/lib/log_buffer.hpp"

namespace guest {

namespace {
constinit unsigned loglevel = 7;
constexpr size_t kLineSize = 512;
using ScreenWrite = void (*)(const char* text, size_t bytes);
constinit ScreenWrite screen = nullptr;
// What came before the screen: the first lines of a boot.
constinit char early[2048] = {};
constinit size_t early_bytes = 0;

void write_screen(const char* text, size_t bytes) {
    if (screen != nullptr) return screen(text, bytes);
    for (size_t i = 0; i < bytes && early_bytes < sizeof(early); ++i) early[early_bytes++] = text[i];
}
}  // namespace

void set_screen_console(void (*write)(const char* text, size_t bytes)) {
    const IrqGuard guard;
    screen = write;
    screen(early, early_bytes);
}

void set_console_loglevel(unsigned level) { loglevel = level; }
unsigned console_loglevel() { return loglevel; }

void vprintk(LogLevel level, const char* format, va_list args) {
    char line[kLineSize];
    const size_t wanted = vsnprintf(line, sizeof(line), format, args);
    const size_t length = wanted < sizeof(line) ? wanted : sizeof(line) - 1;
    const IrqGuard guard;  // lines of an interrupt and of a task do not mix
    log_buffer_add(level, line, length);
    if (static_cast<unsigned>(level) >= loglevel) return;
    early_serial_write(line, length);
    write_screen(line, length);
}

void printk(LogLevel level, const char* format, ...) {
    va_list args;
    va_start(args, format);
    vprintk(level, format, args);
    va_end(args);
}

}  // namespace guest
