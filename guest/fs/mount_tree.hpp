// What mount.cpp and mount_tree.cpp have in common: putting mounts into the tree of a namespace and taking
// them out.
#pragma once

#include "guest/fs/mount.hpp"
#include "guest/kernel/mutex.hpp"

namespace guest {

extern mutex namespace_mutex;
extern IntrusiveList<mnt_namespace, &mnt_namespace::all> all_mnt_namespaces;  // guarded by mount_lock

// Takes mnt out of the tree of mounts. What it held goes to the caller, to be let go without the lock.
// mount_lock is held.
struct DetachedMount {
    RefPtr<vfsmount> mnt;
    RefPtr<dentry> mountpoint;
};
[[nodiscard]] DetachedMount detach_locked(vfsmount& mnt);
// The namespace's list takes over the reference. mount_lock is held.
void attach_locked(mnt_namespace& ns, RefPtr<vfsmount> fresh, vfsmount* parent, RefPtr<dentry> mountpoint);
// NoMem.
Result<RefPtr<vfsmount>> alloc_vfsmnt(RefPtr<dentry> root, const char* devname);
// One more mount of the same, from root on.
Result<RefPtr<vfsmount>> clone_mnt(const vfsmount& original, RefPtr<dentry> root);

}  // namespace guest
