// stat and its kin, readlink.
#include "guest/fs/fdtable.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// The file that the *at calls with AT_EMPTY_PATH name.
Result<path> stat_path(int dirfd, UserPath name, uint32_t flags) {
    const KBuffer text = TRY(getname(name));
    return user_path_at(
        dirfd, text.data(),
        {.follow = (flags & abi::kAtSymlinkNoFollow) == 0, .empty = (flags & abi::kAtEmptyPath) != 0});
}

Result<long> put_stat(const inode& node, UserPtr<abi::Stat> out) {
    abi::Stat stat;
    vfs_getattr(node, stat);
    TRY(put_user(out, stat));
    return 0;
}

abi::StatxTime statx_time(const abi::Timespec& time) {
    return {time.tv_sec, static_cast<uint32_t>(time.tv_nsec), 0};
}

abi::Statx to_statx(const abi::Stat& stat) {
    abi::Statx out{};
    out.stx_mask = abi::kStatxBasicStats;
    out.stx_blksize = static_cast<uint32_t>(stat.st_blksize);
    out.stx_nlink = static_cast<uint32_t>(stat.st_nlink);
    out.stx_uid = stat.st_uid;
    out.stx_gid = stat.st_gid;
    out.stx_mode = static_cast<uint16_t>(stat.st_mode);
    out.stx_ino = stat.st_ino;
    out.stx_size = static_cast<uint64_t>(stat.st_size);
    out.stx_blocks = static_cast<uint64_t>(stat.st_blocks);
    out.stx_atime = statx_time(stat.st_atim);
    out.stx_mtime = statx_time(stat.st_mtim);
    out.stx_ctime = statx_time(stat.st_ctim);
    out.stx_rdev_major = abi::dev_major(stat.st_rdev);
    out.stx_rdev_minor = abi::dev_minor(stat.st_rdev);
    out.stx_dev_major = abi::dev_major(stat.st_dev);
    out.stx_dev_minor = abi::dev_minor(stat.st_dev);
    return out;
}

// f_flags of statfs has values of its own (man 2 statfs, ST_*).
int64_t statfs_flags(const vfsmount& mnt) {
    constexpr int64_t kStRdOnly = 1, kStValid = 0x20, kStNoatime = 0x400, kStNodiratime = 0x800,
                      kStRelatime = 0x1000;
    int64_t flags = kStValid | (mnt.mnt_flags & (MNT_NOSUID | MNT_NODEV | MNT_NOEXEC)) << 1;
    if (!mnt_may_write(mnt).ok()) flags |= kStRdOnly;
    if ((mnt.mnt_flags & MNT_NOATIME) != 0) flags |= kStNoatime;
    if ((mnt.mnt_flags & MNT_NODIRATIME) != 0) flags |= kStNodiratime;
    if ((mnt.mnt_flags & MNT_RELATIME) != 0) flags |= kStRelatime;
    return flags;
}

Result<long> put_statfs(const path& at, UserPtr<abi::Statfs> out) {
    abi::Statfs stat;
    TRY(vfs_statfs(at.dentry->sb(), stat));
    stat.f_flags = statfs_flags(*at.mnt);
    TRY(put_user(out, stat));
    return 0;
}

// What the link says, at the beginning of buffer or later in it.
struct link_text {
    const char* text;
    size_t length;
};
Result<link_text> read_link(inode& node, KBuffer& buffer) {
    if (node.i_op->readlink != nullptr) {
        return link_text{buffer.data(), TRY(node.i_op->readlink(node, buffer.data(), buffer.size()))};
    }
    if (node.i_op->jump_link == nullptr) return Errno::Inval;
    const path target = TRY(node.i_op->jump_link(node));
    const char* text = TRY(d_path(target, get_fs_root(*current()->fs), buffer.data(), buffer.size()));
    return link_text{text, static_cast<size_t>(buffer.data() + buffer.size() - 1 - text)};
}

}  // namespace

Result<long> sys_newfstatat(int dirfd, UserPath name, UserPtr<abi::Stat> out, uint32_t flags) {
    constexpr uint32_t kKnown = abi::kAtSymlinkNoFollow | abi::kAtNoAutomount | abi::kAtEmptyPath;
    if ((flags & ~kKnown) != 0) return Errno::Inval;
    const path found = TRY(stat_path(dirfd, name, flags));
    return put_stat(*found.dentry->d_inode, out);
}

Result<long> sys_stat(UserPath name, UserPtr<abi::Stat> out) {
    return sys_newfstatat(abi::kAtFdCwd, name, out, 0);
}

Result<long> sys_lstat(UserPath name, UserPtr<abi::Stat> out) {
    return sys_newfstatat(abi::kAtFdCwd, name, out, abi::kAtSymlinkNoFollow);
}

Result<long> sys_fstat(int fd, UserPtr<abi::Stat> out) {
    const RefPtr<file> f = TRY(current_file_raw(fd));
    return put_stat(f->node(), out);
}

Result<long> sys_statx(int dirfd, UserPath name, uint32_t flags, uint32_t mask, UserPtr<abi::Statx> out) {
    constexpr uint32_t kKnown =
        abi::kAtSymlinkNoFollow | abi::kAtNoAutomount | abi::kAtEmptyPath | abi::kAtStatxSyncType;
    if ((flags & ~kKnown) != 0 || (flags & abi::kAtStatxSyncType) == abi::kAtStatxSyncType)
        return Errno::Inval;
    if ((mask & abi::kStatxReserved) != 0) return Errno::Inval;
    const path found = TRY(stat_path(dirfd, name, flags));
    abi::Stat stat;
    vfs_getattr(*found.dentry->d_inode, stat);
    TRY(put_user(out, to_statx(stat)));
    return 0;
}

Result<long> sys_statfs(UserPath name, UserPtr<abi::Statfs> out) {
    const path found = TRY(stat_path(abi::kAtFdCwd, name, 0));
    return put_statfs(found, out);
}

Result<long> sys_fstatfs(int fd, UserPtr<abi::Statfs> out) {
    const RefPtr<file> f = TRY(current_file_raw(fd));
    return put_statfs(f->f_path, out);
}

Result<long> sys_readlinkat(int dirfd, UserPath name, VirtAddr buffer, int bytes) {
    if (bytes <= 0) return Errno::Inval;
    const KBuffer text = TRY(getname(name));
    const path found = TRY(user_path_at(dirfd, text.data(), {.follow = false, .empty = true}));
    inode& node = *found.dentry->d_inode;
    // "" names an O_PATH descriptor of a link; of anything else, and of no descriptor, there is no such path.
    if (!abi::is_lnk(node.i_mode)) return text.data()[0] == '\0' ? Errno::NoEnt : Errno::Inval;
    KBuffer target = TRY(KBuffer::allocate(abi::kPathMax));
    const link_text link = TRY(read_link(node, target));
    const auto room = static_cast<size_t>(bytes);
    const size_t length = link.length < room ? link.length : room;
    TRY(copy_to_user(buffer, link.text, length));
    return static_cast<long>(length);
}

Result<long> sys_readlink(UserPath name, VirtAddr buffer, int bytes) {
    return sys_readlinkat(abi::kAtFdCwd, name, buffer, bytes);
}

}  // namespace guest
