// tmpfs. Each name holds a reference to its dentry ("pin"), each dentry one to its inode: removing the last
// name and closing the last description frees the file.
#include "guest/fs/tmpfs.hpp"

#include "guest/fs/dentry.hpp"
#include "guest/fs/fallocate.hpp"
#include "guest/fs/special.hpp"
#include "guest/fs/tmpfs_sb.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

// What ls shows as the size of a directory: as Linux does, so much for each entry.
constexpr abi::loff_t kEntrySize = 20;

Result<> tmpfs_charge(inode& node) {
    tmpfs_sb_info& info = tmpfs_info(*node.i_sb);
    if (info.used_blocks.fetch_add(1) >= info.settings.max_blocks && info.settings.max_blocks != 0) {
        info.used_blocks.fetch_sub(1);
        return Errno::NoSpc;
    }
    return {};
}

void tmpfs_uncharge(inode& node) { tmpfs_info(*node.i_sb).used_blocks.fetch_sub(1); }

constexpr address_space_operations kTmpfsMapping{.charge = tmpfs_charge, .uncharge = tmpfs_uncharge};

constexpr file_operations kTmpfsFile{.llseek = generic_file_llseek,
                                     .read = generic_file_read,
                                     .write = generic_file_write,
                                     .mmap = generic_file_mmap,
                                     .fsync = noop_fsync,
                                     .fallocate = shmem_fallocate};
constexpr file_operations kTmpfsDirectory{
    .llseek = dcache_dir_llseek, .read = generic_read_dir, .iterate = dcache_readdir, .fsync = noop_fsync};

Result<size_t> tmpfs_readlink(inode& link, char* buffer, size_t size) {
    const auto length = static_cast<size_t>(link.i_size);
    const size_t part = length < size ? length : size;
    memcpy(buffer, link.i_private, part);
    return part;
}

extern const inode_operations kDirectoryInode;
constexpr inode_operations kFileInode{};
constexpr inode_operations kSymlinkInode{.readlink = tmpfs_readlink};

// An inode of those that the file system may have.
Result<RefPtr<inode>> counted_inode(super_block& sb, const inode* dir, abi::umode_t mode) {
    tmpfs_sb_info& info = tmpfs_info(sb);
    if (info.used_inodes.fetch_add(1) >= info.settings.max_inodes && info.settings.max_inodes != 0) {
        info.used_inodes.fetch_sub(1);
        return Errno::NoSpc;
    }
    Result<RefPtr<inode>> node = new_inode(sb, dir, mode);
    if (!node.ok()) info.used_inodes.fetch_sub(1);
    return node;
}

Result<RefPtr<inode>> tmpfs_inode(super_block& sb, const inode* dir, abi::umode_t mode, abi::dev_t rdev) {
    RefPtr<inode> node = TRY(counted_inode(sb, dir, mode));
    switch (mode & abi::kIfMt) {
        case abi::kIfReg:
            node->i_op = &kFileInode;
            node->i_fop = &kTmpfsFile;
            node->i_data.a_ops = &kTmpfsMapping;
            node->i_data.is_shmem = &sb.s_type == &tmpfs_type;
            break;
        case abi::kIfDir:
            node->i_op = &kDirectoryInode;
            node->i_fop = &kTmpfsDirectory;
            node->i_nlink = 2;
            node->i_size = 2 * kEntrySize;
            break;
        case abi::kIfLnk:
            node->i_op = &kSymlinkInode;
            break;
        default:
            node->i_op = &kFileInode;
            init_special_inode(*node, rdev);
            break;
    }
    return node;
}

// dir has one entry more or less.
void entries_changed(inode& dir, int by) {
    dir.i_size += by * kEntrySize;
    inode_update_mtime(dir);
}

// child comes to name node, and is pinned.
void add_name(inode& dir, dentry& child, RefPtr<inode> node) {
    d_instantiate(child, std::move(node));
    child.get();
    entries_changed(dir, +1);
}

// The caller holds a reference to child and drops the name.
void remove_name(inode& dir, dentry& child) {
    inode_update_ctime(*child.d_inode);
    drop_nlink(*child.d_inode);
    entries_changed(dir, -1);
    child.put();
}

Result<> tmpfs_mknod(inode& dir, dentry& child, abi::umode_t mode, abi::dev_t rdev) {
    add_name(dir, child, TRY(tmpfs_inode(*dir.i_sb, &dir, mode, rdev)));
    return {};
}

Result<> tmpfs_create(inode& dir, dentry& child, abi::umode_t mode) {
    return tmpfs_mknod(dir, child, mode | abi::kIfReg, 0);
}

