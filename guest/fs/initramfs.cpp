// Unpacking a newc archive (man 5 cpio, "New ASCII Format"): a header of 110 bytes, thirteen numbers of eight
// hex digits after the magic; the name with its zero, padded to 4; the contents, padded to 4. The archive
// ends with an entry called TRAILER!!!. Nothing in it is trusted: every length is checked against what is
// left.
#include "guest/fs/initramfs.hpp"

#include "guest/fs/dentry.hpp"
#include "guest/fs/file.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

constexpr size_t kHeaderBytes = 110;
constexpr size_t kMagicBytes = 6;
constexpr size_t kDigits = 8;
constexpr size_t kFields = 13;
constexpr char kTrailer[] = "TRAILER!!!";

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
    kCheck
};

struct cpio_entry {
    uint32_t field[kFields];
    const char* name;      // closed by a zero, without slashes in front
    const char* contents;  // field[kFileSize] bytes
};

// An archive is read from front to back.
class cpio_reader {
public:
    cpio_reader(const void* archive, size_t bytes)
        : data_(static_cast<const char*>(archive)), bytes_(bytes) {}

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
    void pad() {
        const size_t padded = (at_ + 3) & ~size_t{3};
        at_ = padded < bytes_ ? padded : bytes_;
    }

    const char* data_;
    size_t bytes_;
    size_t at_ = 0;
    size_t entry_ = 0;
};

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

const char* cpio_reader::next(cpio_entry& out) {
    entry_ = at_;
    if (left() == 0) return "the archive ends without a TRAILER!!! entry";
    if (left() < kHeaderBytes) return "the archive ends inside a header";
    const char* header = data_ + at_;
    if (memcmp(header, "070701", kMagicBytes) != 0 && memcmp(header, "070702", kMagicBytes) != 0) {
        return "no newc header (070701) here";
    }
    for (size_t i = 0; i < kFields; ++i) {
        if (!parse_hex(header + kMagicBytes + i * kDigits, out.field[i]))
            return "a header field is not hexadecimal";
    }
    at_ += kHeaderBytes;
    const uint32_t name_size = out.field[kNameSize];
    if (name_size == 0 || name_size > abi::kPathMax) return "the length of a name is not in 1..4096";
    if (name_size > left()) return "the archive ends inside a name";
    out.name = data_ + at_;
    if (strnlen(out.name, name_size) != name_size - 1) return "a name is not closed by a zero where it ends";
    at_ += name_size;
    pad();
    if (out.field[kFileSize] > left()) return "the archive ends inside the contents of a file";
    out.contents = data_ + at_;
    at_ += out.field[kFileSize];
    pad();
    return nullptr;
}

// Files with several names: the first entry makes the file, the others link to it. The archive gives them one
// inode number; contents come with the last of them.
struct link_target {
    uint32_t ino;
    uint32_t dev_major;
    uint32_t dev_minor;
    path place;
    link_target* next;
};

class unpacker {
public:
    explicit unpacker(const path& root) : start_{root, root} {}
    unpacker(const unpacker&) = delete;
    unpacker& operator=(const unpacker&) = delete;
    ~unpacker() { forget_links(); }

    Result<> make(const cpio_entry& entry);
    void forget_links();

private:
    Result<> make_node(const cpio_entry& entry);
    Result<> make_file(const cpio_entry& entry);
    Result<> make_symlink(const cpio_entry& entry);
    Result<> remember(const cpio_entry& entry);
    [[nodiscard]] const link_target* earlier_name(const cpio_entry& entry) const;
    Result<> write_contents(const cpio_entry& entry);
    Result<> set_attributes(const cpio_entry& entry);

    walk_start start_;
    link_target* links_ = nullptr;
};

void unpacker::forget_links() {
    while (links_ != nullptr) {
        link_target* gone = links_;
        links_ = gone->next;
        delete gone;
    }
}

const link_target* unpacker::earlier_name(const cpio_entry& entry) const {
    if (entry.field[kNlink] < 2) return nullptr;
    for (const link_target* at = links_; at != nullptr; at = at->next) {
        if (at->ino == entry.field[kIno] && at->dev_major == entry.field[kDevMajor] &&
            at->dev_minor == entry.field[kDevMinor]) {
            return at;
        }
    }
    return nullptr;
}

