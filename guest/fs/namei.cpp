// Looking paths up.
#include "guest/fs/namei.hpp"

#include "guest/fs/fdtable.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/fs/inode.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/walk.hpp"

namespace guest {

namespace {

// What the cache knows, unless the file system says that it is no longer true.
RefPtr<dentry> lookup_cached(dentry& dir, const qstr& name) {
    RefPtr<dentry> found = d_lookup(dir, name);
    if (found && found->d_op != nullptr && found->d_op->d_revalidate != nullptr &&
        !found->d_op->d_revalidate(*found)) {
        d_drop(*found);
        return nullptr;
    }
    return found;
}

}  // namespace

Result<RefPtr<dentry>> lookup_child_locked(dentry& dir, const qstr& name) {
    if (name.len > abi::kNameMax) return Errno::NameTooLong;
    if (RefPtr<dentry> found = lookup_cached(dir, name)) return found;
    inode& node = *dir.d_inode;
    if (node.i_op->lookup == nullptr) return Errno::NotDir;
    if (node.i_nlink == 0) return Errno::NoEnt;
    RefPtr<dentry> child = TRY(d_alloc(dir, name));
    TRY(node.i_op->lookup(node, *child));
    return child;
}

Result<RefPtr<dentry>> lookup_child(dentry& dir, const qstr& name) {
    if (RefPtr<dentry> found = lookup_cached(dir, name)) return found;
    const mutex_guard guard(dir.d_inode->i_mutex);
    return lookup_child_locked(dir, name);
}

Result<walk_start> start_walk(const fs_struct& fs, const files_struct& files, int dirfd, const char* name) {
    walk_start start{get_fs_root(fs), {}};
    if (name[0] == '/') {
        start.base = start.root;
    } else if (dirfd == abi::kAtFdCwd) {
        start.base = get_fs_pwd(fs);
    } else {
        const RefPtr<file> dir = fget_raw(files, dirfd);
        if (!dir) return Errno::BadF;
        // An empty name means the descriptor itself, whatever it is.
        if (name[0] != '\0' && !abi::is_dir(dir->node().i_mode)) return Errno::NotDir;
        start.base = dir->f_path;
    }
    return start;
}

Result<path> path_lookup(const walk_start& start, const char* name, lookup_flags flags) {
    if (name[0] == '\0') {
        if (!flags.empty) return Errno::NoEnt;
        return start.base;
    }
    path_walk walk(start, name);
    TRY(walk.to_parent());
    for (;;) {
        if (walk.last() != path_walk::Last::Name) return walk.last_place();
        RefPtr<dentry> child = TRY(lookup_child(walk.dir(), walk.name()));
        if (child->is_negative()) return Errno::NoEnt;
        path found(walk.parent().mnt, child);
        const bool must_be_directory = flags.directory || walk.trailing_slash();
        if (abi::is_lnk(child->d_inode->i_mode) && (flags.follow || walk.trailing_slash())) {
            found = TRY(walk.follow_last(*child));
            if (!found) continue;
        }
        follow_mounts(found);
        if (must_be_directory && !abi::is_dir(found.dentry->d_inode->i_mode)) return Errno::NotDir;
        return found;
    }
}

}  // namespace guest
