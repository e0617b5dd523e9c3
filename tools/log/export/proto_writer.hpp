// Messages of Protocol Buffers on the wire (https://protobuf.dev/programming-guides/encoding): varints,
// 64-bit words and byte strings are all that the Perfetto export needs.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace forkscope::tools {

class ProtoWriter {
public:
    ProtoWriter& number(uint32_t field, uint64_t value) {
        key(field, kVarint);
        varint(value);
        return *this;
    }
    // An int32 or int64: a negative one takes ten bytes.
    ProtoWriter& integer(uint32_t field, int64_t value) {
        return number(field, std::bit_cast<uint64_t>(value));
    }
    ProtoWriter& fixed64(uint32_t field, uint64_t value) {
        key(field, kFixed64);
        for (unsigned i = 0; i < 8; ++i) bytes_ += static_cast<char>(value >> (8 * i));
        return *this;
    }
    // A string, whose text must be UTF-8, or a message.
    ProtoWriter& text(uint32_t field, std::string_view text) {
        key(field, kLengthDelimited);
        varint(text.size());
        bytes_ += text;
        return *this;
    }
    ProtoWriter& message(uint32_t field, const ProtoWriter& message) { return text(field, message.bytes_); }

    [[nodiscard]] const std::string& bytes() const { return bytes_; }
    void clear() { bytes_.clear(); }

private:
    static constexpr uint32_t kVarint = 0;
    static constexpr uint32_t kFixed64 = 1;
    static constexpr uint32_t kLengthDelimited = 2;

    void key(uint32_t field, uint32_t type) { varint(uint64_t{field} << 3 | type); }
    void varint(uint64_t value) {
        for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
        bytes_ += static_cast<char>(value);
    }

    std::string bytes_;
};

}  // namespace forkscope::tools
