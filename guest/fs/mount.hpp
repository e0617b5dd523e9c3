// Mounts: which file system's root stands over which dentry, for the tasks of one mount namespace.
//
// Locks: mount_lock guards the links between mounts; namespace_mutex serialises mount and umount. A
// reference keeps a mount and its file system alive even when it is detached.
#pragma once

#include "guest/fs/dentry.hpp"
#include "guest/fs/inode.hpp"
#include "guest/fs/path.hpp"
#include "guest/lib/list.hpp"
#include "guest/lib/refcount.hpp"
#include "guest/lib/result.hpp"
#include "guest/lib/spinlock.hpp"

namespace guest {

struct mnt_namespace;

// vfsmount::mnt_flags, Linux's values.
inline constexpr uint32_t MNT_NOSUID = 1, MNT_NODEV = 2, MNT_NOEXEC = 4, MNT_NOATIME = 8,
                          MNT_NODIRATIME = 0x10, MNT_RELATIME = 0x20, MNT_READONLY = 0x40;

struct vfsmount : RefCounted<vfsmount> {
    KMEM_CACHED()
    explicit vfsmount(RefPtr<dentry> root);
    ~vfsmount();

    const RefPtr<dentry> mnt_root;   // what is seen here
    vfsmount* mnt_parent = nullptr;  // null for the root mount and for one that is not attached
    RefPtr<dentry> mnt_mountpoint;   // in mnt_parent
    mnt_namespace* mnt_ns = nullptr;
    list_head mnt_list;  // in mnt_namespace::list
    uint32_t mnt_flags = MNT_RELATIME;
    int mnt_id;
    Atomic<int32_t> mnt_writers{0};  // descriptions of regular files that are open for writing
    uint32_t mnt_uses = 1;           // walks that came here; guarded by mount_lock
    uint32_t mnt_expiry_uses = 0;    // MNT_EXPIRE: as many, when it was marked; 0: it was not
    vfsmount* mnt_copy = nullptr;    // while a tree of mounts is copied; guarded by namespace_mutex
    char* mnt_devname = nullptr;     // what mount(2) was told to be its source; null: "none"
};

// Holds a reference to each of its mounts.
struct mnt_namespace : RefCounted<mnt_namespace> {
    KMEM_CACHED()
    mnt_namespace();
    ~mnt_namespace();

    RefPtr<vfsmount> root;
    IntrusiveList<vfsmount, &vfsmount::mnt_list> list;  // parents before children
    list_head all;                                      // of all namespaces; guarded by mount_lock
};

// A namespace with one file system as its root. NoMem.
Result<RefPtr<mnt_namespace>> create_mnt_ns(RefPtr<dentry> root, const char* devname = nullptr);
// A copy of every mount (CLONE_NEWNS); root and pwd are moved to their counterparts in the copy. NoMem leaves
// everything as it was.
Result<RefPtr<mnt_namespace>> copy_mnt_ns(mnt_namespace& old, path& root, path& pwd);

extern spinlock_t mount_lock;

// The mount that stands on mnt's dentry, or null.
[[nodiscard]] RefPtr<vfsmount> lookup_mnt(const vfsmount& mnt, const dentry& at);
// p, or what is mounted over it, whatever the depth.
void follow_mounts(path& p);
// p becomes the mount point that its mount stands on. False at the top.
bool follow_up(path& p);

// RoFs: nothing can be changed through this mount, because of it or of its file system.
Result<> mnt_may_write(const vfsmount& mnt);
// The mount's own flags, but for those with writers that would forbid them to write: Busy.
Result<> set_mount_flags(vfsmount& mnt, uint32_t flags);

// Mounts root's file system over where, in its mount namespace. NoMem, NotDir, Inval.
Result<> do_add_mount(RefPtr<dentry> root, const path& where, uint32_t flags, const char* devname = nullptr);
// What is seen at `from` is seen at `where` as well; with all that is mounted below it, if the whole tree is
// asked for. NoMem, NotDir, Inval.
enum class BindDepth : uint8_t { One, Tree };
Result<> do_bind(const path& from, const path& where, BindDepth depth);
// The mount that has `from` for its root goes to `where` with all that is mounted below it. Inval: it is no
// such root, or the root of everything. Loop: where is in it. NotDir.
Result<> do_move_mount(const path& from, const path& where);
// where is the root of what is to go. Inval: it is not, or it is the root of everything. Busy: it is in use,
// or something is mounted below it. With Detach that does not matter: all of it goes. Expire: Again the first
// time, if it is idle, and it goes the second time if nobody used it in between.
enum class Umount : uint8_t { IfIdle, Detach, Expire };
Result<> do_umount(const path& where, Umount how);

// Whether something is mounted on d in that namespace; null: in none.
[[nodiscard]] bool is_mountpoint_in(const mnt_namespace* ns, const dentry& d);
// d's name is gone: what was mounted on it in other namespaces goes as well.
void detach_mounts(const dentry& d);

// The mount after `after` in the namespace's list, the first for null; null at the end, or if `after` has
// left it.
[[nodiscard]] RefPtr<vfsmount> next_mnt(const mnt_namespace& ns, const vfsmount* after);
// The number of the mount that mnt stands on, its own at the top.
[[nodiscard]] int parent_mnt_id(const vfsmount& mnt);

// The file systems that mount(2) knows by name. Before any task runs.
void register_filesystem(const file_system_type& type);
// The nth of them, in order of registration; null at the end.
[[nodiscard]] const file_system_type* nth_filesystem(size_t n);
// Null: NoDev.
[[nodiscard]] const file_system_type* get_fs_type(const char* name);

}  // namespace guest
