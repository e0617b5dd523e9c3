// mount and umount2: file systems by name, bind mounts, moving mounts, new flags (man 2 mount).
#include "guest/fs/dentry.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr uint64_t kMsRdOnly = 1, kMsNosuid = 2, kMsNodev = 4, kMsNoexec = 8;
constexpr uint64_t kMsRemount = 32;
constexpr uint64_t kMsNoatime = 1024, kMsNodiratime = 2048;
constexpr uint64_t kMsBind = 4096, kMsMove = 8192, kMsRec = 16384;
constexpr uint64_t kMsPropagation = 0x1e0000;  // MS_UNBINDABLE, PRIVATE, SLAVE, SHARED
constexpr uint64_t kMsRelatime = 1 << 21, kMsStrictatime = 1 << 24;
constexpr uint64_t kMsMagicMask = 0xffff0000, kMsMagic = 0xc0ed0000;  // of the time before Linux 2.4

constexpr uint32_t kMntForce = 1;
constexpr uint32_t kMntDetach = 2;
constexpr uint32_t kMntExpire = 4;
constexpr uint32_t kUmountNoFollow = 8;

Result<path> lookup(UserPath name, bool follow) {
    const KBuffer text = TRY(getname(name));
    return user_path_at(abi::kAtFdCwd, text.data(), {.follow = follow});
}

// mount's data, at most a page of text; empty if there is none.
Result<KBuffer> copy_options(UserPtr<const char> data) {
    KBuffer text = TRY(KBuffer::allocate(kPageSize));
    text.data()[0] = '\0';
    if (!data) return text;
    const size_t length = TRY(strncpy_from_user(text.data(), data, kPageSize));
    text.data()[length < kPageSize ? length : kPageSize - 1] = '\0';
    return text;
}

Result<RefPtr<dentry>> new_file_system(UserPath type, UserPtr<const char> data) {
    if (!type) return Errno::Inval;
    const KBuffer name = TRY(getname(type));
    const file_system_type* fs = get_fs_type(name.data());
    if (fs == nullptr) return Errno::NoDev;
    const KBuffer options = TRY(copy_options(data));
    return fs->mount(*fs, options.data());
}

bool has(uint64_t flags, uint64_t bit) { return (flags & bit) != 0; }

uint32_t mount_flags(uint64_t flags) {
    uint32_t out = 0;
    if (has(flags, kMsRdOnly)) out |= MNT_READONLY;
    if (has(flags, kMsNosuid)) out |= MNT_NOSUID;
    if (has(flags, kMsNodev)) out |= MNT_NODEV;
    if (has(flags, kMsNoexec)) out |= MNT_NOEXEC;
    if (has(flags, kMsNodiratime)) out |= MNT_NODIRATIME;
    if (has(flags, kMsNoatime)) {
        out |= MNT_NOATIME;
    } else if (!has(flags, kMsStrictatime)) {
        out |= MNT_RELATIME;
    }
    return out;
}

// What is said of access times nothing is changed about (man 2 mount: "Remounting an existing mount").
uint32_t remount_flags(const vfsmount& mnt, uint64_t flags) {
    constexpr uint32_t kAtimeFlags = MNT_NOATIME | MNT_NODIRATIME | MNT_RELATIME;
    const uint32_t fresh = mount_flags(flags);
    if (has(flags, kMsNoatime | kMsNodiratime | kMsRelatime | kMsStrictatime)) return fresh;
    return (fresh & ~kAtimeFlags) | (mnt.mnt_flags & kAtimeFlags);
}

Result<> do_remount(const path& where, uint64_t flags, UserPtr<const char> data) {
    if (where.dentry != where.mnt->mnt_root) return Errno::Inval;
    const uint32_t fresh = remount_flags(*where.mnt, flags);
    if (has(flags, kMsBind)) return set_mount_flags(*where.mnt, fresh);
    super_block& sb = where.dentry->sb();
    const KBuffer options = TRY(copy_options(data));
    if (sb.s_op.remount != nullptr) TRY(sb.s_op.remount(sb, options.data()));
    TRY(set_mount_flags(*where.mnt, fresh));
    sb.s_readonly = has(flags, kMsRdOnly);
    return {};
}

// The root of a file system that may not come to be mounted after all: it has to let its names go then, as it
// does when its last mount is gone.
class NewRoot {
public:
    explicit NewRoot(RefPtr<dentry> root) : root_(std::move(root)) {}
    NewRoot(const NewRoot&) = delete;
    NewRoot& operator=(const NewRoot&) = delete;
    ~NewRoot() {
        super_block& sb = root_->sb();
        if (sb.s_active.load() == 0 && sb.s_op.kill_sb != nullptr) sb.s_op.kill_sb(sb);
    }
    [[nodiscard]] const RefPtr<dentry>& get() const { return root_; }

private:
    RefPtr<dentry> root_;
};

Result<> do_new_mount(UserPath source, const path& where, UserPath type, uint64_t flags,
                      UserPtr<const char> data) {
    const NewRoot root(TRY(new_file_system(type, data)));
    if (has(flags, kMsRdOnly)) root.get()->sb().s_readonly = true;
    if (!source) return do_add_mount(root.get(), where, mount_flags(flags));
    const KBuffer device = TRY(getname(source));
    return do_add_mount(root.get(), where, mount_flags(flags), device.data());
}

}  // namespace

Result<long> sys_mount(UserPath source, UserPath target, UserPath type, uint64_t flags,
                       UserPtr<const char> data) {
    if ((flags & kMsMagicMask) == kMsMagic) flags &= ~kMsMagicMask;
    const path where = TRY(lookup(target, true));
    if (!capable(kCapSysAdmin)) return Errno::Perm;
    if (has(flags, kMsRemount)) {
        TRY(do_remount(where, flags, data));
    } else if (has(flags, kMsBind)) {
        const path from = TRY(lookup(source, true));
        TRY(do_bind(from, where, has(flags, kMsRec) ? BindDepth::Tree : BindDepth::One));
    } else if (has(flags, kMsPropagation)) {
        // Mounts are not propagated anywhere: each is private already.
        if (where.dentry != where.mnt->mnt_root) return Errno::Inval;
    } else if (has(flags, kMsMove)) {
        TRY(do_move_mount(TRY(lookup(source, true)), where));
    } else {
        TRY(do_new_mount(source, where, type, flags, data));
    }
    return 0;
}

Result<long> sys_umount2(UserPath target, uint32_t flags) {
    if ((flags & ~(kMntForce | kMntDetach | kMntExpire | kUmountNoFollow)) != 0) return Errno::Inval;
    const path where = TRY(lookup(target, (flags & kUmountNoFollow) == 0));
    if (!capable(kCapSysAdmin)) return Errno::Perm;
    const bool expire = (flags & kMntExpire) != 0;
    if (expire && (flags & (kMntForce | kMntDetach)) != 0) return Errno::Inval;
    TRY(do_umount(where, (flags & kMntDetach) != 0 ? Umount::Detach
                         : expire                  ? Umount::Expire
                                                   : Umount::IfIdle));
    return 0;
}

}  // namespace guest
