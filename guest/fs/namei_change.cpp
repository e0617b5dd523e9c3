// Making and removing names: mkdir, mknod, symlink, link, unlink, rmdir.
#include "guest/fs/inode.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/walk.hpp"
#include "guest/kernel/cred.hpp"

namespace guest {

namespace {

using Last = path_walk::Last;

// A name that is to be made is looked up, and must not be there.
Result<RefPtr<dentry>> lookup_new(path_walk& walk, bool directory) {
    RefPtr<dentry> child = TRY(lookup_child_locked(walk.dir(), walk.name()));
    if (!child->is_negative()) return Errno::Exist;
    // Only a directory may be asked for with a slash at the end.
    if (walk.trailing_slash() && !directory) return Errno::NoEnt;
    TRY(mnt_may_write(*walk.parent().mnt));
    TRY(inode_permission(walk.dir_inode(), abi::kWriteOk | abi::kExecOk));
    return child;
}

}  // namespace

Result<> may_delete(const path& dir, const dentry& victim, bool directory) {
    const inode& parent = *dir.dentry->d_inode;
    TRY(inode_permission(parent, abi::kWriteOk | abi::kExecOk));
    const inode& node = *victim.d_inode;
    const uint32_t me = current_cred().fsuid;
    if ((parent.i_mode & abi::kIsVtx) != 0 && me != node.i_uid && me != parent.i_uid &&
        !capable(kCapFowner)) {
        return Errno::Perm;
    }
    if (directory && !abi::is_dir(node.i_mode)) return Errno::NotDir;
    if (!directory && abi::is_dir(node.i_mode)) return Errno::IsDir;
    if (is_mountpoint_in(dir.mnt->mnt_ns, victim)) return Errno::Busy;
    return {};
}

Result<> vfs_mkdirat(const walk_start& start, const char* name, abi::umode_t mode) {
    if (name[0] == '\0') return Errno::NoEnt;
    path_walk walk(start, name);
    TRY(walk.to_parent());
    if (walk.last() != Last::Name) return Errno::Exist;
    inode& dir = walk.dir_inode();
    const mutex_guard guard(dir.i_mutex);
    const RefPtr<dentry> child = TRY(lookup_new(walk, true));
    if (dir.i_op->mkdir == nullptr) return Errno::Perm;
    return dir.i_op->mkdir(dir, *child, mode & (abi::kIrwxUgo | abi::kIsVtx));
}

Result<> check_node_kind(abi::umode_t mode) {
    if (abi::is_dir(mode)) return Errno::Perm;
    const bool node = abi::is_reg(mode) || abi::is_chr(mode) || abi::is_blk(mode) || abi::is_fifo(mode) ||
                      abi::is_sock(mode) || (mode & abi::kIfMt) == 0;
    if (!node) return Errno::Inval;
    return {};
}

Result<path> vfs_create_node(const walk_start& start, const char* name, abi::umode_t mode, abi::dev_t rdev) {
    if ((mode & abi::kIfMt) == 0) mode |= abi::kIfReg;
    TRY(check_node_kind(mode));
    const bool device = abi::is_chr(mode) || abi::is_blk(mode);
    if (name[0] == '\0') return Errno::NoEnt;
    path_walk walk(start, name);
    TRY(walk.to_parent());
    if (walk.last() != Last::Name) return Errno::Exist;
    inode& dir = walk.dir_inode();
    const mutex_guard guard(dir.i_mutex);
    RefPtr<dentry> child = TRY(lookup_new(walk, false));
    if (device && !capable(kCapMknod)) return Errno::Perm;
    if (dir.i_op->mknod == nullptr) return Errno::Perm;
    TRY(dir.i_op->mknod(dir, *child, mode, device ? rdev : 0));
    return path(walk.parent().mnt, std::move(child));
}

Result<> vfs_mknodat(const walk_start& start, const char* name, abi::umode_t mode, abi::dev_t rdev) {
    (void)TRY(vfs_create_node(start, name, mode, rdev));
    return {};
}

Result<> vfs_symlinkat(const walk_start& start, const char* name, const char* target) {
    if (target[0] == '\0' || name[0] == '\0') return Errno::NoEnt;
    path_walk walk(start, name);
    TRY(walk.to_parent());
    if (walk.last() != Last::Name) return Errno::Exist;
    inode& dir = walk.dir_inode();
    const mutex_guard guard(dir.i_mutex);
    const RefPtr<dentry> child = TRY(lookup_new(walk, false));
    if (dir.i_op->symlink == nullptr) return Errno::Perm;
    return dir.i_op->symlink(dir, *child, target);
}

Result<> vfs_linkat(const path& old, const walk_start& start, const char* name) {
    if (name[0] == '\0') return Errno::NoEnt;
    path_walk walk(start, name);
    TRY(walk.to_parent());
    if (walk.last() != Last::Name) return Errno::Exist;
    inode& dir = walk.dir_inode();
    inode& node = *old.dentry->d_inode;
    const mutex_guard guard(dir.i_mutex);
    const RefPtr<dentry> child = TRY(lookup_new(walk, false));
    if (old.mnt != walk.parent().mnt) return Errno::XDev;
    if (dir.i_op->link == nullptr || abi::is_dir(node.i_mode)) return Errno::Perm;
    const mutex_guard node_guard(node.i_mutex);
    if (node.i_nlink == 0 && !node.i_linkable) return Errno::NoEnt;
    TRY(dir.i_op->link(node, dir, *child));
    node.i_linkable = false;
    return {};
}

Result<> vfs_unlinkat(const walk_start& start, const char* name) {
    if (name[0] == '\0') return Errno::NoEnt;
    path_walk walk(start, name);
    TRY(walk.to_parent());
    if (walk.last() != Last::Name) return Errno::IsDir;
    TRY(mnt_may_write(*walk.parent().mnt));
    inode& dir = walk.dir_inode();
    // Outlives the lock: the last reference to a large file takes its time.
    RefPtr<dentry> child;
    mutex_guard guard(dir.i_mutex);
    child = TRY(lookup_child_locked(walk.dir(), walk.name()));
    if (child->is_negative()) return Errno::NoEnt;
    if (walk.trailing_slash()) return abi::is_dir(child->d_inode->i_mode) ? Errno::IsDir : Errno::NotDir;
    TRY(may_delete(walk.parent(), *child, false));
    if (dir.i_op->unlink == nullptr) return Errno::Perm;
    TRY(dir.i_op->unlink(dir, *child));
    d_drop(*child);
    guard.unlock();
    if (child->d_mounted != 0) detach_mounts(*child);
    return {};
}

Result<> vfs_rmdirat(const walk_start& start, const char* name) {
    if (name[0] == '\0') return Errno::NoEnt;
    path_walk walk(start, name);
    TRY(walk.to_parent());
    switch (walk.last()) {
        case Last::Name:
            break;
        case Last::Dot:
            return Errno::Inval;
        case Last::DotDot:
            return Errno::NotEmpty;
        case Last::Root:
            return Errno::Busy;
    }
    TRY(mnt_may_write(*walk.parent().mnt));
    inode& dir = walk.dir_inode();
    RefPtr<dentry> child;
    mutex_guard guard(dir.i_mutex);
    child = TRY(lookup_child_locked(walk.dir(), walk.name()));
    if (child->is_negative()) return Errno::NoEnt;
    TRY(may_delete(walk.parent(), *child, true));
    if (dir.i_op->rmdir == nullptr) return Errno::Perm;
    TRY(dir.i_op->rmdir(dir, *child));
    d_drop(*child);
    guard.unlock();
    if (child->d_mounted != 0) detach_mounts(*child);
    return {};
}

}  // namespace guest
