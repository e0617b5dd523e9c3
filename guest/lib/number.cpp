// Numbers in text.
#include "guest/lib/string.hpp"

namespace guest {

namespace {
unsigned digit_value(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return 255;
}
}  // namespace

uint64_t simple_strtoull(const char* text, const char** end, unsigned base) {
    const bool hex_prefix = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    if (base == 0) base = hex_prefix ? 16 : text[0] == '0' ? 8 : 10;
    if (base == 16 && hex_prefix) text += 2;
    uint64_t value = 0;
    for (; digit_value(*text) < base; ++text) value = value * base + digit_value(*text);
    if (end != nullptr) *end = text;
    return value;
}

}  // namespace guest
