// What a file is, whatever its names: inode, its operations, and the file system instance that it
// belongs to. Names are dentries (dentry.hpp), open files are file descriptions (file.hpp).
#pragma once

#include "guest/abi/file.hpp"
#include "guest/fs/address_space.hpp"
#include "guest/fs/path.hpp"
#include "guest/kernel/mutex.hpp"
#include "guest/lib/refcount.hpp"
#include "guest/lib/result.hpp"
#include "guest/lib/spinlock.hpp"
#include "guest/mm/slab.hpp"

namespace guest {

struct dentry;
struct file;
struct file_operations;
struct inode;
struct pipe_inode_info;
class seq_file;
struct super_block;

// What setattr changes; only the fields named in valid count.
struct iattr {
    enum : uint32_t { kMode = 1, kUid = 2, kGid = 4, kSize = 8, kAtime = 16, kMtime = 32 };
    uint32_t valid = 0;
    abi::umode_t mode = 0;  // permission bits alone
    uint32_t uid = 0;
    uint32_t gid = 0;
    abi::loff_t size = 0;
    abi::Timespec atime{};
    abi::Timespec mtime{};
};

// An operation that takes a directory is called with the directory's i_mutex held, rename with both (and
// super_block::s_rename_mutex). A null operation answers EPERM where a name would be made or removed.
struct inode_operations {
    // Attaches the inode named by child to it (d_add), or leaves child negative and found (d_add of null).
    Result<> (*lookup)(inode& dir, dentry& child) = nullptr;
    Result<> (*create)(inode& dir, dentry& child, abi::umode_t mode) = nullptr;
    Result<> (*mkdir)(inode& dir, dentry& child, abi::umode_t mode) = nullptr;
    Result<> (*mknod)(inode& dir, dentry& child, abi::umode_t mode, abi::dev_t rdev) = nullptr;
    // A regular file without a name (O_TMPFILE). Null: OpNotSupp.
    Result<RefPtr<inode>> (*tmpfile)(inode& dir, abi::umode_t mode) = nullptr;
    Result<> (*symlink)(inode& dir, dentry& child, const char* target) = nullptr;
    Result<> (*link)(inode& target, inode& dir, dentry& child) = nullptr;
    Result<> (*unlink)(inode& dir, dentry& child) = nullptr;
    Result<> (*rmdir)(inode& dir, dentry& child) = nullptr;
    // The caller has checked types, ancestry and RENAME_NOREPLACE, and moves the dentries afterwards.
    Result<> (*rename)(inode& old_dir, dentry& old_child, inode& new_dir, dentry& new_child,
                       uint32_t flags) = nullptr;
    // Copies the target of a symbolic link, without a closing zero; its length in bytes, at most size.
    Result<size_t> (*readlink)(inode& link, char* buffer, size_t size) = nullptr;
    // For a link that leads to an object and not to a name, such as /proc/self/exe.
    Result<path> (*jump_link)(inode& link) = nullptr;
    // Null: by the mode bits (generic_permission).
    Result<> (*permission)(const inode& node, uint32_t mask) = nullptr;
    // For a directory whose links are counted when somebody asks.
    uint32_t (*nlink)(const inode& node) = nullptr;
    // Null: the generic form (setattr_copy). Called with the node's i_mutex held.
    Result<> (*setattr)(inode& node, const iattr& attr) = nullptr;
};

struct inode : RefCounted<inode> {
    KMEM_CACHED()
    // Takes a reference to sb.
    inode(super_block& sb, uint64_t ino, abi::umode_t mode);
    ~inode();

    const uint64_t i_ino;
    const RefPtr<super_block> i_sb;
    const inode_operations* i_op;
    const file_operations* i_fop;  // what open gives to the file
    mutex i_mutex;                 // names in a directory; contents and size of a file

