// printf-style formatting into a buffer. Conversions: d i u x X o c s p %, flags - 0 # + space, width,
// precision and `*` for both, lengths hh h l ll z.
#pragma once

#include <stdarg.h>
#include <stddef.h>

namespace guest {

// Both write at most `room` bytes including the terminator and return the length that the whole text has.
[[gnu::format(printf, 3, 4)]] size_t snprintf(char* to, size_t room, const char* format, ...);
[[gnu::format(printf, 3, 0)]] size_t vsnprintf(char* to, size_t room, const char* format, va_list args);
// As snprintf, but returns what was really written, without the terminator: for text built piece by piece.
[[gnu::format(printf, 3, 4)]] size_t scnprintf(char* to, size_t room, const char* format, ...);

}  // namespace guest
