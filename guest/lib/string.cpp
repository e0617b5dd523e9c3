// Memory and string functions. The copies use rep movsb/stosb: one instruction to an emulator, and fast
// microcode on hardware.
#include "guest/lib/string.hpp"

extern "C" {

void* memcpy(void* __restrict to, const void* __restrict from, size_t bytes) {
    void* const start = to;
    // Quadwords first: not every machine speeds rep movsb up.
    size_t words = bytes / 8;
    asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
    size_t rest = bytes % 8;
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
    return start;
}

void* memmove(void* to, const void* from, size_t bytes) {
    auto* target = static_cast<char*>(to);
    const auto* source = static_cast<const char*>(from);
    if (target <= source || target >= source + bytes) {
        memcpy(to, from, bytes);
        return to;
    }
    // Overlapping, target above source: copy from the end.
    void* last_target = target + bytes - 1;
    const void* last_source = source + bytes - 1;
    asm volatile("std; rep movsb; cld"
                 : "+D"(last_target), "+S"(last_source), "+c"(bytes)
                 :
                 : "memory", "cc");
    return to;
}

void* memset(void* to, int value, size_t bytes) {
    void* const start = to;
    const uint64_t pattern = 0x0101010101010101u * static_cast<uint8_t>(value);
    size_t words = bytes / 8;
    asm volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
    size_t rest = bytes % 8;
    asm volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(pattern) : "memory");
    return start;
}

int memcmp(const void* a, const void* b, size_t bytes) {
    const auto* left = static_cast<const uint8_t*>(a);
    const auto* right = static_cast<const uint8_t*>(b);
    for (size_t i = 0; i < bytes; ++i) {
        if (left[i] != right[i]) return left[i] < right[i] ? -1 : 1;
    }
    return 0;
}

void* memchr(const void* where, int value, size_t bytes) {
    const auto* at = static_cast<const uint8_t*>(where);
    for (size_t i = 0; i < bytes; ++i) {
        if (at[i] == static_cast<uint8_t>(value)) return const_cast<uint8_t*>(at + i);
    }
    return nullptr;
}

size_t strlen(const char* text) {
    size_t length = 0;
    while (text[length] != '\0') ++length;
    return length;
}

size_t strnlen(const char* text, size_t limit) {
    size_t length = 0;
    while (length < limit && text[length] != '\0') ++length;
    return length;
}

int strcmp(const char* a, const char* b) { return strncmp(a, b, ~size_t{0}); }

int strncmp(const char* a, const char* b, size_t limit) {
    for (size_t i = 0; i < limit; ++i) {
        const auto left = static_cast<uint8_t>(a[i]);
        const auto right = static_cast<uint8_t>(b[i]);
        if (left != right) return left < right ? -1 : 1;
        if (left == 0) break;
    }
    return 0;
}

char* strchr(const char* text, int value) {
    for (;; ++text) {
        if (*text == static_cast<char>(value)) return const_cast<char*>(text);
        if (*text == '\0') return nullptr;
    }
}

char* strrchr(const char* text, int value) {
    const char* found = nullptr;
    for (;; ++text) {
        if (*text == static_cast<char>(value)) found = text;
        if (*text == '\0') return const_cast<char*>(found);
    }
}

}  // extern "C"

namespace guest {

size_t strlcpy(char* to, const char* text, size_t room) {
    const size_t length = strlen(text);
    if (room > 0) {
        const size_t copied = length < room ? length : room - 1;
        memcpy(to, text, copied);
        to[copied] = '\0';
    }
    return length;
}

}  // namespace guest
