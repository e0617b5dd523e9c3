// Namespaces as files.
#include "guest/fs/nsfs.hpp"

#include "guest/fs/dentry.hpp"
#include "guest/fs/file.hpp"
#include "guest/fs/inode.hpp"
#include "guest/fs/mount.hpp"
#include "guest/lib/format.hpp"

namespace guest {

namespace {

constexpr uint64_t kNsfsMagic = 0x6e736673;

struct ns_inode : ns_reference {
    KMEM_CACHED()
    explicit ns_inode(ns_reference ns) : ns_reference(std::move(ns)) {}
};
DEFINE_KMEM_CACHE(ns_inode)

const ns_inode& ns_of(const inode& node) { return *static_cast<const ns_inode*>(node.i_private); }

// The object itself and what it is called.
struct Named {
    const void* object;
    const char* name;
};
Named named(const ns_reference& ns) {
    if (ns.ipc) return {ns.ipc.get(), "ipc"};
    if (ns.mnt) return {ns.mnt.get(), "mnt"};
    if (ns.pid) return {ns.pid.get(), "pid"};
    return {ns.uts.get(), "uts"};
}

// No two that are alive have the same: objects are 16 bytes apart at least, and all lie in the last 64 GiB
// below some address.
uint64_t ino_of(const ns_reference& ns) {
    return reinterpret_cast<uint64_t>(named(ns).object) >> 4 & 0xffffffff;
}

size_t nsfs_dname(const dentry& d, char* buffer, size_t size) {
    return scnprintf(buffer, size, "%s:[%lu]", named(ns_of(*d.d_inode)).name, d.d_inode->i_ino);
}

void nsfs_evict(inode& node) { delete static_cast<ns_inode*>(node.i_private); }

constexpr dentry_operations kNsfsDentry{.d_dname = nsfs_dname};
constexpr super_operations kNsfsSuper{.evict_inode = nsfs_evict};
constexpr inode_operations kNsfsInode{};
constexpr file_operations kNsfsFile{};

Result<RefPtr<dentry>> nsfs_mount(const file_system_type& type, const char*) {
    RefPtr<super_block> sb = TRY(make_ref<super_block>(type, kNsfsSuper, kNsfsMagic));
    return d_make_root(TRY(new_inode(*sb, nullptr, abi::kIfDir | 0555)));
}

constexpr file_system_type kNsfsType{"nsfs", nsfs_mount};

// Never let go.
constinit vfsmount* nsfs_mnt = nullptr;

}  // namespace

void nsfs_init() {
    Result<RefPtr<dentry>> root = nsfs_mount(kNsfsType, nullptr);
    if (!root) panic("too little memory for namespaces as files");
    Result<RefPtr<vfsmount>> mnt = make_ref<vfsmount>(root.release_value());
    if (!mnt) panic("too little memory for namespaces as files");
    nsfs_mnt = mnt.release_value().leak();
}

Result<path> ns_get_path(ns_reference ns) {
    const uint64_t ino = ino_of(ns);
    RefPtr<inode> node = TRY(make_ref<inode>(nsfs_mnt->mnt_root->sb(), ino, abi::kIfReg | 0444));
    auto* info = new (nothrow) ns_inode(std::move(ns));
    if (info == nullptr) return Errno::NoMem;
    node->i_private = info;
    node->i_op = &kNsfsInode;
    node->i_fop = &kNsfsFile;
    node->i_atime = node->i_mtime = node->i_ctime = current_time();
    return path(RefPtr<vfsmount>(nsfs_mnt), TRY(d_make_root(std::move(node), &kNsfsDentry)));
}

const ns_reference* ns_of_file(const file& f) {
    const inode& node = f.node();
    return node.i_op == &kNsfsInode ? &ns_of(node) : nullptr;
}

}  // namespace guest
