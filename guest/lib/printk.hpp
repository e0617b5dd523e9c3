// The kernel's voice on the console. No line carries a time: the output is the same on every machine.
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

namespace guest {

// As syslog counts: smaller is worse. A line is shown if its level is below the console's loglevel.
enum class LogLevel : uint8_t { Emergency = 0, Alert, Critical, Error, Warning, Notice, Info, Debug };

// One line or a part of one; give the newline yourself.
[[gnu::format(printf, 2, 3)]] void printk(LogLevel level, const char* format, ...);
[[gnu::format(printf, 2, 0)]] void vprintk(LogLevel level, const char* format, va_list args);

// What the console shows: levels below this one (default 7, all but debug).
void set_console_loglevel(unsigned level);
[[nodiscard]] unsigned console_loglevel();
// A second place for the lines, beside the serial port; gets those that came before, too. Called with
// interrupts off.
void set_screen_console(void (*write)(const char* text, size_t bytes));

}  // namespace guest

#define pr_err(...) ::guest::printk(::guest::LogLevel::Error, __VA_ARGS__)
#define pr_warn(...) ::guest::printk(::guest::LogLevel::Warning, __VA_ARGS__)
#define pr_notice(...) ::guest::printk(::guest::LogLevel::Notice, __VA_ARGS__)
#define pr_info(...) ::guest::printk(::guest::LogLevel::Info, __VA_ARGS__)
#define pr_debug(...) ::guest::printk(::guest::LogLevel::Debug, __VA_ARGS__)
