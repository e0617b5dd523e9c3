// tmpfs: files that live in memory alone. Contents are in the page cache, names in the dentry tree.
#pragma once

#include "guest/fs/inode.hpp"

namespace guest {

extern const file_system_type tmpfs_type;   // "tmpfs"
extern const file_system_type ramfs_type;   // "ramfs": the same without a limit on its size
extern const file_system_type rootfs_type;  // "rootfs": a ramfs that holds the initramfs

}  // namespace guest
