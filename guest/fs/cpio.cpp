// Reading newc archives.
#include "guest/fs/cpio.hpp"

#include "guest/abi/file.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

constexpr size_t kHeaderBytes = 110;
constexpr size_t kMagicBytes = 6;
constexpr size_t kDigits = 8;

bool parse_hex(const char* digits, uint32_t& value) {
    value = 0;
    for (size_t i = 0; i < kDigits; ++i) {
        const char c = digits[i];
        uint32_t digit;
        if (c >= '0' && c <= '9') {
            digit = static_cast<uint32_t>(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = static_cast<uint32_t>(c - 'a') + 10;
        } else if (c >= 'A' && c <= 'F') {
            digit = static_cast<uint32_t>(c - 'A') + 10;
        } else {
            return false;
        }
        value = value << 4 | digit;
    }
    return true;
}

}  // namespace

const char* cpio_reader::read_header(cpio_entry& out) {
    if (left() == 0) return "the archive ends without a TRAILER!!! entry";
    if (left() < kHeaderBytes) return "the archive ends inside a header";
    const char* header = data_ + at_;
    if (memcmp(header, "070701", kMagicBytes) != 0 && memcmp(header, "070702", kMagicBytes) != 0) {
        return "no newc header (070701) here";
    }
    for (size_t i = 0; i < cpio_entry::kFields; ++i) {
        if (!parse_hex(header + kMagicBytes + i * kDigits, out.field[i])) {
            return "a header field is not hexadecimal";
        }
    }
    at_ += kHeaderBytes;
    return nullptr;
}

const char* cpio_reader::next(cpio_entry& out) {
    entry_ = at_;
    if (const char* wrong = read_header(out)) return wrong;
    const uint32_t name_size = out.field[cpio_entry::kNameSize];
    if (name_size == 0 || name_size > abi::kPathMax) return "the length of a name is not in 1..4096";
    if (name_size > left()) return "the archive ends inside a name";
    out.name = data_ + at_;
    if (strnlen(out.name, name_size) != name_size - 1) return "a name is not closed by a zero where it ends";
    at_ += name_size;
    pad();
    if (out.field[cpio_entry::kFileSize] > left()) return "the archive ends inside the contents of a file";
    out.contents = data_ + at_;
    at_ += out.field[cpio_entry::kFileSize];
    pad();
    return nullptr;
}

}  // namespace guest
