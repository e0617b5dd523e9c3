#include "emu/loader/cpio.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>

#include "emu/loader/bytes.hpp"

namespace forkscope::loader {

namespace {

constexpr uint64_t kMagicBytes = 6;
constexpr uint64_t kFieldBytes = 8;  // hexadecimal digits
constexpr uint64_t kFields = 13;
constexpr uint64_t kHeaderBytes = kMagicBytes + kFields * kFieldBytes;
constexpr uint64_t kMaxName = 4096;  // Linux's PATH_MAX
constexpr std::string_view kTrailer = "TRAILER!!!";

enum Field { Inode = 0, Mode = 1, Links = 4, FileSize = 6, DeviceMajor = 7, DeviceMinor = 8, NameSize = 11 };

constexpr uint64_t align_up4(uint64_t value) { return (value + 3) & ~uint64_t{3}; }

std::optional<uint32_t> parse_hex(std::span<const uint8_t> digits) {
    uint32_t value = 0;
    for (const uint8_t c : digits) {
        uint32_t digit;
        if (c >= '0' && c <= '9') {
            digit = static_cast<uint32_t>(c - '0');
        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            digit = static_cast<uint32_t>((c | 0x20) - 'a' + 10);
        } else {
            return std::nullopt;
        }
        value = value << 4 | digit;
    }
    return value;
}

class Reader {
public:
    Reader(const std::string& name, std::span<const uint8_t> bytes) : name_(name), bytes_(bytes) {}

    Result<std::vector<CpioEntry>> read_all() {
        while (true) {
            skip_padding();
            if (at_ == bytes_.size()) break;
            TRY_VOID(read_archive());
        }
        if (!saw_archive_) return fail("{}: no cpio archive, only zeros", name_);
        return std::move(entries_);
    }

private:
    using Header = std::array<uint32_t, kFields>;
    using InodeKey = std::tuple<uint32_t, uint32_t, uint32_t>;

    // Between archives and after the last one there may be zeros.
    void skip_padding() {
        while (at_ < bytes_.size() && bytes_[at_] == 0) ++at_;
    }

    // Entries up to and including the trailer.
    Result<> read_archive() {
        const size_t first = entries_.size();
        while (true) {
            const uint64_t start = at_;
            const Header header = TRY(read_header());
            const std::string path = TRY(read_name(start, header[NameSize]));
            const uint64_t size = header[FileSize];
            if (!is_inside(at_, size, bytes_.size()))
                return fail(
                    "{}: the entry {:?} at offset {:#x} has {:#x} bytes of data at offset {:#x}, past the "
                    "archive's end at {:#x}",
                    name_, path, start, size, at_, bytes_.size());
            const std::span<const uint8_t> data = bytes_.subspan(at_, size);
            at_ = std::min<uint64_t>(align_up4(at_ + size), bytes_.size());
            if (path == kTrailer) {
                share_links(first);
                saw_archive_ = true;
                return {};
            }
            entries_.push_back({path, header[Mode], start, data});
            keys_.push_back({header[Links], {header[Inode], header[DeviceMajor], header[DeviceMinor]}});
        }
    }

    Result<Header> read_header() {
        if (!is_inside(at_, kHeaderBytes, bytes_.size()))
            return fail("{}: ends at offset {:#x}, inside the cpio header at {:#x}, before any \"{}\"", name_,
                        bytes_.size(), at_, kTrailer);
        const std::string_view magic(reinterpret_cast<const char*>(bytes_.data() + at_), kMagicBytes);
        if (magic != "070701" && magic != "070702")
            return fail("{}: no cpio header at offset {:#x}; expected \"070701\" (newc, not compressed)",
                        name_, at_);
        Header header;
        for (uint64_t i = 0; i < kFields; ++i) {
            const uint64_t field_at = at_ + kMagicBytes + i * kFieldBytes;
            const std::optional<uint32_t> value = parse_hex(bytes_.subspan(field_at, kFieldBytes));
            if (!value) return fail("{}: no hexadecimal number at offset {:#x}", name_, field_at);
            header[i] = *value;
        }
        at_ += kHeaderBytes;
        return header;
    }

    // The name ends with a NUL that its size counts; what follows is aligned to 4 from the archive's start.
    Result<std::string> read_name(uint64_t start, uint64_t size) {
        if (size == 0 || size > kMaxName)
            return fail("{}: the entry at offset {:#x} has a name of {} bytes; expected 1 to {}", name_,
                        start, size, kMaxName);
        if (!is_inside(at_, size, bytes_.size()) || bytes_[at_ + size - 1] != 0)
            return fail("{}: the name at offset {:#x} does not end within {} bytes", name_, at_, size);
        const std::string_view padded(reinterpret_cast<const char*>(bytes_.data() + at_), size);
        at_ = std::min<uint64_t>(align_up4(at_ + size), bytes_.size());
        return std::string(padded.substr(0, padded.find('\0')));
    }

    // Of several links to one file, only the last carries the data. Inode numbers are an archive's own.
    void share_links(size_t first) {
        std::map<InodeKey, std::span<const uint8_t>> contents;
        for (size_t i = first; i < entries_.size(); ++i)
            if (keys_[i].links > 1 && !entries_[i].data.empty()) contents[keys_[i].inode] = entries_[i].data;
        for (size_t i = first; i < entries_.size(); ++i) {
            if (keys_[i].links <= 1 || !entries_[i].is_regular() || !entries_[i].data.empty()) continue;
            const auto found = contents.find(keys_[i].inode);
            if (found != contents.end()) entries_[i].data = found->second;
        }
    }

    struct Key {
        uint32_t links;
        InodeKey inode;
    };

    const std::string& name_;
    std::span<const uint8_t> bytes_;
    uint64_t at_ = 0;
    std::vector<CpioEntry> entries_;
    std::vector<Key> keys_;  // of entries_, index by index
    bool saw_archive_ = false;
};

}  // namespace

Result<std::vector<CpioEntry>> read_cpio(const std::string& name, std::span<const uint8_t> bytes) {
    return Reader(name, bytes).read_all();
}

}  // namespace forkscope::loader
