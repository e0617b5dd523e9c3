// Changing what stat shows: mode, owner, size, times.
#include "guest/fs/fallocate.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

Result<path> lookup(int dirfd, UserPath name, uint32_t flags) {
    const KBuffer text = TRY(getname(name));
    return user_path_at(
        dirfd, text.data(),
        {.follow = (flags & abi::kAtSymlinkNoFollow) == 0, .empty = (flags & abi::kAtEmptyPath) != 0});
}

struct times {
    abi::Timespec atime{0, abi::kUtimeNow};
    abi::Timespec mtime{0, abi::kUtimeNow};
};

Result<times> copy_timespecs(UserPtr<const abi::Timespec> from) {
    if (!from) return times{};
    return times{TRY(get_user(from)), TRY(get_user(from + 1))};
}

Result<abi::Timespec> timeval_to_timespec(const abi::Timeval& time) {
    if (time.microseconds < 0 || time.microseconds >= 1'000'000) return Errno::Inval;
    return abi::Timespec{time.seconds, time.microseconds * 1000};
}

Result<times> copy_timevals(UserPtr<const abi::Timeval> from) {
    if (!from) return times{};
    const abi::Timeval atime = TRY(get_user(from));
    const abi::Timeval mtime = TRY(get_user(from + 1));
    return times{TRY(timeval_to_timespec(atime)), TRY(timeval_to_timespec(mtime))};
}

Result<long> set_times(int dirfd, UserPath name, const times& to, uint32_t flags) {
    const path found = TRY(lookup(dirfd, name, flags));
    TRY(mnt_may_write(*found.mnt));
    TRY(vfs_utimes(*found.dentry->d_inode, to.atime, to.mtime));
    return 0;
}

}  // namespace

Result<long> sys_fchmodat(int dirfd, UserPath name, uint32_t mode) {
    return sys_fchmodat2(dirfd, name, mode, 0);
}

Result<long> sys_fchmodat2(int dirfd, UserPath name, uint32_t mode, uint32_t flags) {
    if ((flags & ~(abi::kAtSymlinkNoFollow | abi::kAtEmptyPath)) != 0) return Errno::Inval;
    const path found = TRY(lookup(dirfd, name, flags));
    TRY(mnt_may_write(*found.mnt));
    // A link has no mode that counts.
    if (abi::is_lnk(found.dentry->d_inode->i_mode)) return Errno::OpNotSupp;
    TRY(vfs_chmod(*found.dentry->d_inode, mode));
    return 0;
}

Result<long> sys_chmod(UserPath name, uint32_t mode) { return sys_fchmodat(abi::kAtFdCwd, name, mode); }

Result<long> sys_fchmod(int fd, uint32_t mode) {
    const RefPtr<file> f = TRY(current_file(fd));
    TRY(mnt_may_write(*f->f_path.mnt));
    TRY(vfs_chmod(f->node(), mode));
    return 0;
}

Result<long> sys_fchownat(int dirfd, UserPath name, uint32_t uid, uint32_t gid, uint32_t flags) {
    if ((flags & ~(abi::kAtSymlinkNoFollow | abi::kAtEmptyPath)) != 0) return Errno::Inval;
    const path found = TRY(lookup(dirfd, name, flags));
    TRY(mnt_may_write(*found.mnt));
    TRY(vfs_chown(*found.dentry->d_inode, uid, gid));
    return 0;
}

Result<long> sys_chown(UserPath name, uint32_t uid, uint32_t gid) {
    return sys_fchownat(abi::kAtFdCwd, name, uid, gid, 0);
}

Result<long> sys_lchown(UserPath name, uint32_t uid, uint32_t gid) {
    return sys_fchownat(abi::kAtFdCwd, name, uid, gid, abi::kAtSymlinkNoFollow);
}

Result<long> sys_fchown(int fd, uint32_t uid, uint32_t gid) {
    const RefPtr<file> f = TRY(current_file(fd));
    TRY(mnt_may_write(*f->f_path.mnt));
    TRY(vfs_chown(f->node(), uid, gid));
    return 0;
}

Result<long> sys_truncate(UserPath name, int64_t length) {
    if (length < 0) return Errno::Inval;
    const path found = TRY(lookup(abi::kAtFdCwd, name, 0));
    const inode& node = *found.dentry->d_inode;
    if (abi::is_reg(node.i_mode)) TRY(mnt_may_write(*found.mnt));
    TRY(vfs_truncate(*found.dentry->d_inode, length));
    return 0;
}

Result<long> sys_ftruncate(int fd, int64_t length) {
    if (length < 0) return Errno::Inval;
    const RefPtr<file> f = TRY(current_file(fd));
    if (!abi::is_reg(f->node().i_mode) || (f->f_mode & file::kWrite) == 0) return Errno::Inval;
    TRY(do_truncate(f->node(), length));
    return 0;
}

namespace {

// futimens: no name, the descriptor itself.
Result<long> set_times_of(int fd, const times& to) {
    const RefPtr<file> f = TRY(current_file(fd));
    TRY(mnt_may_write(*f->f_path.mnt));
    TRY(vfs_utimes(f->node(), to.atime, to.mtime));
    return 0;
}

}  // namespace

Result<long> sys_utimensat(int dirfd, UserPath name, UserPtr<const abi::Timespec> at, uint32_t flags) {
    const times to = TRY(copy_timespecs(at));
    if ((flags & ~(abi::kAtSymlinkNoFollow | abi::kAtEmptyPath)) != 0) return Errno::Inval;
    if (name || dirfd == abi::kAtFdCwd) return set_times(dirfd, name, to, flags);
    if (flags != 0) return Errno::Inval;
    return set_times_of(dirfd, to);
}

Result<long> sys_futimesat(int dirfd, UserPath name, UserPtr<const abi::Timeval> at) {
    const times to = TRY(copy_timevals(at));
    return name || dirfd == abi::kAtFdCwd ? set_times(dirfd, name, to, 0) : set_times_of(dirfd, to);
}

Result<long> sys_utimes(UserPath name, UserPtr<const abi::Timeval> at) {
    return sys_futimesat(abi::kAtFdCwd, name, at);
}

Result<long> sys_utime(UserPath name, UserPtr<const int64_t> at) {
    times to;
    if (at) {
        to.atime = {TRY(get_user(at)), 0};
        to.mtime = {TRY(get_user(at + 1)), 0};
    }
    return set_times(abi::kAtFdCwd, name, to, 0);
}

Result<long> sys_fallocate(int fd, int mode, abi::loff_t offset, abi::loff_t bytes) {
    const RefPtr<file> f = TRY(current_file(fd));
    TRY(vfs_fallocate(*f, mode, offset, bytes));
    return 0;
}

}  // namespace guest
