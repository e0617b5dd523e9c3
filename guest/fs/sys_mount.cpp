// mount and umount2: file systems by name, and bind mounts.
#include "guest/fs/dentry.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr uint64_t kMsNosuid = 2, kMsNodev = 4, kMsNoexec = 8;
constexpr uint64_t kMsRemount = 32;
constexpr uint64_t kMsBind = 4096;
constexpr uint64_t kMsPropagation = 0x1e0000;  // MS_UNBINDABLE, PRIVATE, SLAVE, SHARED

constexpr uint32_t kMntForce = 1;
constexpr uint32_t kMntDetach = 2;
constexpr uint32_t kUmountNoFollow = 8;

Result<path> lookup(UserPath name, bool follow) {
    const KBuffer text = TRY(getname(name));
    return user_path_at(abi::kAtFdCwd, text.data(), {.follow = follow});
}

Result<RefPtr<dentry>> new_file_system(UserPath type, UserPtr<const char> data) {
    if (!type) return Errno::Inval;
    const KBuffer name = TRY(getname(type));
    const file_system_type* fs = get_fs_type(name.data());
    if (fs == nullptr) return Errno::NoDev;
    if (!data) return fs->mount(*fs, nullptr);
    const KBuffer options = TRY(getname(data));
    return fs->mount(*fs, options.data());
}

uint32_t mount_flags(uint64_t flags) {
    return ((flags & kMsNosuid) != 0 ? MNT_NOSUID : 0) | ((flags & kMsNodev) != 0 ? MNT_NODEV : 0) |
           ((flags & kMsNoexec) != 0 ? MNT_NOEXEC : 0);
}

Result<long> do_remount(const path& where, uint64_t flags) {
    if (where.dentry != where.mnt->mnt_root) return Errno::Inval;
    where.mnt->mnt_flags = mount_flags(flags);
    return 0;
}

}  // namespace

Result<long> sys_mount(UserPath source, UserPath target, UserPath type, uint64_t flags,
                       UserPtr<const char> data) {
    const path where = TRY(lookup(target, true));
    if (!capable(kCapSysAdmin)) return Errno::Perm;
    // Mounts are not propagated anywhere: each is private already.
    if ((flags & kMsPropagation) != 0) return 0;
    if ((flags & kMsRemount) != 0) return do_remount(where, flags);
    if ((flags & kMsBind) != 0) {
        const path from = TRY(lookup(source, true));
        TRY(do_add_mount(from.dentry, where, from.mnt->mnt_flags, from.mnt->mnt_devname));
        return 0;
    }
    if (!source) {
        TRY(do_add_mount(TRY(new_file_system(type, data)), where, mount_flags(flags)));
        return 0;
    }
    const KBuffer device = TRY(getname(source));
    TRY(do_add_mount(TRY(new_file_system(type, data)), where, mount_flags(flags), device.data()));
    return 0;
}

Result<long> sys_umount2(UserPath target, uint32_t flags) {
    if ((flags & ~(kMntForce | kMntDetach | kUmountNoFollow)) != 0) return Errno::Inval;
    const path where = TRY(lookup(target, (flags & kUmountNoFollow) == 0));
    if (!capable(kCapSysAdmin)) return Errno::Perm;
    TRY(do_umount(where, (flags & kMntDetach) != 0 ? Umount::Detach : Umount::IfIdle));
    return 0;
}

}  // namespace guest
