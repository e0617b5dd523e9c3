// Making, removing and moving names.
#include "guest/fs/fs_struct.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// A name of the caller's and where its walk starts.
struct user_name {
    KBuffer text;
    walk_start start;
    [[nodiscard]] const char* name() const { return text.data(); }
};

Result<user_name> copy_name(int dirfd, UserPath name) {
    KBuffer text = TRY(getname(name));
    walk_start start = TRY(start_walk_at(dirfd, text.data()));
    return user_name{std::move(text), std::move(start)};
}

abi::umode_t without_umask(uint32_t mode) { return mode & ~current()->fs->umask; }

}  // namespace

Result<long> sys_mkdirat(int dirfd, UserPath name, uint32_t mode) {
    const user_name made = TRY(copy_name(dirfd, name));
    TRY(vfs_mkdirat(made.start, made.name(), without_umask(mode)));
    return 0;
}

Result<long> sys_mkdir(UserPath name, uint32_t mode) { return sys_mkdirat(abi::kAtFdCwd, name, mode); }

Result<long> sys_mknodat(int dirfd, UserPath name, uint32_t mode, uint32_t rdev) {
    TRY(check_node_kind(mode));
    const user_name made = TRY(copy_name(dirfd, name));
    TRY(vfs_mknodat(made.start, made.name(), without_umask(mode), rdev));
    return 0;
}

Result<long> sys_mknod(UserPath name, uint32_t mode, uint32_t rdev) {
    return sys_mknodat(abi::kAtFdCwd, name, mode, rdev);
}

Result<long> sys_rmdir(UserPath name) { return sys_unlinkat(abi::kAtFdCwd, name, abi::kAtRemoveDir); }

Result<long> sys_unlink(UserPath name) { return sys_unlinkat(abi::kAtFdCwd, name, 0); }

Result<long> sys_unlinkat(int dirfd, UserPath name, uint32_t flags) {
    if ((flags & ~abi::kAtRemoveDir) != 0) return Errno::Inval;
    const user_name gone = TRY(copy_name(dirfd, name));
    if ((flags & abi::kAtRemoveDir) != 0) {
        TRY(vfs_rmdirat(gone.start, gone.name()));
    } else {
        TRY(vfs_unlinkat(gone.start, gone.name()));
    }
    return 0;
}

Result<long> sys_linkat(int old_dirfd, UserPath old_name, int new_dirfd, UserPath new_name, uint32_t flags) {
    if ((flags & ~(abi::kAtSymlinkFollow | abi::kAtEmptyPath)) != 0) return Errno::Inval;
    const bool by_descriptor = (flags & abi::kAtEmptyPath) != 0;
    if (by_descriptor && !capable(kCapDacOverride)) return Errno::NoEnt;
    const KBuffer old_text = TRY(getname(old_name));
    const path old =
        TRY(user_path_at(old_dirfd, old_text.data(),
                         {.follow = (flags & abi::kAtSymlinkFollow) != 0, .empty = by_descriptor}));
    const user_name made = TRY(copy_name(new_dirfd, new_name));
    TRY(vfs_linkat(old, made.start, made.name()));
    return 0;
}

Result<long> sys_link(UserPath old_name, UserPath new_name) {
    return sys_linkat(abi::kAtFdCwd, old_name, abi::kAtFdCwd, new_name, 0);
}

Result<long> sys_symlinkat(UserPath target, int dirfd, UserPath name) {
    const KBuffer text = TRY(getname(target));
    const user_name made = TRY(copy_name(dirfd, name));
    TRY(vfs_symlinkat(made.start, made.name(), text.data()));
    return 0;
}

Result<long> sys_symlink(UserPath target, UserPath name) {
    return sys_symlinkat(target, abi::kAtFdCwd, name);
}

Result<long> sys_renameat2(int old_dirfd, UserPath old_name, int new_dirfd, UserPath new_name,
                           uint32_t flags) {
    TRY(check_rename_flags(flags));
    const user_name from = TRY(copy_name(old_dirfd, old_name));
    const user_name to = TRY(copy_name(new_dirfd, new_name));
    TRY(vfs_renameat(from.start, from.name(), to.start, to.name(), flags));
    return 0;
}

Result<long> sys_renameat(int old_dirfd, UserPath old_name, int new_dirfd, UserPath new_name) {
    return sys_renameat2(old_dirfd, old_name, new_dirfd, new_name, 0);
}

Result<long> sys_rename(UserPath old_name, UserPath new_name) {
    return sys_renameat2(abi::kAtFdCwd, old_name, abi::kAtFdCwd, new_name, 0);
}

}  // namespace guest
