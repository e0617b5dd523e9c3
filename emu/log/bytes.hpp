// Little-endian words and variable-length integers in byte buffers: the alphabet of the log format.
// The reading side checks every length; once something is out of bounds it stays failed.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forkscope::log {

static_assert(std::endian::native == std::endian::little, "words are copied as they stand in memory");

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;

inline constexpr size_t kMaxVarintBytes = 10;

// Small magnitudes of either sign become small numbers: 0, -1, 1, -2, ... are 0, 1, 2, 3, ...
[[nodiscard]] constexpr uint64_t zigzag(uint64_t difference) {
    return (difference << 1) ^ (0 - (difference >> 63));
}
[[nodiscard]] constexpr uint64_t unzigzag(uint64_t code) { return (code >> 1) ^ (0 - (code & 1)); }

// Bytes that put_varint writes.
[[nodiscard]] constexpr unsigned varint_bytes(uint64_t value) {
    return (static_cast<unsigned>(std::bit_width(value | 1)) + 6) / 7;
}

// Seven bits a byte, low ones first; the top bit says that more follow. out has kMaxVarintBytes room.
inline uint8_t* put_varint(uint8_t* out, uint64_t value) {
    while (value >= 0x80) {
        *out++ = static_cast<uint8_t>(value | 0x80);
        value >>= 7;
    }
    *out++ = static_cast<uint8_t>(value);
    return out;
}

inline void append_varint(Bytes& out, uint64_t value) {
    uint8_t room[kMaxVarintBytes];
    out.insert(out.end(), room, put_varint(room, value));
}

template <typename Word>
void append_word(Bytes& out, Word value) {
    const auto at = out.size();
    out.resize(at + sizeof(Word));
    std::memcpy(out.data() + at, &value, sizeof(Word));
}

// A length and the bytes.
inline void append_string(Bytes& out, std::string_view text) {
    append_varint(out, text.size());
    out.insert(out.end(), text.begin(), text.end());
}

class ByteReader {
public:
    explicit ByteReader(ByteView bytes) : next_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    [[nodiscard]] bool failed() const { return failed_; }
    [[nodiscard]] size_t left() const { return static_cast<size_t>(end_ - next_); }

    // 0 after a failure, as all of these.
    uint64_t varint() {
        if (next_ != end_ && *next_ < 0x80) return *next_++;
        if (left() >= sizeof(uint64_t)) {
            uint64_t word = 0;
            std::memcpy(&word, next_, sizeof(word));
            // The first byte of eight without its top bit ends the number.
            const uint64_t ends = ~word & 0x8080'8080'8080'8080;
            if (ends != 0) {
                next_ += std::countr_zero(ends) / 8 + 1;
                return squeeze(word & (ends ^ (ends - 1)));
            }
        }
        return slow_varint();
    }

    template <typename Word>
    Word word() {
        Word value{};
        if (left() < sizeof(Word)) {
            fail();
            return value;
        }
        std::memcpy(&value, next_, sizeof(Word));
        next_ += sizeof(Word);
        return value;
    }

    ByteView bytes(uint64_t length) {
        if (length > left()) {
            fail();
            return {};
        }
        const ByteView view(next_, static_cast<size_t>(length));
        next_ += length;
        return view;
    }

    std::string string() {
        const ByteView view = bytes(varint());
        return std::string(view.begin(), view.end());
    }

private:
    // Seven bits of each byte, side by side.
    [[nodiscard]] static uint64_t squeeze(uint64_t word) {
        word = (word & 0x007f'007f'007f'007f) | ((word & 0x7f00'7f00'7f00'7f00) >> 1);
        word = (word & 0x0000'3fff'0000'3fff) | ((word & 0x3fff'0000'3fff'0000) >> 2);
        return (word & 0x0fff'ffff) | ((word & 0x0fff'ffff'0000'0000) >> 4);
    }
    uint64_t slow_varint() {
        uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (next_ == end_) return fail();
            const uint64_t byte = *next_++;
            if (shift == 63 && byte > 1) return fail();
            value |= (byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
        return fail();
    }
    uint64_t fail() {
        failed_ = true;
        next_ = end_;
        return 0;
    }

    const uint8_t* next_;
    const uint8_t* end_;
    bool failed_ = false;
};

}  // namespace forkscope::log
