// Changing the tree of mounts: mounting, binding, moving, unmounting.
#include "guest/fs/mount_tree.hpp"

#include "guest/fs/inode.hpp"

namespace guest {

namespace {

bool has_children_locked(const vfsmount& mnt) {
    for (const vfsmount& other : mnt.mnt_ns->list) {
        if (other.mnt_parent == &mnt) return true;
    }
    return false;
}

// Is mnt top, or mounted somewhere below it?
bool is_below_locked(const vfsmount* mnt, const vfsmount& top) {
    while (mnt != nullptr && mnt != &top) mnt = mnt->mnt_parent;
    return mnt != nullptr;
}

bool same_kind(const dentry& a, const dentry& b) {
    return abi::is_dir(a.d_inode->i_mode) == abi::is_dir(b.d_inode->i_mode);
}

// Is mnt mounted somewhere below `from`?
bool is_in_bind(const vfsmount& mnt, const path& from) {
    const vfsmount* at = &mnt;
    if (at == from.mnt.get()) return false;
    while (at->mnt_parent != nullptr && at->mnt_parent != from.mnt.get()) at = at->mnt_parent;
    return at->mnt_parent != nullptr && is_subdir(*at->mnt_mountpoint, *from.dentry);
}

// Copies of the mounts below a place, each in its original's mnt_copy. namespace_mutex is held.
class TreeCopy {
public:
    explicit TreeCopy(mnt_namespace& ns) : ns_(ns) {}
    TreeCopy(const TreeCopy&) = delete;
    TreeCopy& operator=(const TreeCopy&) = delete;
    ~TreeCopy() {
        for (vfsmount& mnt : ns_.list) {
            vfsmount* copy = std::exchange(mnt.mnt_copy, nullptr);
            if (copy != nullptr && !attached_) copy->put();
        }
    }
    Result<> add_below(const path& from) {
        for (vfsmount& mnt : ns_.list) {
            if (is_in_bind(mnt, from)) mnt.mnt_copy = TRY(clone_mnt(mnt, mnt.mnt_root)).leak();
        }
        return {};
    }
    // top: the copy of the mount that they are below. Parents stand before their children. mount_lock is
    // held.
    void attach_all(mnt_namespace& to, const path& from, vfsmount* top) {
        for (vfsmount& mnt : ns_.list) {
            if (mnt.mnt_copy == nullptr) continue;
            vfsmount* parent = mnt.mnt_parent == from.mnt.get() ? top : mnt.mnt_parent->mnt_copy;
            attach_locked(to, RefPtr<vfsmount>::adopt(mnt.mnt_copy), parent, mnt.mnt_mountpoint);
        }
        attached_ = true;
    }

private:
    mnt_namespace& ns_;
    bool attached_ = false;
};

// The mounts of the tree of `top` go to the end of the list, so that they stand after a new parent.
void move_to_end_locked(mnt_namespace& ns, const vfsmount& top) {
    IntrusiveList<vfsmount, &vfsmount::mnt_list> moved;
    for (vfsmount& mnt : ns.list) {
        if (!is_below_locked(&mnt, top)) continue;
        ns.list.remove(mnt);
        moved.push_back(mnt);
    }
    ns.list.splice_back(moved);
}

}  // namespace

Result<> do_add_mount(RefPtr<dentry> root, const path& where, uint32_t flags, const char* devname) {
    const mutex_guard serial(namespace_mutex);
    path at = where;
    follow_mounts(at);
    if (!same_kind(*root, *at.dentry)) return Errno::NotDir;
    RefPtr<vfsmount> mnt = TRY(alloc_vfsmnt(std::move(root), devname));
    mnt->mnt_flags = flags;
    const spinlock_guard guard(mount_lock);
    if (at.mnt->mnt_ns == nullptr) return Errno::Inval;
    attach_locked(*at.mnt->mnt_ns, std::move(mnt), at.mnt.get(), at.dentry);
    return {};
}

Result<> do_bind(const path& from, const path& where, BindDepth depth) {
    const mutex_guard serial(namespace_mutex);
    path at = where;
    follow_mounts(at);
    if (!same_kind(*from.dentry, *at.dentry)) return Errno::NotDir;
    if (from.mnt->mnt_ns == nullptr || at.mnt->mnt_ns == nullptr) return Errno::Inval;
    RefPtr<vfsmount> mnt = TRY(clone_mnt(*from.mnt, from.dentry));
    vfsmount* top = mnt.get();
    TreeCopy below(*from.mnt->mnt_ns);
    if (depth == BindDepth::Tree) TRY(below.add_below(from));
    const spinlock_guard guard(mount_lock);
    attach_locked(*at.mnt->mnt_ns, std::move(mnt), at.mnt.get(), at.dentry);
    below.attach_all(*at.mnt->mnt_ns, from, top);
    return {};
}

Result<> do_move_mount(const path& from, const path& where) {
    const mutex_guard serial(namespace_mutex);
    path at = where;
    follow_mounts(at);
    vfsmount& mnt = *from.mnt;
    RefPtr<dentry> old_mountpoint;
    const spinlock_guard guard(mount_lock);
    if (from.dentry != mnt.mnt_root || mnt.mnt_parent == nullptr || at.mnt->mnt_ns != mnt.mnt_ns)
        return Errno::Inval;
    if (is_below_locked(at.mnt.get(), mnt)) return Errno::Loop;
    if (!same_kind(*from.dentry, *at.dentry)) return Errno::NotDir;
    --mnt.mnt_mountpoint->d_mounted;
    ++at.dentry->d_mounted;
    old_mountpoint = std::exchange(mnt.mnt_mountpoint, at.dentry);
    mnt.mnt_parent = at.mnt.get();
    move_to_end_locked(*mnt.mnt_ns, mnt);
    return {};
}

namespace {

// What do_umount asks before it acts. mount_lock is held.
Result<> may_umount_locked(const path& where, Umount how) {
    vfsmount& mnt = *where.mnt;
    if (where.dentry != mnt.mnt_root || mnt.mnt_parent == nullptr) return Errno::Inval;
    if (how == Umount::Detach) return {};
    // The namespace's reference and the caller's.
    if (has_children_locked(mnt) || mnt.ref_count() > 2) return Errno::Busy;
    if (how == Umount::Expire) {
        // Only the walk of this call came here since the mark was set.
        const bool unused = mnt.mnt_expiry_uses != 0 && mnt.mnt_uses == mnt.mnt_expiry_uses + 1;
        mnt.mnt_expiry_uses = mnt.mnt_uses;
        if (!unused) return Errno::Again;
    }
    return {};
}

// Takes the last mount of top's tree out of it, top itself when nothing is below it any more.
DetachedMount detach_last(mnt_namespace& ns, const vfsmount& top) {
    const spinlock_guard guard(mount_lock);
    vfsmount* at = ns.list.back();
    while (!is_below_locked(at, top)) at = ns.list.prev(*at);
    return detach_locked(*at);
}

}  // namespace

bool is_mountpoint_in(const mnt_namespace* ns, const dentry& d) {
    const spinlock_guard guard(mount_lock);
    if (ns == nullptr || d.d_mounted == 0) return false;
    for (const vfsmount& mnt : ns->list) {
        if (mnt.mnt_mountpoint.get() == &d) return true;
    }
    return false;
}

void detach_mounts(const dentry& d) {
    const mutex_guard serial(namespace_mutex);
    for (;;) {
        // Children first, as in do_umount.
        DetachedMount gone;
        const spinlock_guard guard(mount_lock);
        vfsmount* found = nullptr;
        for (mnt_namespace& ns : all_mnt_namespaces) {
            vfsmount* top = nullptr;
            for (vfsmount& mnt : ns.list) {
                if (mnt.mnt_mountpoint.get() == &d) top = &mnt;
            }
            for (vfsmount* at = ns.list.back(); top != nullptr && at != nullptr; at = ns.list.prev(*at)) {
                if (found == nullptr && is_below_locked(at, *top)) found = at;
            }
        }
        if (found == nullptr) return;
        gone = detach_locked(*found);
    }
}

Result<> do_umount(const path& where, Umount how) {
    const mutex_guard serial(namespace_mutex);
    vfsmount& mnt = *where.mnt;
    {
        const spinlock_guard guard(mount_lock);
        TRY(may_umount_locked(where, how));
    }
    // A mount that nobody refers to any more takes its file system along.
    mnt_namespace& ns = *mnt.mnt_ns;
    while (mnt.mnt_ns != nullptr) (void)detach_last(ns, mnt);
    return {};
}

Result<> set_mount_flags(vfsmount& mnt, uint32_t flags) {
    const spinlock_guard guard(mount_lock);
    if ((flags & MNT_READONLY) != 0 && mnt.mnt_writers.load() > 0) return Errno::Busy;
    mnt.mnt_flags = flags;
    return {};
}

}  // namespace guest
