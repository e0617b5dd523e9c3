// Inodes: birth, attributes, rights and end.
#include "guest/fs/inode.hpp"

#include "guest/fs/dentry.hpp"
#include "guest/fs/file.hpp"
#include "guest/fs/special.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/overcommit.hpp"

namespace guest {

DEFINE_KMEM_CACHE(inode)
DEFINE_KMEM_CACHE(super_block)

namespace {
constexpr inode_operations kNoInodeOperations{};
constexpr file_operations kNoFileOperations{};
constexpr int64_t kNsPerSecond = 1'000'000'000;

// Numbers of file systems that have no device: major 0, as Linux's anonymous ones.
constinit Atomic<uint32_t> next_anon_dev{1};
}  // namespace

super_block::super_block(const file_system_type& type, const super_operations& ops, uint64_t magic)
    : s_type(type), s_op(ops), s_dev(abi::make_dev(0, next_anon_dev.fetch_add(1))), s_magic(magic) {}

super_block::~super_block() {
    BUG_ON(s_inodes.load() != 0);
    if (s_op.put_super != nullptr) s_op.put_super(*this);
}

inode::inode(super_block& sb, uint64_t ino, abi::umode_t mode)
    : i_ino(ino), i_sb(&sb), i_op(&kNoInodeOperations), i_fop(&kNoFileOperations), i_mode(mode) {
    i_data.host = this;
    sb.s_inodes.fetch_add(1);
}

inode::~inode() {
    BUG_ON(!list_empty(i_data.i_mmap) || i_pipe != nullptr || !list_empty(i_posix) || !list_empty(i_flock));
    i_size = 0;
    truncate_inode_pages(i_data, 0);
    vm_unacct_memory(i_data.promised);
    if (i_sb->s_op.evict_inode != nullptr) i_sb->s_op.evict_inode(*this);
    i_sb->s_inodes.fetch_sub(1);
}

Result<RefPtr<inode>> new_inode(super_block& sb, const inode* dir, abi::umode_t mode) {
    RefPtr<inode> node = TRY(make_ref<inode>(sb, sb.s_next_ino.fetch_add(1), mode));
    if (dir != nullptr) {
        node->i_uid = current_cred().fsuid;
        node->i_gid = current_cred().fsgid;
        if ((dir->i_mode & abi::kIsGid) != 0) {
            node->i_gid = dir->i_gid;
            if (abi::is_dir(mode)) node->i_mode |= abi::kIsGid;
        }
    }
    node->i_atime = node->i_mtime = node->i_ctime = current_time();
    return node;
}

void init_special_inode(inode& node, abi::dev_t rdev) {
    node.i_rdev = rdev;
    if (abi::is_chr(node.i_mode)) {
        node.i_fop = &chrdev_file_operations;
    } else if (abi::is_fifo(node.i_mode)) {
        node.i_fop = &fifo_file_operations;
    } else {
        // Block devices and sockets can be named, and opened by nobody here.
        node.i_fop = &no_open_file_operations;
    }
}

Result<> inode_permission(const inode& node, uint32_t mask) {
    if (node.i_op->permission != nullptr) return node.i_op->permission(node, mask);
    return generic_permission(node, mask);
}

Result<> generic_permission(const inode& node, uint32_t mask) {
    const cred& who = current_cred();
    const abi::umode_t mode = node.i_mode;
    uint32_t granted = mode & 7;
    if (who.fsuid == node.i_uid) {
        granted = mode >> 6 & 7;
    } else if (in_group_p(node.i_gid)) {
        granted = mode >> 3 & 7;
    }
    if ((mask & ~granted) == 0) return {};
    // CAP_DAC_OVERRIDE opens everything, but runs no file that nobody may run.
    const bool runnable = abi::is_dir(mode) || (mode & 0111) != 0 || (mask & abi::kExecOk) == 0;
    if (runnable && capable(kCapDacOverride)) return {};
    const bool searches = abi::is_dir(mode) ? (mask & abi::kWriteOk) == 0 : mask == abi::kReadOk;
    if (searches && capable(kCapDacReadSearch)) return {};
    return Errno::Access;
}

bool inode_owner_or_capable(const inode& node) {
    return current_cred().fsuid == node.i_uid || capable(kCapFowner);
}

abi::Timespec current_time() {
    const auto now = static_cast<int64_t>(ktime_get_real());
    return {now / kNsPerSecond, now % kNsPerSecond};
}

void setattr_copy(inode& node, const iattr& attr) {
    const abi::Timespec now = current_time();
    const spinlock_guard guard(node.i_lock);
    if ((attr.valid & iattr::kUid) != 0) node.i_uid = attr.uid;
    if ((attr.valid & iattr::kGid) != 0) node.i_gid = attr.gid;
    if ((attr.valid & iattr::kMode) != 0) {
        node.i_mode = (node.i_mode & abi::kIfMt) | (attr.mode & abi::kIAllUgo);
    }
    if ((attr.valid & iattr::kAtime) != 0) node.i_atime = attr.atime;
    if ((attr.valid & iattr::kMtime) != 0) node.i_mtime = attr.mtime;
    node.i_ctime = now;
}

void inode_update_mtime(inode& node) {
    const abi::Timespec now = current_time();
    const spinlock_guard guard(node.i_lock);
    node.i_mtime = node.i_ctime = now;
}

void inode_update_ctime(inode& node) {
    const abi::Timespec now = current_time();
    const spinlock_guard guard(node.i_lock);
    node.i_ctime = now;
}

void inode_update_atime(inode& node) {
    const abi::Timespec now = current_time();
    const spinlock_guard guard(node.i_lock);
    node.i_atime = now;
}

void inc_nlink(inode& node) {
    const spinlock_guard guard(node.i_lock);
    ++node.i_nlink;
}

void drop_nlink(inode& node) {
    const spinlock_guard guard(node.i_lock);
    BUG_ON(node.i_nlink == 0);
    --node.i_nlink;
}

Result<> get_write_access(inode& node) {
    const spinlock_guard guard(node.i_lock);
    if (node.i_writecount < 0) return Errno::TxtBsy;
    ++node.i_writecount;
    return {};
}

void put_write_access(inode& node) {
    const spinlock_guard guard(node.i_lock);
    BUG_ON(node.i_writecount <= 0);
    --node.i_writecount;
}

Result<> deny_write_access(inode& node) {
    const spinlock_guard guard(node.i_lock);
    if (node.i_writecount > 0) return Errno::TxtBsy;
    --node.i_writecount;
    return {};
}

void allow_write_access(inode& node) {
    const spinlock_guard guard(node.i_lock);
    BUG_ON(node.i_writecount >= 0);
    ++node.i_writecount;
}

}  // namespace guest
