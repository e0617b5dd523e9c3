// From a path to a place in the tree of names, and what makes, moves and removes names. Paths are
// zero-terminated kernel strings (getname has copied them).
#pragma once

#include "guest/abi/file.hpp"
#include "guest/fs/dentry.hpp"
#include "guest/fs/path.hpp"
#include "guest/lib/result.hpp"

namespace guest {

struct file;
struct files_struct;
struct fs_struct;
struct inode;

// At most this many symbolic links are followed on one path; then Loop.
inline constexpr unsigned kMaxSymlinks = 40;

// How the last component is taken.
struct lookup_flags {
    bool follow = true;      // a symbolic link at the end
    bool directory = false;  // it must be one: NotDir
    bool empty = false;      // "" means dirfd itself (AT_EMPTY_PATH)
};

// Where a walk starts: root and working directory, and dirfd's directory for relative paths.
struct walk_start {
    path root;
    path base;
    uint32_t resolve = 0;  // abi::kResolve*: where the walk may not lead (man 2 openat2)
};
// dirfd: kAtFdCwd or a descriptor of files. BadF, NotDir.
Result<walk_start> start_walk(const fs_struct& fs, const files_struct& files, int dirfd, const char* name);
// The same for current.
Result<walk_start> start_walk_at(int dirfd, const char* name);

Result<path> path_lookup(const walk_start& start, const char* name, lookup_flags flags);
// For current.
Result<path> user_path_at(int dirfd, const char* name, lookup_flags flags = {});

// The child of that name in the directory dir, from the cache or from the file system; it may be negative.
// NotDir, NoEnt: dir itself was removed. NameTooLong, NoMem.
Result<RefPtr<dentry>> lookup_child(dentry& dir, const qstr& name);
// The same with dir's i_mutex held, so that the answer stays true.
Result<RefPtr<dentry>> lookup_child_locked(dentry& dir, const qstr& name);

// open(2); mode is without umask bits already. NoEnt, Exist, IsDir, NotDir, Access, Loop, TxtBsy ...
Result<RefPtr<file>> do_filp_open(const walk_start& start, const char* name, uint32_t flags,
                                  abi::umode_t mode);
// For current, from its working directory.
Result<RefPtr<file>> filp_open(const char* name, uint32_t flags, abi::umode_t mode = 0);
// For execve: a regular file that current may execute; writers are kept out while it is open. Access, TxtBsy,
// NoEnt ...
Result<RefPtr<file>> do_open_exec(const walk_start& start, const char* name, lookup_flags flags);
Result<RefPtr<file>> open_exec(int dirfd, const char* name, lookup_flags flags = {});

// mkdir(2) and its like; mode is without umask bits already. The errors are those of the manual pages.
Result<> vfs_mkdirat(const walk_start& start, const char* name, abi::umode_t mode);
// What mknod can make, before any name is looked at. Perm: directories; Inval: what is no kind of node.
Result<> check_node_kind(abi::umode_t mode);
Result<> vfs_mknodat(const walk_start& start, const char* name, abi::umode_t mode, abi::dev_t rdev);
// The same, and where it is now.
Result<path> vfs_create_node(const walk_start& start, const char* name, abi::umode_t mode, abi::dev_t rdev);
Result<> vfs_symlinkat(const walk_start& start, const char* name, const char* target);
Result<> vfs_unlinkat(const walk_start& start, const char* name);
Result<> vfs_rmdirat(const walk_start& start, const char* name);
Result<> vfs_linkat(const path& old, const walk_start& start, const char* name);
// Inval: not a combination of flags that renameat2 has.
Result<> check_rename_flags(uint32_t flags);
Result<> vfs_renameat(const walk_start& old_start, const char* old_name, const walk_start& new_start,
                      const char* new_name, uint32_t flags);

}  // namespace guest
