// Directories as places: reading them, working directory, root, mounts.
#include "guest/fs/fdtable.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// Which records: those of getdents64, or the older ones of getdents, where the type is the last byte.
enum class Records : uint8_t { Old, New };

// Writes records into the caller's buffer.
struct getdents_context {
    dir_context ctx;  // first: the actor gets a pointer to it
    VirtAddr at;
    size_t room;
    Records records;
    Errno error{};
    bool failed = false;
};

bool emit_dirent(dir_context& ctx, const char* name, size_t length, uint64_t ino, uint8_t type,
                 abi::loff_t next) {
    auto& out = reinterpret_cast<getdents_context&>(ctx);
    alignas(abi::Dirent64) char record[abi::kDirentNameOffset + abi::kNameMax + 1 + 8] = {};
    const bool old = out.records == Records::Old;
    // The old form has its name one byte earlier, and the type at its end.
    const size_t name_at = old ? abi::kDirentNameOffset - 1 : abi::kDirentNameOffset;
    const size_t bytes = (name_at + length + (old ? 2 : 1) + 7) & ~size_t{7};
    if (bytes > out.room) {
        out.error = Errno::Inval;
        return false;
    }
    const abi::Dirent64 head{ino, next, static_cast<uint16_t>(bytes), type};
    memcpy(record, &head, name_at);
    memcpy(record + name_at, name, length);
    if (old) record[bytes - 1] = static_cast<char>(type);
    Result<> copied = copy_to_user(out.at, record, bytes);
    if (!copied.ok()) {
        out.error = copied.error();
        out.failed = true;
        return false;
    }
    out.at += bytes;
    out.room -= bytes;
    return true;
}

Result<path> lookup_directory(UserPath name) {
    const KBuffer text = TRY(getname(name));
    path found = TRY(user_path_at(abi::kAtFdCwd, text.data(), {.directory = true}));
    TRY(inode_permission(*found.dentry->d_inode, abi::kExecOk));
    return found;
}

Result<long> getdents(int fd, VirtAddr buffer, uint32_t bytes, Records records) {
    const RefPtr<file> f = TRY(current_file(fd));
    if (!access_ok(buffer, bytes)) return Errno::Fault;
    getdents_context out{{emit_dirent}, buffer, bytes, records};
    TRY(iterate_dir(*f, out.ctx));
    const auto written = static_cast<long>(bytes - out.room);
    // Nothing written: the end, or a first entry that could not be.
    if (written == 0 && (out.failed || out.error == Errno::Inval)) return out.error;
    return written;
}

}  // namespace

Result<long> sys_getdents64(int fd, VirtAddr buffer, uint32_t bytes) {
    return getdents(fd, buffer, bytes, Records::New);
}

Result<long> sys_getdents(int fd, VirtAddr buffer, uint32_t bytes) {
    return getdents(fd, buffer, bytes, Records::Old);
}

Result<long> sys_getcwd(VirtAddr buffer, size_t bytes) {
    KBuffer text = TRY(KBuffer::allocate(abi::kPathMax));
    const path pwd = get_fs_pwd(*current()->fs);
    const path root = get_fs_root(*current()->fs);
    if (!pwd.dentry->is_root() && !pwd.dentry->is_hashed()) return Errno::NoEnt;
    const char* name = TRY(d_path(pwd, root, text.data(), text.size()));
    const size_t length = strlen(name) + 1;
    if (length > bytes) return Errno::Range;
    TRY(copy_to_user(buffer, name, length));
    return static_cast<long>(length);
}

Result<long> sys_chdir(UserPath name) {
    set_fs_pwd(*current()->fs, TRY(lookup_directory(name)));
    return 0;
}

Result<long> sys_fchdir(int fd) {
    const RefPtr<file> f = TRY(current_file_raw(fd));
    if (!abi::is_dir(f->node().i_mode)) return Errno::NotDir;
    TRY(inode_permission(f->node(), abi::kExecOk));
    set_fs_pwd(*current()->fs, f->f_path);
    return 0;
}

Result<long> sys_chroot(UserPath name) {
    path found = TRY(lookup_directory(name));
    if (!capable(kCapSysChroot)) return Errno::Perm;
    set_fs_root(*current()->fs, std::move(found));
    return 0;
}

Result<long> sys_umask(uint32_t mask) {
    fs_struct& fs = *current()->fs;
    const spinlock_guard guard(fs.lock);
    return std::exchange(fs.umask, mask & abi::kIrwxUgo);
}

}  // namespace guest
