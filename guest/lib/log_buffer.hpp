// The last lines that the kernel said, each after "<LEVEL>", for syslog(2) and dmesg.
#pragma once

#include <stddef.h>

#include "guest/lib/printk.hpp"

namespace guest {

inline constexpr size_t kLogBufferBytes = 16384;

// A part of a line. What is oldest gives way. Callable from interrupts.
void log_buffer_add(LogLevel level, const char* text, size_t length);
// The positions of the oldest byte and one past the youngest, counted from the first that there ever was.
struct log_span {
    uint64_t from, to;
};
[[nodiscard]] log_span log_buffer_span();
// Copies bytes from that position on, as many as are there; what has given way is left out.
size_t log_buffer_copy(uint64_t from, char* to, size_t bytes);

}  // namespace guest
