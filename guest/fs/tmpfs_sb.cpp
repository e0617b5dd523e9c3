// Mounting a tmpfs, a ramfs or the root file system, and what can be set and asked of it (man 5 tmpfs).
#include "guest/fs/tmpfs_sb.hpp"

#include "guest/fs/dentry.hpp"
#include "guest/fs/mount_options.hpp"
#include "guest/fs/seq_file.hpp"
#include "guest/fs/tmpfs.hpp"
#include "guest/mm/page.hpp"

namespace guest {

DEFINE_KMEM_CACHE(tmpfs_sb_info)

namespace {

constexpr uint64_t kTmpfsMagic = 0x01021994;
constexpr uint64_t kRamfsMagic = 0x858458f6;

// Half of RAM in contents, and a file for each of its pages, unless something else is said.
tmpfs_settings defaults() {
    return {.max_blocks = total_ram_pages() / 2, .max_inodes = total_ram_pages() / 2};
}

Result<tmpfs_settings> parse(const char* data, tmpfs_settings out) {
    mount_options options = TRY(mount_options::parse(data));
    while (options.next()) {
        if (options.is("size")) {
            out.max_blocks = (TRY(options.size(total_ram_pages() * kPageSize)) + kPageSize - 1) / kPageSize;
        } else if (options.is("nr_blocks")) {
            out.max_blocks = TRY(options.size(total_ram_pages()));
        } else if (options.is("nr_inodes")) {
            out.max_inodes = TRY(options.size(total_ram_pages()));
        } else if (options.is("mode")) {
            out.mode = static_cast<abi::umode_t>(TRY(options.number(8)) & 07777);
        } else if (options.is("uid")) {
            out.uid = static_cast<uint32_t>(TRY(options.number(10)));
        } else if (options.is("gid")) {
            out.gid = static_cast<uint32_t>(TRY(options.number(10)));
        } else {
            return Errno::Inval;
        }
    }
    return out;
}

void tmpfs_kill(super_block& sb) { d_genocide(*sb.s_root); }

void tmpfs_put_super(super_block& sb) { delete static_cast<tmpfs_sb_info*>(sb.s_fs_info); }

Result<> tmpfs_statfs(super_block& sb, abi::Statfs& out) {
    const tmpfs_sb_info& info = tmpfs_info(sb);
    if (info.settings.max_blocks != 0) {
        out.f_blocks = info.settings.max_blocks;
        out.f_bfree = out.f_bavail = info.settings.max_blocks - info.used_blocks.load();
    }
    if (info.settings.max_inodes != 0) {
        out.f_files = info.settings.max_inodes;
        out.f_ffree = info.settings.max_inodes - info.used_inodes.load();
    }
    return {};
}

// New limits, unless more is used already. The root keeps its owner and mode.
Result<> tmpfs_remount(super_block& sb, const char* data) {
    tmpfs_sb_info& info = tmpfs_info(sb);
    const tmpfs_settings fresh = TRY(parse(data, info.settings));
    const auto holds = [](uint64_t limit, uint64_t used) { return limit == 0 || used <= limit; };
    if (!holds(fresh.max_blocks, info.used_blocks.load()) ||
        !holds(fresh.max_inodes, info.used_inodes.load()))
        return Errno::Inval;
    info.settings = fresh;
    return {};
}

void tmpfs_show_options(const super_block& sb, seq_file& m) {
    const tmpfs_settings& now = tmpfs_info(sb).settings;
    const tmpfs_settings usual = defaults();
    if (now.max_blocks != usual.max_blocks) m.printf(",size=%luk", now.max_blocks * (kPageSize / 1024));
    if (now.max_inodes != usual.max_inodes) m.printf(",nr_inodes=%lu", now.max_inodes);
    if (now.mode != usual.mode) m.printf(",mode=%03o", now.mode);
    if (now.uid != 0) m.printf(",uid=%u", now.uid);
    if (now.gid != 0) m.printf(",gid=%u", now.gid);
}

constexpr super_operations kTmpfsSuper{.evict_inode = tmpfs_evict,
                                       .kill_sb = tmpfs_kill,
                                       .put_super = tmpfs_put_super,
                                       .statfs = tmpfs_statfs,
                                       .remount = tmpfs_remount,
                                       .show_options = tmpfs_show_options};
// Without limits, and without options: what is said of it does not matter.
constexpr super_operations kRamfsSuper{
    .evict_inode = tmpfs_evict, .kill_sb = tmpfs_kill, .put_super = tmpfs_put_super};

Result<RefPtr<dentry>> fill_super(const file_system_type& type, const super_operations& ops, uint64_t magic,
                                  const tmpfs_settings& settings) {
    RefPtr<super_block> sb = TRY(make_ref<super_block>(type, ops, magic));
    sb->s_fs_info = new (nothrow) tmpfs_sb_info(settings);
    if (sb->s_fs_info == nullptr) return Errno::NoMem;
    RefPtr<dentry> root = TRY(d_make_root(TRY(tmpfs_root_inode(*sb))));
    sb->s_root = root.get();
    return root;
}

Result<RefPtr<dentry>> tmpfs_mount(const file_system_type& type, const char* data) {
    return fill_super(type, kTmpfsSuper, kTmpfsMagic, TRY(parse(data, defaults())));
}

Result<RefPtr<dentry>> ramfs_mount(const file_system_type& type, const char*) {
    return fill_super(type, kRamfsSuper, kRamfsMagic, {.mode = 0755});
}

}  // namespace

constinit const file_system_type tmpfs_type{"tmpfs", tmpfs_mount};
constinit const file_system_type ramfs_type{"ramfs", ramfs_mount};
constinit const file_system_type rootfs_type{"rootfs", ramfs_mount};

}  // namespace guest
