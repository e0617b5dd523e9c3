// Names: a dentry ties one name in one directory to an inode. All dentries in memory form the tree
// that a path walk follows and that getcwd reads back.
//
// A dentry lives while something refers to it: an open file, a working directory, a child, a walk in
// progress. A file system whose directories exist only in memory (tmpfs) keeps one reference for every
// name, so that its tree of dentries is the directory; others look a name up again once it was forgotten.
//
// Locks: dcache_lock guards every link of the tree (d_parent, d_name, lists, d_flags). The i_mutex of the
// parent's inode keeps names from coming, going or moving. A reference keeps the dentry alive.
#pragma once

#include "guest/abi/file.hpp"
#include "guest/fs/path.hpp"
#include "guest/lib/list.hpp"
#include "guest/lib/refcount.hpp"
#include "guest/lib/result.hpp"
#include "guest/lib/spinlock.hpp"
#include "guest/mm/slab.hpp"

namespace guest {

struct dentry;
struct inode;
struct super_block;

// One component of a path: not closed by a zero.
struct qstr {
    const char* name = nullptr;
    uint32_t len = 0;
    uint32_t hash = 0;

    qstr() = default;
    qstr(const char* text, size_t length);
};

struct dentry_operations {
    // False: what was looked up is no longer true (a process went away), and the name is dropped.
    bool (*d_revalidate)(dentry& d) = nullptr;
    // The path shown for a dentry outside any tree, such as "pipe:[7]". Its length.
    size_t (*d_dname)(const dentry& d, char* buffer, size_t size) = nullptr;
};

struct dentry {
    KMEM_CACHED()
    enum : uint32_t {
        kHashed = 1,  // found by d_lookup; cleared by d_drop: an unlinked name is "(deleted)"
    };
    static constexpr size_t kInlineName = 40;

    // Of a root or a pseudo file: no name, no parent.
    dentry(const dentry_operations* ops, RefPtr<inode> node);
    // A child, negative, not yet to be found. long_name is memory for the name if kInlineName bytes do not
    // hold it, and is taken over.
    dentry(dentry& parent, const qstr& name, char* long_name);
    dentry(const dentry&) = delete;
    dentry& operator=(const dentry&) = delete;
    ~dentry();

    // For RefPtr. The last put frees the dentry and lets its parent and inode go: it may sleep.
    void get() { d_count.fetch_add(1); }
    void put();
    // With dcache_lock held: false if the last reference has just gone.
    [[nodiscard]] bool try_get();

    [[nodiscard]] bool is_root() const { return !d_parent; }
    [[nodiscard]] bool is_negative() const { return !d_inode; }
    [[nodiscard]] bool is_hashed() const { return (d_flags & kHashed) != 0; }
    [[nodiscard]] super_block& sb() const { return *d_sb; }

    Atomic<int32_t> d_count{1};
    uint32_t d_flags = 0;
    uint32_t d_mounted = 0;   // mounts that stand here, in all namespaces; guarded by mount_lock
    RefPtr<dentry> d_parent;  // null for a root
    RefPtr<inode> d_inode;    // null: the name does not exist
    super_block* d_sb;        // kept alive by the root's inode
    const dentry_operations* d_op = nullptr;
    qstr d_name;  // in d_iname or in d_long_name
    char* d_long_name = nullptr;
    char d_iname[kInlineName];
    uint64_t d_off = 0;       // place in the directory: grows with each name made, never used again
    uint64_t d_next_off = 2;  // of a directory: the next child's
    list_head d_child;        // while it has an inode: in the parent's d_subdirs, in the order of d_off
    list_head d_hash;
    IntrusiveList<dentry, &dentry::d_child> d_subdirs;
};

extern spinlock_t dcache_lock;

// A negative child of a directory, not yet to be found. NoMem.
Result<RefPtr<dentry>> d_alloc(dentry& parent, const qstr& name);
// The root of a file system, or a file outside any tree (pipes, sockets). NoMem.
Result<RefPtr<dentry>> d_make_root(RefPtr<inode> node, const dentry_operations* ops = nullptr);

// The child of that name, if it is known.
[[nodiscard]] RefPtr<dentry> d_lookup(dentry& parent, const qstr& name);
// Gives d its inode (null leaves it negative) and makes it be found.
void d_add(dentry& d, RefPtr<inode> node);
// Gives a negative dentry its inode.
void d_instantiate(dentry& d, RefPtr<inode> node);
// The name is not found any more; who holds the dentry keeps it.
void d_drop(dentry& d);
// Gives d the name and place of target, which is dropped. Both are of one file system.
void d_move(dentry& d, dentry& target);
// d and other change places.
void d_exchange(dentry& d, dentry& other);
[[nodiscard]] RefPtr<dentry> dget_parent(const dentry& d);
// Is d below ancestor, or ancestor itself?
[[nodiscard]] bool is_subdir(const dentry& d, const dentry& ancestor);

// Lets every name below root go that the file system itself kept alive: nobody else refers to them.
void d_genocide(dentry& root);

// Writes the path from root to p at the end of the buffer, closed by a zero, and returns its first
// byte. That of an unlinked file ends in " (deleted)"; what root does not reach begins with "(unreachable)".
// NameTooLong.
Result<char*> d_path(const path& p, const path& root, char* buffer, size_t size);
// The same from the root of d's own file system, wherever that is mounted.
Result<char*> dentry_path(const dentry& d, char* buffer, size_t size);

}  // namespace guest