Result<> unpacker::remember(const cpio_entry& entry) {
    if (entry.field[kNlink] < 2) return {};
    path place = TRY(path_lookup(start_, entry.name, {.follow = false}));
    auto* target = new (nothrow) link_target{entry.field[kIno], entry.field[kDevMajor],
                                             entry.field[kDevMinor], std::move(place), links_};
    if (target == nullptr) return Errno::NoMem;
    links_ = target;
    return {};
}

Result<> unpacker::write_contents(const cpio_entry& entry) {
    const size_t size = entry.field[kFileSize];
    if (size == 0) return {};
    const RefPtr<file> f = TRY(do_filp_open(start_, entry.name, abi::kOWrOnly | abi::kOTrunc, 0));
    abi::loff_t offset = 0;
    const size_t written = TRY(kernel_write(*f, offset, entry.contents, size));
    if (written != size) return Errno::NoSpc;
    return {};
}

Result<> unpacker::make_file(const cpio_entry& entry) {
    if (const link_target* first = earlier_name(entry)) {
        TRY(vfs_linkat(first->place, start_, entry.name));
    } else {
        TRY(vfs_mknodat(start_, entry.name, abi::kIfReg | 0600, 0));
        TRY(remember(entry));
    }
    return write_contents(entry);
}

Result<> unpacker::make_symlink(const cpio_entry& entry) {
    const size_t length = entry.field[kFileSize];
    if (length >= abi::kPathMax) return Errno::NameTooLong;
    KBuffer target = TRY(KBuffer::allocate(length + 1));
    memcpy(target.data(), entry.contents, length);
    target.data()[length] = '\0';
    return vfs_symlinkat(start_, entry.name, target.data());
}

Result<> unpacker::make_node(const cpio_entry& entry) {
    const abi::umode_t mode = entry.field[kMode];
    switch (mode & abi::kIfMt) {
        case abi::kIfDir: {
            // The root itself, and directories that an earlier archive made.
            Result<> made = vfs_mkdirat(start_, entry.name, 0700);
            if (!made.ok() && made.error() != Errno::Exist) return made;
            return {};
        }
        case abi::kIfReg:
            return make_file(entry);
        case abi::kIfLnk:
            return make_symlink(entry);
        default:
            return vfs_mknodat(start_, entry.name, mode,
                               abi::make_dev(entry.field[kRdevMajor], entry.field[kRdevMinor]));
    }
}

Result<> unpacker::set_attributes(const cpio_entry& entry) {
    const path place = TRY(path_lookup(start_, entry.name, {.follow = false}));
    inode& node = *place.dentry->d_inode;
    TRY(vfs_chown(node, entry.field[kUid], entry.field[kGid]));
    if (!abi::is_lnk(node.i_mode)) TRY(vfs_chmod(node, entry.field[kMode]));
    const abi::Timespec time{entry.field[kMtime], 0};
    return vfs_utimes(node, time, time);
}

Result<> unpacker::make(const cpio_entry& entry) {
    TRY(make_node(entry));
    return set_attributes(entry);
}

const char* reason_of(Errno error) {
    switch (error) {
        case Errno::NoMem:
            return "out of memory";
        case Errno::NoSpc:
            return "no space left";
        case Errno::Exist:
            return "a name comes twice";
        case Errno::NoEnt:
            return "the directory of a name does not exist";
        case Errno::NotDir:
            return "a part of a name is not a directory";
        case Errno::NameTooLong:
            return "a name is too long";
        default:
            return "the file system refuses an entry";
    }
}

}  // namespace

cpio_error unpack_initramfs(const path& root, const void* archive, size_t bytes) {
    cpio_reader reader(archive, bytes);
    unpacker files(root);
    for (;;) {
        cpio_entry entry;
        if (const char* wrong = reader.next(entry)) return {reader.entry_offset(), wrong};
        if (strcmp(entry.name, kTrailer) == 0) {
            files.forget_links();
            reader.skip_zeros();
            if (reader.at_end()) return {};
            continue;
        }
        Result<> made = files.make(entry);
        if (!made.ok()) return {reader.entry_offset(), reason_of(made.error())};
    }
}

}  // namespace guest
