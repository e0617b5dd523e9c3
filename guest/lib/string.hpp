// The memory and string functions that compilers call by name, and a few of Linux's.
#pragma once

#include <stddef.h>
#include <stdint.h>

extern "C" {
void* memcpy(void* __restrict to, const void* __restrict from, size_t bytes);
void* memmove(void* to, const void* from, size_t bytes);
void* memset(void* to, int value, size_t bytes);
int memcmp(const void* a, const void* b, size_t bytes);
void* memchr(const void* where, int value, size_t bytes);
size_t strlen(const char* text);
size_t strnlen(const char* text, size_t limit);
int strcmp(const char* a, const char* b);
int strncmp(const char* a, const char* b, size_t limit);
char* strchr(const char* text, int value);
char* strrchr(const char* text, int value);
}

namespace guest {

// Copies text with its terminator, cut to `room` bytes in all; always terminated when room > 0.
// Returns the length of text, so that a result >= room tells of a cut.
size_t strlcpy(char* to, const char* text, size_t room);

// Parses digits in `base` (2..16; 0 takes 0x for 16 and a leading 0 for 8, else 10). *end, if given, is where
// parsing stopped. Saturates nothing: overflow wraps.
uint64_t simple_strtoull(const char* text, const char** end, unsigned base);

}  // namespace guest
