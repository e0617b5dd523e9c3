// What inodes say of themselves, and who may change it.
#include "guest/fs/dentry.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/cred.hpp"

namespace guest {

namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

Result<> set_attributes(inode& node, const iattr& attr) {
    if (node.i_op->setattr != nullptr) return node.i_op->setattr(node, attr);
    setattr_copy(node, attr);
    return {};
}

bool is_valid_time(const abi::Timespec& time) {
    return (time.tv_nsec >= 0 && time.tv_nsec < kNsPerSecond) || time.tv_nsec == abi::kUtimeNow ||
           time.tv_nsec == abi::kUtimeOmit;
}

bool chown_allowed(const inode& node, uint32_t uid, uint32_t gid) {
    if (capable(kCapChown)) return true;
    if (current_cred().fsuid != node.i_uid) return false;
    const bool same_owner = uid == kKeepId || uid == node.i_uid;
    const bool own_group = gid == kKeepId || gid == node.i_gid || in_group_p(gid);
    return same_owner && own_group;
}

}  // namespace

void vfs_getattr(const inode& node, abi::Stat& out) {
    out = {};
    const uint32_t counted = node.i_op->nlink != nullptr ? node.i_op->nlink(node) : 0;
    const spinlock_guard guard(node.i_lock);
    out.st_dev = node.i_sb->s_dev;
    out.st_ino = node.i_ino;
    out.st_nlink = counted != 0 ? counted : node.i_nlink;
    out.st_mode = node.i_mode;
    out.st_uid = node.i_uid;
    out.st_gid = node.i_gid;
    out.st_rdev = node.i_rdev;
    out.st_size = node.i_size;
    out.st_blksize = static_cast<int64_t>(kPageSize);
    out.st_blocks = static_cast<int64_t>(node.i_data.pages.count() * (kPageSize / 512));
    out.st_atim = node.i_atime;
    out.st_mtim = node.i_mtime;
    out.st_ctim = node.i_ctime;
}

Result<> vfs_chmod(inode& node, abi::umode_t mode) {
    const mutex_guard guard(node.i_mutex);
    if (!inode_owner_or_capable(node)) return Errno::Perm;
    if (((mode ^ node.i_mode) & 0111) != 0 && node.i_data.sealed_against(abi::kSealExec)) return Errno::Perm;
    iattr attr;
    attr.valid = iattr::kMode;
    attr.mode = mode & abi::kIAllUgo;
    // Only members may make a file run as their group.
    if (!in_group_p(node.i_gid) && !capable(kCapFsetid)) attr.mode &= ~abi::kIsGid;
    return set_attributes(node, attr);
}

Result<> vfs_chown(inode& node, uint32_t uid, uint32_t gid) {
    const mutex_guard guard(node.i_mutex);
    if (!chown_allowed(node, uid, gid)) return Errno::Perm;
    iattr attr;
    if (uid != kKeepId) {
        attr.valid |= iattr::kUid;
        attr.uid = uid;
    }
    if (gid != kKeepId) {
        attr.valid |= iattr::kGid;
        attr.gid = gid;
    }
    // A file that changes hands no longer runs as its owner or group.
    if (!abi::is_dir(node.i_mode)) {
        attr.valid |= iattr::kMode;
        attr.mode = node.i_mode & abi::kIAllUgo & ~abi::kIsUid;
        if ((node.i_mode & 010) != 0) attr.mode &= ~abi::kIsGid;
    }
    return set_attributes(node, attr);
}

Result<> vfs_utimes(inode& node, abi::Timespec atime, abi::Timespec mtime) {
    if (!is_valid_time(atime) || !is_valid_time(mtime)) return Errno::Inval;
    if (atime.tv_nsec == abi::kUtimeOmit && mtime.tv_nsec == abi::kUtimeOmit) return {};
    const mutex_guard guard(node.i_mutex);
    const bool both_now = atime.tv_nsec == abi::kUtimeNow && mtime.tv_nsec == abi::kUtimeNow;
    if (!inode_owner_or_capable(node)) {
        if (!both_now) return Errno::Perm;
        TRY(inode_permission(node, abi::kWriteOk));
    }
    iattr attr;
    const abi::Timespec now = current_time();
    if (atime.tv_nsec != abi::kUtimeOmit) {
        attr.valid |= iattr::kAtime;
        attr.atime = atime.tv_nsec == abi::kUtimeNow ? now : atime;
    }
    if (mtime.tv_nsec != abi::kUtimeOmit) {
        attr.valid |= iattr::kMtime;
        attr.mtime = mtime.tv_nsec == abi::kUtimeNow ? now : mtime;
    }
    return set_attributes(node, attr);
}

Result<> vfs_truncate(inode& node, abi::loff_t length) {
    if (length < 0) return Errno::Inval;
    if (abi::is_dir(node.i_mode)) return Errno::IsDir;
    if (!abi::is_reg(node.i_mode)) return Errno::Inval;
    TRY(inode_permission(node, abi::kWriteOk));
    TRY(get_write_access(node));
    Result<> outcome = do_truncate(node, length);
    put_write_access(node);
    return outcome;
}

Result<> vfs_statfs(super_block& sb, abi::Statfs& out) {
    out = {};
    out.f_type = static_cast<int64_t>(sb.s_magic);
    out.f_bsize = out.f_frsize = static_cast<int64_t>(kPageSize);
    out.f_namelen = abi::kNameMax;
    out.f_fsid[0] = static_cast<int32_t>(sb.s_dev);
    if (sb.s_op.statfs != nullptr) TRY(sb.s_op.statfs(sb, out));
    return {};
}

}  // namespace guest
