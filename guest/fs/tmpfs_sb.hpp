// One tmpfs: what it was mounted with, and what it holds.
#pragma once

#include "guest/fs/inode.hpp"
#include "guest/lib/atomic.hpp"

namespace guest {

// Mount's options. Limits of 0: none.
struct tmpfs_settings {
    uint64_t max_blocks = 0;  // pages of contents
    uint64_t max_inodes = 0;
    abi::umode_t mode = 01777;  // of the root
    uint32_t uid = 0, gid = 0;
};

struct tmpfs_sb_info {
    KMEM_CACHED()
    explicit tmpfs_sb_info(const tmpfs_settings& options) : settings(options) {}
    tmpfs_settings settings;
    Atomic<uint64_t> used_blocks{0}, used_inodes{0};
};

[[nodiscard]] inline tmpfs_sb_info& tmpfs_info(const super_block& sb) {
    return *static_cast<tmpfs_sb_info*>(sb.s_fs_info);
}

// tmpfs.cpp
Result<RefPtr<inode>> tmpfs_root_inode(super_block& sb);
void tmpfs_evict(inode& node);

}  // namespace guest
