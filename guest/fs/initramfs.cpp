// Unpacking the initramfs: each entry of the archive becomes a file.
#include "guest/fs/initramfs.hpp"

#include "guest/fs/cpio.hpp"
#include "guest/fs/dentry.hpp"
#include "guest/fs/file.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

constexpr char kTrailer[] = "TRAILER!!!";

// Files with several names: the first entry makes the file, the others link to it. The archive gives them one
// inode number; contents come with the last of them.
struct link_target {
    uint32_t ino;
    uint32_t dev_major;
    uint32_t dev_minor;
    path place;
    link_target* next;
};

// A directory, whose time is set once all that is in it was made.
struct directory_time {
    path place;
    uint32_t mtime;
    directory_time* next;
};

template <typename T>
void delete_list(T*& first) {
    while (first != nullptr) {
        T* gone = first;
        first = gone->next;
        delete gone;
    }
}

class unpacker {
public:
    explicit unpacker(const path& root) : start_{root, root} {}
    unpacker(const unpacker&) = delete;
    unpacker& operator=(const unpacker&) = delete;
    ~unpacker() {
        delete_list(links_);
        delete_list(directories_);
    }

    Result<> make(const cpio_entry& entry);
    // One archive is through: inode numbers of the next one are its own.
    void end_archive();

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
    directory_time* directories_ = nullptr;
};

void unpacker::end_archive() {
    for (const directory_time* at = directories_; at != nullptr; at = at->next) {
        const abi::Timespec time{at->mtime, 0};
        // Cannot fail: the time is valid, and it is root who unpacks.
        (void)vfs_utimes(*at->place.dentry->d_inode, time, time);
    }
    delete_list(directories_);
    delete_list(links_);
}

const link_target* unpacker::earlier_name(const cpio_entry& entry) const {
    if (entry.field[cpio_entry::kNlink] < 2) return nullptr;
    for (const link_target* at = links_; at != nullptr; at = at->next) {
        if (at->ino == entry.field[cpio_entry::kIno] && at->dev_major == entry.field[cpio_entry::kDevMajor] &&
            at->dev_minor == entry.field[cpio_entry::kDevMinor]) {
            return at;
        }
    }
    return nullptr;
}

Result<> unpacker::remember(const cpio_entry& entry) {
    if (entry.field[cpio_entry::kNlink] < 2) return {};
    path place = TRY(path_lookup(start_, entry.name, {.follow = false}));
    auto* target =
        new (nothrow) link_target{entry.field[cpio_entry::kIno], entry.field[cpio_entry::kDevMajor],
                                  entry.field[cpio_entry::kDevMinor], std::move(place), links_};
    if (target == nullptr) return Errno::NoMem;
    links_ = target;
    return {};
}

Result<> unpacker::write_contents(const cpio_entry& entry) {
    const size_t size = entry.field[cpio_entry::kFileSize];
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
    const size_t length = entry.field[cpio_entry::kFileSize];
    if (length >= abi::kPathMax) return Errno::NameTooLong;
    KBuffer target = TRY(KBuffer::allocate(length + 1));
    memcpy(target.data(), entry.contents, length);
    target.data()[length] = '\0';
    return vfs_symlinkat(start_, entry.name, target.data());
}

Result<> unpacker::make_node(const cpio_entry& entry) {
    const abi::umode_t mode = entry.field[cpio_entry::kMode];
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
            return vfs_mknodat(
                start_, entry.name, mode,
                abi::make_dev(entry.field[cpio_entry::kRdevMajor], entry.field[cpio_entry::kRdevMinor]));
    }
}

Result<> unpacker::set_attributes(const cpio_entry& entry) {
    const path place = TRY(path_lookup(start_, entry.name, {.follow = false}));
    inode& node = *place.dentry->d_inode;
    if (abi::is_dir(node.i_mode)) {
        auto* later = new (nothrow) directory_time{place, entry.field[cpio_entry::kMtime], directories_};
        if (later == nullptr) return Errno::NoMem;
        directories_ = later;
    }
    TRY(vfs_chown(node, entry.field[cpio_entry::kUid], entry.field[cpio_entry::kGid]));
    if (!abi::is_lnk(node.i_mode)) TRY(vfs_chmod(node, entry.field[cpio_entry::kMode]));
    const abi::Timespec time{entry.field[cpio_entry::kMtime], 0};
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
            files.end_archive();
            reader.skip_zeros();
            if (reader.at_end()) return {};
            continue;
        }
        Result<> made = files.make(entry);
        if (!made.ok()) return {reader.entry_offset(), reason_of(made.error())};
    }
}

}  // namespace guest
