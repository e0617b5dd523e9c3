// Bringing the file layer up.
#include "guest/fs/initramfs.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/special.hpp"
#include "guest/fs/tmpfs.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/lib/printk.hpp"

namespace guest {

namespace {

Result<vfs_root> make_root() {
    TRY(pipefs_init());
    RefPtr<dentry> root = TRY(rootfs_type.mount(rootfs_type, nullptr));
    RefPtr<mnt_namespace> ns = TRY(create_mnt_ns(root, "rootfs"));
    path place(ns->root, std::move(root));
    return vfs_root{std::move(ns), std::move(place)};
}

}  // namespace

vfs_root vfs_init(const void* initramfs, size_t bytes) {
    register_filesystem(rootfs_type);
    register_filesystem(tmpfs_type);
    register_filesystem(ramfs_type);
    mem_devices_init();
    Result<vfs_root> made = make_root();
    if (!made.ok()) panic("VFS: out of memory for the root file system");
    vfs_root root = made.release_value();
    if (bytes == 0) panic("VFS: no initramfs");
    const cpio_error wrong = unpack_initramfs(root.root, initramfs, bytes);
    if (wrong.reason != nullptr) panic("VFS: bad initramfs at byte %zu: %s", wrong.offset, wrong.reason);
    return root;
}

}  // namespace guest
