// devpts. As in tmpfs, each name holds a reference to its dentry; names come and go with the pairs alone.
#include "guest/fs/devpts.hpp"

#include "guest/fs/mount.hpp"
#include "guest/fs/mount_options.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/seq_file.hpp"
#include "guest/fs/special.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/lib/format.hpp"
#include "guest/lib/panic.hpp"
#include "guest/lib/string.hpp"

namespace guest {

constinit mutex devpts_mutex;

namespace {

constexpr uint64_t kDevptsMagic = 0x1cd1;
constexpr uint64_t kPtmxIno = 2, kFirstPtsIno = 3;
constexpr abi::dev_t kPtmxDev = abi::make_dev(kTtyAuxMajor, 2);

// What mount's options set.
struct devpts_settings {
    bool set_uid = false, set_gid = false;
    uint32_t uid = 0, gid = 0;
    abi::umode_t mode = 0600;
    abi::umode_t ptmx_mode = 0;
    uint32_t max = kMaxPtys;
};

struct devpts_sb_info {
    KMEM_CACHED()
    devpts_settings settings;
    RefPtr<dentry> ptmx;
    spinlock_t lock;
    uint64_t used[kMaxPtys / 64] = {};
};
DEFINE_KMEM_CACHE(devpts_sb_info)

constinit Atomic<uint32_t> in_use{0};

devpts_sb_info& info_of(const super_block& sb) { return *static_cast<devpts_sb_info*>(sb.s_fs_info); }

Result<devpts_settings> parse(const char* data) {
    devpts_settings out;
    mount_options options = TRY(mount_options::parse(data));
    while (options.next()) {
        if (options.is("newinstance")) continue;  // each is
        if (options.is("uid")) {
            out.uid = static_cast<uint32_t>(TRY(options.number(10)));
            out.set_uid = true;
        } else if (options.is("gid")) {
            out.gid = static_cast<uint32_t>(TRY(options.number(10)));
            out.set_gid = true;
        } else if (options.is("mode")) {
            out.mode = static_cast<abi::umode_t>(TRY(options.number(8)) & abi::kIAllUgo);
        } else if (options.is("ptmxmode")) {
            out.ptmx_mode = static_cast<abi::umode_t>(TRY(options.number(8)) & abi::kIAllUgo);
        } else if (options.is("max")) {
            const uint64_t max = TRY(options.number(10));
            if (max > kMaxPtys) return Errno::Inval;
            out.max = static_cast<uint32_t>(max);
        } else {
            return Errno::Inval;
        }
    }
    return out;
}

Result<> devpts_lookup(inode&, dentry& child) {
    d_add(child, nullptr);
    return {};
}

constexpr inode_operations kDirectoryInode{.lookup = devpts_lookup};
constexpr file_operations kDirectoryFile{
    .llseek = dcache_dir_llseek, .read = generic_read_dir, .iterate = dcache_readdir, .fsync = noop_fsync};
constexpr inode_operations kNodeInode{};

Result<RefPtr<inode>> device_inode(super_block& sb, uint64_t ino, abi::umode_t mode, abi::dev_t dev) {
    RefPtr<inode> node = TRY(make_ref<inode>(sb, ino, abi::kIfChr | mode));
    node->i_op = &kNodeInode;
    init_special_inode(*node, dev);
    node->i_atime = node->i_mtime = node->i_ctime = current_time();
    return node;
}

// Makes a name in the root, and pins it.
Result<RefPtr<dentry>> add_name(dentry& root, const char* name, RefPtr<inode> node) {
    const mutex_guard guard(root.d_inode->i_mutex);
    RefPtr<dentry> child = TRY(lookup_child_locked(root, qstr(name, strlen(name))));
    d_instantiate(*child, std::move(node));
    child->get();
    return child;
}

void devpts_kill(super_block& sb) {
    info_of(sb).ptmx.reset();
    d_genocide(*sb.s_root);
}
void devpts_put_super(super_block& sb) { delete static_cast<devpts_sb_info*>(sb.s_fs_info); }

Result<> devpts_remount(super_block& sb, const char* data) {
    devpts_sb_info& info = info_of(sb);
    info.settings = TRY(parse(data));
    inode& ptmx = *info.ptmx->d_inode;
    const spinlock_guard guard(ptmx.i_lock);
    ptmx.i_mode = abi::kIfChr | info.settings.ptmx_mode;
    return {};
}

void devpts_show_options(const super_block& sb, seq_file& m) {
    const devpts_settings& settings = info_of(sb).settings;
    if (settings.set_uid) m.printf(",uid=%u", settings.uid);
    if (settings.set_gid) m.printf(",gid=%u", settings.gid);
    m.printf(",mode=%03o,ptmxmode=%03o", settings.mode, settings.ptmx_mode);
    if (settings.max != kMaxPtys) m.printf(",max=%u", settings.max);
}

constexpr super_operations kDevptsSuper{.kill_sb = devpts_kill,
                                        .put_super = devpts_put_super,
                                        .remount = devpts_remount,
                                        .show_options = devpts_show_options};

Result<RefPtr<dentry>> devpts_mount(const file_system_type& type, const char* data) {
    const devpts_settings settings = TRY(parse(data));
    RefPtr<super_block> sb = TRY(make_ref<super_block>(type, kDevptsSuper, kDevptsMagic));
    auto* info = new (nothrow) devpts_sb_info;
    if (info == nullptr) return Errno::NoMem;
    sb->s_fs_info = info;
    info->settings = settings;
    RefPtr<inode> dir = TRY(new_inode(*sb, nullptr, abi::kIfDir | 0755));
    dir->i_op = &kDirectoryInode;
    dir->i_fop = &kDirectoryFile;
    dir->i_nlink = 2;
    RefPtr<dentry> root = TRY(d_make_root(std::move(dir)));
    sb->s_root = root.get();
    info->ptmx = TRY(add_name(*root, "ptmx", TRY(device_inode(*sb, kPtmxIno, settings.ptmx_mode, kPtmxDev))));
    return root;
}

constexpr file_system_type kDevptsType{"devpts", devpts_mount};

bool is_devpts(const dentry& d) { return d.sb().s_magic == kDevptsMagic; }

}  // namespace

void devpts_init() { register_filesystem(kDevptsType); }

Result<path> devpts_of_ptmx(const path& ptmx) {
    if (is_devpts(*ptmx.dentry)) return path(ptmx.mnt, RefPtr<dentry>(ptmx.dentry->sb().s_root));
    const RefPtr<dentry> dir = dget_parent(*ptmx.dentry);
    constexpr char kPts[] = "pts";
    path place(ptmx.mnt, TRY(lookup_child(*dir, qstr(kPts, sizeof(kPts) - 1))));
    follow_mounts(place);
    if (!is_devpts(*place.dentry) || !place.dentry->is_root()) return Errno::NoDev;
    return place;
}

Result<uint32_t> devpts_new_index(super_block& sb) {
    devpts_sb_info& info = info_of(sb);
    const spinlock_guard guard(info.lock);
    for (uint32_t index = 0; index < info.settings.max; ++index) {
        uint64_t& word = info.used[index / 64];
        const uint64_t bit = uint64_t{1} << index % 64;
        if ((word & bit) != 0) continue;
        word |= bit;
        in_use.fetch_add(1);
        return index;
    }
    return Errno::NoSpc;
}

void devpts_free_index(super_block& sb, uint32_t index) {
    devpts_sb_info& info = info_of(sb);
    const spinlock_guard guard(info.lock);
    info.used[index / 64] &= ~(uint64_t{1} << index % 64);
    in_use.fetch_sub(1);
}

uint32_t devpts_in_use() { return in_use.load(); }

Result<RefPtr<dentry>> devpts_new_name(dentry& root, uint32_t index, abi::dev_t dev, void* what) {
    super_block& sb = root.sb();
    const devpts_settings settings = info_of(sb).settings;
    char name[16];
    scnprintf(name, sizeof(name), "%u", index);
    RefPtr<inode> node = TRY(device_inode(sb, kFirstPtsIno + index, settings.mode, dev));
    node->i_uid = settings.set_uid ? settings.uid : current_cred().fsuid;
    node->i_gid = settings.set_gid ? settings.gid : current_cred().fsgid;
    node->i_private = what;
    return add_name(root, name, std::move(node));
}

void devpts_remove_name(dentry& name) {
    {
        const mutex_guard guard(devpts_mutex);
        name.d_inode->i_private = nullptr;
    }
    const RefPtr<dentry> dir = dget_parent(name);
    const mutex_guard guard(dir->d_inode->i_mutex);
    // It is gone already if nobody has the file system mounted any more.
    if (!name.is_hashed()) return;
    drop_nlink(*name.d_inode);
    d_drop(name);
    name.put();
}

void* devpts_private(const inode& node) {
    return node.i_sb->s_magic == kDevptsMagic ? node.i_private : nullptr;
}

}  // namespace guest
