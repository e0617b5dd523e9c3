// Reading a cpio archive in the "newc" form (man 5 cpio, "New ASCII Format"): a header of 110 bytes, thirteen
// numbers of eight hex digits after the magic; the name with its zero, padded to 4; the contents, padded
// to 4. The archive ends with an entry called TRAILER!!!. Nothing in it is trusted: every length is checked
// against what is left.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace guest {

struct cpio_entry {
    enum Field : size_t {
        kIno,
        kMode,
        kUid,
        kGid,
        kNlink,
        kMtime,
        kFileSize,
        kDevMajor,
        kDevMinor,
        kRdevMajor,
        kRdevMinor,
        kNameSize,
        kCheck,
        kFields
    };
    uint32_t field[kFields];
    const char* name;      // closed by a zero
    const char* contents;  // field[kFileSize] bytes
};

// An archive is read from front to back.
class cpio_reader {
public:
    cpio_reader(const void* archive, size_t bytes)
        : data_(static_cast<const char*>(archive)), bytes_(bytes) {}

    // Where the entry that was read last begins.
    [[nodiscard]] size_t entry_offset() const { return entry_; }
    // The next entry. Null: it is in out. Otherwise what is wrong.
    const char* next(cpio_entry& out);
    // Between archives that were joined there may be zeros.
    void skip_zeros() {
        while (at_ < bytes_ && data_[at_] == '\0') ++at_;
    }
    [[nodiscard]] bool at_end() const { return at_ == bytes_; }

private:
    [[nodiscard]] size_t left() const { return bytes_ - at_; }
    const char* read_header(cpio_entry& out);
    void pad() {
        const size_t padded = (at_ + 3) & ~size_t{3};
        at_ = padded < bytes_ ? padded : bytes_;
    }

    const char* data_;
    size_t bytes_;
    size_t at_ = 0;
    size_t entry_ = 0;
};

}  // namespace guest
