// Where a task's paths begin: root, working directory, umask. Shared between tasks by CLONE_FS (row
// C3), copied by fork (row F12).
#pragma once

#include "guest/abi/file.hpp"
#include "guest/fs/path.hpp"
#include "guest/lib/refcount.hpp"
#include "guest/lib/result.hpp"
#include "guest/lib/spinlock.hpp"
#include "guest/mm/slab.hpp"

namespace guest {

struct fs_struct : RefCounted<fs_struct> {
    KMEM_CACHED()
    fs_struct(path root_at, path pwd_at, abi::umode_t mask)
        : umask(mask), root(std::move(root_at)), pwd(std::move(pwd_at)) {}

    mutable spinlock_t lock;  // everything below
    abi::umode_t umask;
    path root;
    path pwd;
};

// For owners that hold plain pointers. The last put may sleep.
fs_struct* get_fs_struct(fs_struct* fs);
void put_fs_struct(fs_struct* fs);

// NoMem.
Result<RefPtr<fs_struct>> copy_fs_struct(const fs_struct& old);

[[nodiscard]] path get_fs_root(const fs_struct& fs);
[[nodiscard]] path get_fs_pwd(const fs_struct& fs);
void set_fs_root(fs_struct& fs, path p);
void set_fs_pwd(fs_struct& fs, path p);

}  // namespace guest