Result<RefPtr<inode>> tmpfs_tmpfile(inode& dir, abi::umode_t mode) {
    RefPtr<inode> node = TRY(tmpfs_inode(*dir.i_sb, &dir, mode | abi::kIfReg, 0));
    node->i_nlink = 0;
    return node;
}

Result<> tmpfs_mkdir(inode& dir, dentry& child, abi::umode_t mode) {
    TRY(tmpfs_mknod(dir, child, mode | abi::kIfDir, 0));
    inc_nlink(dir);
    return {};
}

Result<> tmpfs_symlink(inode& dir, dentry& child, const char* target) {
    const size_t length = strlen(target);
    RefPtr<inode> node = TRY(tmpfs_inode(*dir.i_sb, &dir, abi::kIfLnk | abi::kIrwxUgo, 0));
    void* text = kmalloc(length);
    if (text == nullptr) return Errno::NoMem;
    memcpy(text, target, length);
    node->i_private = text;
    node->i_size = static_cast<abi::loff_t>(length);
    add_name(dir, child, std::move(node));
    return {};
}

Result<> tmpfs_link(inode& target, inode& dir, dentry& child) {
    inc_nlink(target);
    inode_update_ctime(target);
    add_name(dir, child, RefPtr<inode>(&target));
    return {};
}

Result<> tmpfs_unlink(inode& dir, dentry& child) {
    remove_name(dir, child);
    return {};
}

Result<> tmpfs_rmdir(inode& dir, dentry& child) {
    const mutex_guard guard(child.d_inode->i_mutex);
    if (!child.d_subdirs.empty()) return Errno::NotEmpty;
    drop_nlink(*child.d_inode);  // its own "."
    remove_name(dir, child);
    drop_nlink(dir);  // its ".."
    return {};
}

// Both names stay pinned; only what the directories count changes.
Result<> tmpfs_exchange(inode& old_dir, dentry& old_child, inode& new_dir, dentry& new_child) {
    const bool old_is_dir = abi::is_dir(old_child.d_inode->i_mode);
    const bool new_is_dir = abi::is_dir(new_child.d_inode->i_mode);
    if (&old_dir != &new_dir && old_is_dir != new_is_dir) {
        drop_nlink(old_is_dir ? old_dir : new_dir);
        inc_nlink(old_is_dir ? new_dir : old_dir);
    }
    inode_update_mtime(old_dir);
    inode_update_mtime(new_dir);
    inode_update_ctime(*old_child.d_inode);
    inode_update_ctime(*new_child.d_inode);
    return {};
}

Result<> tmpfs_rename(inode& old_dir, dentry& old_child, inode& new_dir, dentry& new_child, uint32_t flags) {
    if ((flags & abi::kRenameExchange) != 0) return tmpfs_exchange(old_dir, old_child, new_dir, new_child);
    const bool is_dir = abi::is_dir(old_child.d_inode->i_mode);
    if (!new_child.is_negative()) {
        if (is_dir) {
            TRY(tmpfs_rmdir(new_dir, new_child));
        } else {
            TRY(tmpfs_unlink(new_dir, new_child));
        }
    }
    if (is_dir && &old_dir != &new_dir) {
        drop_nlink(old_dir);
        inc_nlink(new_dir);
    }
    entries_changed(old_dir, -1);
    entries_changed(new_dir, +1);
    inode_update_ctime(*old_child.d_inode);
    return {};
}

// All that exists is in the dentry tree, so that what is not there does not exist.
Result<> tmpfs_lookup(inode&, dentry& child) {
    d_add(child, nullptr);
    return {};
}

constinit const inode_operations kDirectoryInode{.lookup = tmpfs_lookup,
                                                 .create = tmpfs_create,
                                                 .mkdir = tmpfs_mkdir,
                                                 .mknod = tmpfs_mknod,
                                                 .tmpfile = tmpfs_tmpfile,
                                                 .symlink = tmpfs_symlink,
                                                 .link = tmpfs_link,
                                                 .unlink = tmpfs_unlink,
                                                 .rmdir = tmpfs_rmdir,
                                                 .rename = tmpfs_rename};

}  // namespace

void tmpfs_evict(inode& node) {
    if (abi::is_lnk(node.i_mode)) kfree(node.i_private);
    tmpfs_info(*node.i_sb).used_inodes.fetch_sub(1);
}

Result<RefPtr<inode>> tmpfs_root_inode(super_block& sb) {
    const tmpfs_settings& settings = tmpfs_info(sb).settings;
    RefPtr<inode> root = TRY(tmpfs_inode(sb, nullptr, abi::kIfDir | settings.mode, 0));
    root->i_uid = settings.uid;
    root->i_gid = settings.gid;
    return root;
}

}  // namespace guest
