// Where a task's paths begin.
#include "guest/fs/fs_struct.hpp"

namespace guest {

DEFINE_KMEM_CACHE(fs_struct)

fs_struct* get_fs_struct(fs_struct* fs) {
    fs->get();
    return fs;
}

void put_fs_struct(fs_struct* fs) { fs->put(); }

Result<RefPtr<fs_struct>> copy_fs_struct(const fs_struct& old) {
    const spinlock_guard guard(old.lock);
    return make_ref<fs_struct>(old.root, old.pwd, old.umask);
}

path get_fs_root(const fs_struct& fs) {
    const spinlock_guard guard(fs.lock);
    return fs.root;
}

path get_fs_pwd(const fs_struct& fs) {
    const spinlock_guard guard(fs.lock);
    return fs.pwd;
}

// The old place goes after the lock: letting it go may sleep.
void set_fs_root(fs_struct& fs, path p) {
    const spinlock_guard guard(fs.lock);
    std::swap(fs.root, p);
}

void set_fs_pwd(fs_struct& fs, path p) {
    const spinlock_guard guard(fs.lock);
    std::swap(fs.pwd, p);
}

}  // namespace guest
