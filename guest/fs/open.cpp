// open: from a path to an open file description, making the file if asked to.
#include "guest/fs/file.hpp"
#include "guest/fs/inode.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/fs/walk.hpp"
#include "guest/lib/format.hpp"

namespace guest {

namespace {

bool has(uint32_t flags, uint32_t bit) { return (flags & bit) != 0; }

bool wants_write(uint32_t flags) {
    return (flags & abi::kOAccMode) != abi::kORdOnly || has(flags, abi::kOTrunc);
}

uint32_t rights_needed(uint32_t flags) {
    const uint32_t access = flags & abi::kOAccMode;
    uint32_t mask = 0;
    if (access != abi::kOWrOnly) mask |= abi::kReadOk;
    if (access != abi::kORdOnly || has(flags, abi::kOTrunc)) mask |= abi::kWriteOk;
    return mask;
}

// Combinations that open(2) refuses before it looks at the path.
Result<> check_flags(uint32_t flags) {
    if (has(flags, abi::kOTmpFile)) {
        const bool writes = (flags & abi::kOAccMode) != abi::kORdOnly;
        const bool whole = has(flags, abi::kODirectory) && !has(flags, abi::kOCreat);
        return whole && writes ? Result<>() : Result<>(Errno::Inval);
    }
    if (has(flags, abi::kOCreat) && has(flags, abi::kODirectory)) return Errno::Inval;
    return {};
}

// May what was found be opened with these flags?
Result<> may_open(const path& p, uint32_t flags) {
    const inode& node = *p.dentry->d_inode;
    if (has(flags, abi::kODirectory) && !abi::is_dir(node.i_mode)) return Errno::NotDir;
    if (has(flags, abi::kOPath)) return {};
    if (abi::is_lnk(node.i_mode)) return Errno::Loop;
    if (abi::is_dir(node.i_mode) && (wants_write(flags) || has(flags, abi::kOCreat))) return Errno::IsDir;
    if ((abi::is_chr(node.i_mode) || abi::is_blk(node.i_mode)) && (p.mnt->mnt_flags & MNT_NODEV) != 0)
        return Errno::Access;
    // A device can be written to, and a pipe, wherever its name is.
    if (wants_write(flags) && abi::is_reg(node.i_mode)) TRY(mnt_may_write(*p.mnt));
    TRY(inode_permission(node, rights_needed(flags)));
    if (has(flags, abi::kONoAtime) && !inode_owner_or_capable(node)) return Errno::Perm;
    return {};
}

Result<> create_file(dentry& dir, dentry& child, abi::umode_t mode) {
    inode& node = *dir.d_inode;
    TRY(inode_permission(node, abi::kWriteOk | abi::kExecOk));
    if (node.i_op->create == nullptr) return Errno::Access;
    return node.i_op->create(node, child, mode & abi::kIAllUgo);
}

// The last component, made if it is not there and flags ask for it.
struct opened {
    RefPtr<dentry> child;
    bool created = false;
};
Result<opened> lookup_or_create(path_walk& walk, uint32_t flags, abi::umode_t mode) {
    if (!has(flags, abi::kOCreat)) return opened{TRY(lookup_child(walk.dir(), walk.name()))};
    // What open makes is no directory, whether it exists or not.
    if (walk.trailing_slash()) return Errno::IsDir;
    const mutex_guard guard(walk.dir_inode().i_mutex);
    RefPtr<dentry> child = TRY(lookup_child_locked(walk.dir(), walk.name()));
    if (child->is_negative()) {
        TRY(mnt_may_write(*walk.parent().mnt));
        TRY(create_file(walk.dir(), *child, mode));
        return opened{std::move(child), true};
    }
    if (has(flags, abi::kOExcl)) return Errno::Exist;
    return opened{std::move(child)};
}

Result<RefPtr<file>> open_found(path p, uint32_t flags, bool created) {
    if (!created) TRY(may_open(p, flags));
    inode& node = *p.dentry->d_inode;
    const bool truncate = has(flags, abi::kOTrunc) && !created && abi::is_reg(node.i_mode);
    // O_TRUNC writes, even through a description that only reads.
    if (truncate) TRY(get_write_access(node));
    Result<RefPtr<file>> f = dentry_open(std::move(p), flags);
    if (truncate) {
        Result<> emptied = f.ok() ? do_truncate(node, 0) : Result<>(f.error());
        put_write_access(node);
        TRY(std::move(emptied));
    }
    if (f.ok() && created) f.value()->f_mode |= file::kCreated;
    return f;
}

// O_TMPFILE: a file in the directory's file system that has no name. It is shown as "#NUMBER (deleted)", and
// can be given a name by linkat unless O_EXCL was said.
Result<RefPtr<file>> open_tmpfile(const walk_start& start, const char* name, uint32_t flags,
                                  abi::umode_t mode) {
    path place = TRY(path_lookup(start, name, {.follow = !has(flags, abi::kONoFollow), .directory = true}));
    inode& dir = *place.dentry->d_inode;
    TRY(mnt_may_write(*place.mnt));
    TRY(inode_permission(dir, abi::kWriteOk | abi::kExecOk));
    if (dir.i_op->tmpfile == nullptr) return Errno::OpNotSupp;
    RefPtr<inode> node = TRY(dir.i_op->tmpfile(dir, mode & abi::kIAllUgo));
    node->i_linkable = !has(flags, abi::kOExcl);
    char text[24];
    const size_t length = scnprintf(text, sizeof(text), "#%lu", node->i_ino);
    RefPtr<dentry> child = TRY(d_alloc(*place.dentry, qstr(text, length)));
    child->d_inode = std::move(node);
    place.dentry = std::move(child);
    return dentry_open(std::move(place), flags);
}

}  // namespace

Result<RefPtr<file>> do_filp_open(const walk_start& start, const char* name, uint32_t flags,
                                  abi::umode_t mode) {
    if (has(flags, abi::kOPath)) flags &= abi::kOPath | abi::kODirectory | abi::kONoFollow | abi::kOCloExec;
    TRY(check_flags(flags));
    if (name[0] == '\0') return Errno::NoEnt;
    if (name[0] == '/' && has(start.resolve, abi::kResolveBeneath)) return Errno::XDev;
    if (has(flags, abi::kOTmpFile)) return open_tmpfile(start, name, flags, mode);
    path_walk walk(start, name);
    TRY(walk.to_parent());
    for (;;) {
        if (walk.last() != path_walk::Last::Name) {
            if (has(flags, abi::kOCreat)) return has(flags, abi::kOExcl) ? Errno::Exist : Errno::IsDir;
            return open_found(TRY(walk.last_place()), flags, false);
        }
        opened last = TRY(lookup_or_create(walk, flags, mode));
        if (last.child->is_negative()) return Errno::NoEnt;
        path found(walk.parent().mnt, last.child);
        const bool follow = !has(flags, abi::kONoFollow) || walk.trailing_slash();
        if (walk.trailing_slash()) flags |= abi::kODirectory;
        if (abi::is_lnk(last.child->d_inode->i_mode) && follow) {
            found = TRY(walk.follow_last(*last.child));
            if (!found) continue;
        }
        TRY(walk.enter_mounts(found));
        return open_found(std::move(found), flags, last.created);
    }
}

Result<RefPtr<file>> do_open_exec(const walk_start& start, const char* name, lookup_flags flags) {
    path found = TRY(path_lookup(start, name, flags));
    inode& node = *found.dentry->d_inode;
    if (abi::is_lnk(node.i_mode)) return Errno::Loop;
    if (!abi::is_reg(node.i_mode) || (found.mnt->mnt_flags & MNT_NOEXEC) != 0) return Errno::Access;
    TRY(inode_permission(node, abi::kExecOk));
    RefPtr<file> f = TRY(dentry_open(std::move(found), abi::kORdOnly));
    TRY(deny_write_access(node));
    f->f_mode |= file::kExec;
    return f;
}

}  // namespace guest