    mutable spinlock_t i_lock;  // the fields from here to i_writecount
    abi::umode_t i_mode;
    uint32_t i_uid = 0;
    uint32_t i_gid = 0;
    uint32_t i_nlink = 1;
    bool i_linkable = false;  // made by O_TMPFILE: may get a name although it has none
    abi::Timespec i_atime{};
    abi::Timespec i_mtime{};
    abi::Timespec i_ctime{};
    // Above 0: descriptions open for writing. Below: programs that run from this file (ETXTBSY).
    int i_writecount = 0;

    abi::dev_t i_rdev = 0;  // of a device node
    // Bytes. Written with i_mutex held; may be read without, and be stale then.
    abi::loff_t i_size = 0;
    address_space i_data;
    list_head i_posix, i_flock;         // locks that are held on it (locks.hpp)
    pipe_inode_info* i_pipe = nullptr;  // of a FIFO while it is open; guarded by i_mutex
    void* i_private = nullptr;          // the file system's own
};

struct super_operations {
    // Frees what i_private holds. The last reference is gone and i_data is empty.
    void (*evict_inode)(inode& node) = nullptr;
    // The last mount is gone: lets every name go that the file system kept alive.
    void (*kill_sb)(super_block& sb) = nullptr;
    // The last inode is gone: frees s_fs_info.
    void (*put_super)(super_block& sb) = nullptr;
    Result<> (*statfs)(super_block& sb, abi::Statfs& out) = nullptr;
    // mount(2) with MS_REMOUNT: new options. Null: there are none. Inval.
    Result<> (*remount)(super_block& sb, const char* data) = nullptr;
    // Options as /proc/mounts shows them, each after a comma.
    void (*show_options)(const super_block& sb, seq_file& m) = nullptr;
};

struct file_system_type {
    const char* name;  // as mount(2) takes it
    // An instance and its root. data is mount's option string, or null.
    Result<RefPtr<dentry>> (*mount)(const file_system_type& type, const char* data);
};

struct super_block : RefCounted<super_block> {
    KMEM_CACHED()
    super_block(const file_system_type& type, const super_operations& ops, uint64_t magic);
    ~super_block();

    const file_system_type& s_type;
    const super_operations& s_op;
    dentry* s_root = nullptr;      // alive as long as a mount is
    Atomic<uint64_t> s_active{0};  // mounts; the last one to go empties the file system
    const abi::dev_t s_dev;        // st_dev of its files
    const uint64_t s_magic;        // f_type of statfs
    bool s_readonly = false;       // MS_RDONLY: whatever its mounts say
    mutex s_rename_mutex;          // taken before the i_mutex of two directories
    Atomic<uint64_t> s_next_ino{1};
    Atomic<uint64_t> s_inodes{0};  // alive
    void* s_fs_info = nullptr;
};

// A new inode of a fresh number, its times now. It belongs to the caller, or to dir's group where dir has the
// set-group-id bit; dir null: to root. NoMem.
Result<RefPtr<inode>> new_inode(super_block& sb, const inode* dir, abi::umode_t mode);
// Gives a device, FIFO or socket node the operations of its type. rdev is for devices.
void init_special_inode(inode& node, abi::dev_t rdev);

// The caller's right to do mask (of kExecOk, kWriteOk, kReadOk): Access.
Result<> inode_permission(const inode& node, uint32_t mask);
// The same by the mode bits alone.
Result<> generic_permission(const inode& node, uint32_t mask);
// May the caller change the node's attributes, being its owner or privileged?
[[nodiscard]] bool inode_owner_or_capable(const inode& node);

// Stores attr in the inode's fields (not the size) and sets ctime. The node's i_mutex is held.
void setattr_copy(inode& node, const iattr& attr);
// Times: now.
void inode_update_mtime(inode& node);
void inode_update_ctime(inode& node);
void inode_update_atime(inode& node);
[[nodiscard]] abi::Timespec current_time();

void inc_nlink(inode& node);
void drop_nlink(inode& node);

// Running programs and writers keep each other out: TxtBsy.
Result<> get_write_access(inode& node);
void put_write_access(inode& node);
Result<> deny_write_access(inode& node);
void allow_write_access(inode& node);

}  // namespace guest
