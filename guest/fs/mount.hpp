// Mounts: which file system's root stands over which dentry, for the tasks of one mount namespace.
//
// Locks: mount_lock guards the links between mounts; namespace_mutex serialises mount and umount. A
// reference keeps a mount and its file system alive even when it is detached.
#pragma once

#include "guest/fs/inode.hpp"
#include "guest/fs/path.hpp"
#include "guest/lib/list.hpp"
#include "guest/lib/refcount.hpp"
#include "guest/lib/result.hpp"
#include "guest/lib/spinlock.hpp"

namespace guest {

struct mnt_namespace;

struct vfsmount : RefCounted<vfsmount> {
    explicit vfsmount(RefPtr<dentry> root);
    ~vfsmount();

    const RefPtr<dentry> mnt_root;   // what is seen here
    vfsmount* mnt_parent = nullptr;  // null for the root mount and for one that is not attached
    RefPtr<dentry> mnt_mountpoint;   // in mnt_parent
    mnt_namespace* mnt_ns = nullptr;
    list_head mnt_list;  // in mnt_namespace::list
    uint32_t mnt_flags = 0;
    int mnt_id;
};

// Holds a reference to each of its mounts.
struct mnt_namespace : RefCounted<mnt_namespace> {
    ~mnt_namespace();

    RefPtr<vfsmount> root;
    IntrusiveList<vfsmount, &vfsmount::mnt_list> list;  // parents before children
};

// A namespace with one file system as its root. NoMem.
Result<RefPtr<mnt_namespace>> create_mnt_ns(RefPtr<dentry> root);
// A copy of every mount (CLONE_NEWNS); root and pwd are moved to their counterparts in the copy. NoMem leaves
// everything as it was.
Result<RefPtr<mnt_namespace>> copy_mnt_ns(mnt_namespace& old, path& root, path& pwd);

// The mount that stands on mnt's dentry, or null.
[[nodiscard]] RefPtr<vfsmount> lookup_mnt(const vfsmount& mnt, const dentry& at);
// p, or what is mounted over it, whatever the depth.
void follow_mounts(path& p);
// Up one mount: p becomes the mount point that p's root stands on. False at the top.
bool follow_up(path& p);

// Mounts root's file system over where. NoMem, NotDir, Busy.
Result<> do_add_mount(RefPtr<dentry> root, const path& where, uint32_t flags);
// umount2(2). Inval: not a mount point. Busy: mounts below it, or (without lazy) in use.
Result<> do_umount(const path& where, uint32_t flags);

// The file systems that mount(2) knows by name; null: NoDev.
[[nodiscard]] const file_system_type* get_fs_type(const char* name);
void register_filesystem(const file_system_type& type);

}  // namespace guest
