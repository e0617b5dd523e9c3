// printf-style formatting.
#include "guest/lib/format.hpp"

#include <stdint.h>

#include "guest/lib/string.hpp"

namespace guest {

namespace {

class Sink {
public:
    Sink(char* to, size_t room) : to_(to), room_(room) {}
    void put(char c) {
        if (length_ + 1 < room_) to_[length_] = c;
        ++length_;
    }
    void fill(char c, size_t count) {
        while (count-- > 0) put(c);
    }
    size_t finish() {
        if (room_ > 0) to_[length_ < room_ ? length_ : room_ - 1] = '\0';
        return length_;
    }

private:
    char* to_;
    size_t room_;
    size_t length_ = 0;
};

struct Spec {
    bool left = false, zero = false, plus = false, space = false, alternate = false;
    int width = 0;
    int precision = -1;
    int length = 0;  // -2 hh, -1 h, 1 l, 2 ll or z
    char conversion = 0;
};

size_t padding(const Spec& spec, size_t used) {
    const auto width = static_cast<size_t>(spec.width);
    return width > used ? width - used : 0;
}

void put_text(Sink& sink, const Spec& spec, const char* text) {
    if (text == nullptr) text = "(null)";
    const size_t length =
        spec.precision >= 0 ? strnlen(text, static_cast<size_t>(spec.precision)) : strlen(text);
    const size_t pad = padding(spec, length);
    if (!spec.left) sink.fill(' ', pad);
    for (size_t i = 0; i < length; ++i) sink.put(text[i]);
    if (spec.left) sink.fill(' ', pad);
}

void put_number(Sink& sink, const Spec& spec, uint64_t magnitude, char sign, unsigned base,
                const char* prefix) {
    const char* digits = spec.conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[24];
    size_t length = 0;
    if (magnitude == 0 && spec.precision != 0) text[length++] = '0';
    for (; magnitude != 0; magnitude /= base) text[length++] = digits[magnitude % base];
    const size_t wanted = spec.precision > 0 ? static_cast<size_t>(spec.precision) : 0;
    size_t zeros = wanted > length ? wanted - length : 0;
    const size_t fixed = length + zeros + (sign != 0 ? 1 : 0) + strlen(prefix);
    size_t pad = padding(spec, fixed);
    if (spec.zero && !spec.left && spec.precision < 0) {
        zeros += pad;
        pad = 0;
    }
    if (!spec.left) sink.fill(' ', pad);
    if (sign != 0) sink.put(sign);
    for (const char* p = prefix; *p != '\0'; ++p) sink.put(*p);
    sink.fill('0', zeros);
    while (length > 0) sink.put(text[--length]);
    if (spec.left) sink.fill(' ', pad);
}

int parse_count(const char*& at, va_list& args) {
    if (*at == '*') {
        ++at;
        return va_arg(args, int);
    }
    int value = 0;
    for (; *at >= '0' && *at <= '9'; ++at) value = value * 10 + (*at - '0');
    return value;
}

Spec parse_spec(const char*& at, va_list& args) {
    Spec spec;
    for (;; ++at) {
        if (*at == '-')
            spec.left = true;
        else if (*at == '0')
            spec.zero = true;
        else if (*at == '+')
            spec.plus = true;
        else if (*at == ' ')
            spec.space = true;
        else if (*at == '#')
            spec.alternate = true;
        else
            break;
    }
    spec.width = parse_count(at, args);
    if (spec.width < 0) {
        spec.left = true;
        spec.width = -spec.width;
    }
    if (*at == '.') {
        ++at;
        spec.precision = parse_count(at, args);
    }
    for (;; ++at) {
        if (*at == 'l')
            ++spec.length;
        else if (*at == 'h')
            --spec.length;
        else if (*at == 'z')
            spec.length = 2;
        else
            break;
    }
    spec.conversion = *at;
    if (*at != '\0') ++at;
    return spec;
}

int64_t signed_argument(const Spec& spec, va_list& args) {
    if (spec.length >= 1) return va_arg(args, int64_t);
    const int value = va_arg(args, int);
    if (spec.length == -1) return static_cast<int16_t>(value);
    if (spec.length <= -2) return static_cast<int8_t>(value);
    return value;
}

uint64_t unsigned_argument(const Spec& spec, va_list& args) {
    if (spec.length >= 1) return va_arg(args, uint64_t);
    const unsigned value = va_arg(args, unsigned);
    if (spec.length == -1) return static_cast<uint16_t>(value);
    if (spec.length <= -2) return static_cast<uint8_t>(value);
    return value;
}

void put_conversion(Sink& sink, Spec spec, va_list& args) {
    switch (spec.conversion) {
        case 'd':
        case 'i': {
            const int64_t value = signed_argument(spec, args);
            const char sign = value < 0 ? '-' : spec.plus ? '+' : spec.space ? ' ' : '\0';
            const uint64_t magnitude =
                value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
            put_number(sink, spec, magnitude, sign, 10, "");
            break;
        }
        case 'u':
            put_number(sink, spec, unsigned_argument(spec, args), 0, 10, "");
            break;
        case 'o':
            put_number(sink, spec, unsigned_argument(spec, args), 0, 8, spec.alternate ? "0" : "");
            break;
        case 'x':
            put_number(sink, spec, unsigned_argument(spec, args), 0, 16, spec.alternate ? "0x" : "");
            break;
        case 'X':
            put_number(sink, spec, unsigned_argument(spec, args), 0, 16, spec.alternate ? "0X" : "");
            break;
        case 'p':
            put_number(sink, spec, va_arg(args, uintptr_t), 0, 16, "0x");
            break;
        case 'c': {
            const char text[2] = {static_cast<char>(va_arg(args, int)), '\0'};
            spec.precision = 1;
            put_text(sink, spec, text);
            break;
        }
        case 's':
            put_text(sink, spec, va_arg(args, const char*));
            break;
        case '%':
            sink.put('%');
            break;
        default:
            sink.put('?');
            break;
    }
}

}  // namespace

size_t vsnprintf(char* to, size_t room, const char* format, va_list given) {
    Sink sink(to, room);
    va_list args;
    va_copy(args, given);
    for (const char* at = format; *at != '\0';) {
        if (*at != '%') {
            sink.put(*at++);
            continue;
        }
        ++at;
        put_conversion(sink, parse_spec(at, args), args);
    }
    va_end(args);
    return sink.finish();
}

size_t snprintf(char* to, size_t room, const char* format, ...) {
    va_list args;
    va_start(args, format);
    const size_t length = vsnprintf(to, room, format, args);
    va_end(args);
    return length;
}

size_t scnprintf(char* to, size_t room, const char* format, ...) {
    va_list args;
    va_start(args, format);
    const size_t length = vsnprintf(to, room, format, args);
    va_end(args);
    return room == 0 ? 0 : length < room ? length : room - 1;
}

}  // namespace guest
