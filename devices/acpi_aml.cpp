#include "devices/acpi_aml.hpp"

namespace forkscope::devices::aml {

namespace {

constexpr uint8_t kNameOp = 0x08, kByteOp = 0x0a, kWordOp = 0x0b, kDwordOp = 0x0c, kStringOp = 0x0d;
constexpr uint8_t kScopeOp = 0x10, kBufferOp = 0x11, kPackageOp = 0x12, kExtended = 0x5b, kDeviceOp = 0x82;
constexpr uint8_t kRoot = '\\';

void put(Bytes& to, uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) to.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

// 20.2.4 "Package Length Encoding"; the length counts its own bytes.
Bytes with_length(const Bytes& content) {
    const size_t size = content.size();
    Bytes out;
    if (size + 1 < 64) {
        out.push_back(static_cast<uint8_t>(size + 1));
    } else {
        const size_t more = size + 2 < 4096 ? 1 : 2;
        const size_t total = size + 1 + more;
        out.push_back(static_cast<uint8_t>(more << 6 | (total & 15)));
        for (size_t i = 0; i < more; ++i) out.push_back(static_cast<uint8_t>(total >> (4 + 8 * i)));
    }
    add(out, content);
    return out;
}

void put_name(Bytes& to, std::string_view name) {
    for (size_t i = 0; i < 4; ++i) to.push_back(static_cast<uint8_t>(i < name.size() ? name[i] : '_'));
}

}  // namespace

void add(Bytes& to, const Bytes& more) {
    for (const uint8_t byte : more) to.push_back(byte);
}

Bytes name(std::string_view name, const Bytes& value) {
    Bytes out = {kNameOp};
    put_name(out, name);
    add(out, value);
    return out;
}

Bytes integer(uint64_t value) {
    if (value <= 1) return {static_cast<uint8_t>(value)};  // ZeroOp, OneOp
    const unsigned bytes = value <= 0xff ? 1 : value <= 0xffff ? 2 : 4;
    Bytes out(1, bytes == 1 ? kByteOp : bytes == 2 ? kWordOp : kDwordOp);
    put(out, value, bytes);
    return out;
}

Bytes string(std::string_view text) {
    Bytes out = {kStringOp};
    for (const char c : text) out.push_back(static_cast<uint8_t>(c));
    out.push_back(0);
    return out;
}

Bytes package(const std::vector<Bytes>& elements) {
    Bytes content = {static_cast<uint8_t>(elements.size())};
    for (const Bytes& element : elements) add(content, element);
    Bytes out = {kPackageOp};
    add(out, with_length(content));
    return out;
}

Bytes device(std::string_view name, const Bytes& content) {
    Bytes named;
    put_name(named, name);
    add(named, content);
    Bytes out = {kExtended, kDeviceOp};
    add(out, with_length(named));
    return out;
}

Bytes scope(std::string_view name, const Bytes& content) {
    Bytes named = {kRoot};
    put_name(named, name);
    add(named, content);
    Bytes out = {kScopeOp};
    add(out, with_length(named));
    return out;
}

Bytes resources(const Bytes& descriptors) {
    constexpr uint8_t kEndTag = 0x79;
    Bytes content = integer(descriptors.size() + 2);
    add(content, descriptors);
    content.push_back(kEndTag);
    content.push_back(0);  // no checksum
    Bytes out = {kBufferOp};
    add(out, with_length(content));
    return out;
}

// 6.4.3.4 "32-bit Fixed Memory Range Descriptor"
Bytes memory32(uint32_t base, uint32_t size) {
    Bytes out = {0x86, 9, 0, 1};
    put(out, base, 4);
    put(out, size, 4);
    return out;
}

// 6.4.3.6 "Extended Interrupt Descriptor": consumer, level triggered, active high, exclusive
Bytes level_interrupt(uint32_t number) {
    Bytes out = {0x89, 6, 0, 1, 1};
    put(out, number, 4);
    return out;
}

// 6.4.2.5 "I/O Port Descriptor", 16-bit decode
Bytes io_ports(uint16_t first, uint8_t count) {
    Bytes out = {0x47, 1};
    put(out, first, 2);
    put(out, first, 2);
    out.push_back(1);
    out.push_back(count);
    return out;
}

// 6.4.2.1 "IRQ Descriptor"
Bytes edge_irq(unsigned number) {
    Bytes out = {0x22};
    put(out, uint64_t{1} << number, 2);
    return out;
}

}  // namespace forkscope::devices::aml
