// Mounts and mount namespaces.
#include "guest/fs/mount.hpp"

#include "guest/fs/mount_tree.hpp"
#include "guest/lib/string.hpp"

namespace guest {

DEFINE_KMEM_CACHE(vfsmount)
DEFINE_KMEM_CACHE(mnt_namespace)

constinit spinlock_t mount_lock;

constinit mutex namespace_mutex;

namespace {

constinit Atomic<int> next_mnt_id{1};
constexpr size_t kMaxTypes = 16;
constinit const file_system_type* types[kMaxTypes] = {};

}  // namespace

DetachedMount detach_locked(vfsmount& mnt) {
    DetachedMount out;
    out.mnt = RefPtr<vfsmount>::adopt(&mnt);
    if (mnt.mnt_mountpoint) --mnt.mnt_mountpoint->d_mounted;
    out.mountpoint = std::move(mnt.mnt_mountpoint);
    mnt.mnt_parent = nullptr;
    mnt.mnt_ns = nullptr;
    mnt.mnt_list.unlink();
    return out;
}

void attach_locked(mnt_namespace& ns, RefPtr<vfsmount> fresh, vfsmount* parent, RefPtr<dentry> mountpoint) {
    vfsmount* mnt = fresh.leak();
    mnt->mnt_ns = &ns;
    mnt->mnt_parent = parent;
    if (mountpoint) ++mountpoint->d_mounted;
    mnt->mnt_mountpoint = std::move(mountpoint);
    ns.list.push_back(*mnt);
}

Result<RefPtr<vfsmount>> alloc_vfsmnt(RefPtr<dentry> root, const char* devname) {
    char* name = nullptr;
    if (devname != nullptr) {
        const size_t bytes = strlen(devname) + 1;
        name = static_cast<char*>(kmalloc(bytes));
        if (name == nullptr) return Errno::NoMem;
        memcpy(name, devname, bytes);
    }
    Result<RefPtr<vfsmount>> mnt = make_ref<vfsmount>(std::move(root));
    if (mnt.ok()) {
        mnt.value()->mnt_devname = name;
    } else {
        kfree(name);
    }
    return mnt;
}

Result<RefPtr<vfsmount>> clone_mnt(const vfsmount& original, RefPtr<dentry> root) {
    RefPtr<vfsmount> copy = TRY(alloc_vfsmnt(std::move(root), original.mnt_devname));
    copy->mnt_flags = original.mnt_flags;
    return copy;
}

namespace {

// The copy of mnt in a namespace that was copied in the same order.
vfsmount* counterpart(const mnt_namespace& old, const mnt_namespace& copy, const vfsmount* mnt) {
    vfsmount* candidate = copy.list.front();
    for (vfsmount* at = old.list.front(); at != nullptr && candidate != nullptr; at = old.list.next(*at)) {
        if (at == mnt) return candidate;
        candidate = copy.list.next(*candidate);
    }
    return nullptr;
}

}  // namespace

vfsmount::vfsmount(RefPtr<dentry> root) : mnt_root(std::move(root)), mnt_id(next_mnt_id.fetch_add(1)) {
    mnt_root->sb().s_active.fetch_add(1);
}

vfsmount::~vfsmount() {
    super_block& sb = mnt_root->sb();
    if (sb.s_active.fetch_sub(1) == 1 && sb.s_op.kill_sb != nullptr) sb.s_op.kill_sb(sb);
    kfree(mnt_devname);
}

constinit IntrusiveList<mnt_namespace, &mnt_namespace::all> all_mnt_namespaces;

mnt_namespace::mnt_namespace() {
    const spinlock_guard guard(mount_lock);
    all_mnt_namespaces.push_back(*this);
}

mnt_namespace::~mnt_namespace() {
    {
        const spinlock_guard guard(mount_lock);
        all.unlink();
    }
    for (;;) {
        DetachedMount gone;
        const spinlock_guard guard(mount_lock);
        vfsmount* last = list.back();
        if (last == nullptr) break;
        gone = detach_locked(*last);
    }
}

Result<RefPtr<mnt_namespace>> create_mnt_ns(RefPtr<dentry> root, const char* devname) {
    RefPtr<mnt_namespace> ns = TRY(make_ref<mnt_namespace>());
    RefPtr<vfsmount> mnt = TRY(alloc_vfsmnt(std::move(root), devname));
    ns->root = mnt;
    const spinlock_guard guard(mount_lock);
    attach_locked(*ns, std::move(mnt), nullptr, nullptr);
    return ns;
}

Result<RefPtr<mnt_namespace>> copy_mnt_ns(mnt_namespace& old, path& root, path& pwd) {
    const mutex_guard serial(namespace_mutex);
    RefPtr<mnt_namespace> ns = TRY(make_ref<mnt_namespace>());
    for (vfsmount& original : old.list) {
        RefPtr<vfsmount> copy = TRY(clone_mnt(original, original.mnt_root));
        vfsmount* parent = counterpart(old, *ns, original.mnt_parent);
        const spinlock_guard guard(mount_lock);
        attach_locked(*ns, std::move(copy), parent, original.mnt_mountpoint);
    }
    ns->root = RefPtr<vfsmount>(counterpart(old, *ns, old.root.get()));
    for (path* place : {&root, &pwd}) {
        vfsmount* moved = counterpart(old, *ns, place->mnt.get());
        if (moved != nullptr) place->mnt = RefPtr<vfsmount>(moved);
    }
    return ns;
}

RefPtr<vfsmount> lookup_mnt(const vfsmount& mnt, const dentry& at) {
    const spinlock_guard guard(mount_lock);
    if (at.d_mounted == 0 || mnt.mnt_ns == nullptr) return nullptr;
    for (vfsmount& candidate : mnt.mnt_ns->list) {
        if (candidate.mnt_parent == &mnt && candidate.mnt_mountpoint.get() == &at) {
            ++candidate.mnt_uses;
            return RefPtr<vfsmount>(&candidate);
        }
    }
    return nullptr;
}

void follow_mounts(path& p) {
    while (RefPtr<vfsmount> over = lookup_mnt(*p.mnt, *p.dentry)) {
        p.dentry = over->mnt_root;
        p.mnt = std::move(over);
    }
}

bool follow_up(path& p) {
    path up;
    {
        const spinlock_guard guard(mount_lock);
        vfsmount* parent = p.mnt->mnt_parent;
        if (parent == nullptr) return false;
        up.mnt = RefPtr<vfsmount>(parent);
        up.dentry = p.mnt->mnt_mountpoint;
    }
    p = std::move(up);
    return true;
}

Result<> mnt_may_write(const vfsmount& mnt) {
    const bool readonly = (mnt.mnt_flags & MNT_READONLY) != 0 || mnt.mnt_root->sb().s_readonly;
    return readonly ? Result<>(Errno::RoFs) : Result<>();
}

RefPtr<vfsmount> next_mnt(const mnt_namespace& ns, const vfsmount* after) {
    const spinlock_guard guard(mount_lock);
    if (after != nullptr && after->mnt_ns != &ns) return nullptr;
    return RefPtr<vfsmount>(after != nullptr ? ns.list.next(*after) : ns.list.front());
}

int parent_mnt_id(const vfsmount& mnt) {
    const spinlock_guard guard(mount_lock);
    return mnt.mnt_parent != nullptr ? mnt.mnt_parent->mnt_id : mnt.mnt_id;
}

void register_filesystem(const file_system_type& type) {
    for (const file_system_type*& slot : types) {
        if (slot == nullptr) {
            slot = &type;
            return;
        }
    }
    BUG_ON(true);
}

const file_system_type* nth_filesystem(size_t n) { return n < kMaxTypes ? types[n] : nullptr; }

const file_system_type* get_fs_type(const char* name) {
    for (const file_system_type* type : types) {
        if (type != nullptr && strcmp(type->name, name) == 0) return type;
    }
    return nullptr;
}

}  // namespace guest
