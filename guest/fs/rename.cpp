// rename: one name goes to another place, perhaps over something that was there, or two change places.
#include "guest/fs/inode.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/walk.hpp"

namespace guest {

namespace {

// Both directories locked, the upper one first. Without s_rename_mutex another rename could turn that order
// round between our looking and our locking.
class rename_lock {
public:
    rename_lock(dentry& a, dentry& b) : first_(&a), second_(&b) {
        if (&a == &b) {
            second_ = nullptr;
        } else {
            serial_ = &a.sb().s_rename_mutex;
            serial_->lock();
            if (is_subdir(a, b)) std::swap(first_, second_);
        }
        first_->d_inode->i_mutex.lock();
        if (second_ != nullptr) second_->d_inode->i_mutex.lock();
    }
    rename_lock(const rename_lock&) = delete;
    rename_lock& operator=(const rename_lock&) = delete;
    ~rename_lock() {
        if (second_ != nullptr) second_->d_inode->i_mutex.unlock();
        first_->d_inode->i_mutex.unlock();
        if (serial_ != nullptr) serial_->unlock();
    }

private:
    dentry* first_;
    dentry* second_;
    mutex* serial_ = nullptr;
};

bool is_directory(const dentry& d) { return abi::is_dir(d.d_inode->i_mode); }

// What the two names and the flags allow, before rights are looked at.
Result<> check_names(const path_walk& from, const path_walk& to, const dentry& old_child,
                     const dentry& new_child, uint32_t flags) {
    const bool exchange = (flags & abi::kRenameExchange) != 0;
    if (old_child.is_negative()) return Errno::NoEnt;
    if ((flags & abi::kRenameNoReplace) != 0 && !new_child.is_negative()) return Errno::Exist;
    if (exchange) {
        if (new_child.is_negative()) return Errno::NoEnt;
        if (!is_directory(new_child) && to.trailing_slash()) return Errno::NotDir;
    }
    if (!is_directory(old_child)) {
        if (from.trailing_slash()) return Errno::NotDir;
        if (!exchange && to.trailing_slash()) return Errno::NotDir;
    }
    // A directory cannot go below itself, nor over one that it is in.
    if (is_subdir(to.dir(), old_child)) return Errno::Inval;
    if (!new_child.is_negative() && is_subdir(from.dir(), new_child))
        return exchange ? Errno::Inval : Errno::NotEmpty;
    return {};
}

Result<> may_rename(const path_walk& from, const path_walk& to, const dentry& old_child,
                    const dentry& new_child, uint32_t flags) {
    const bool is_dir = is_directory(old_child);
    const bool exchange = (flags & abi::kRenameExchange) != 0;
    TRY(may_delete(from.parent(), old_child, is_dir));
    if (new_child.is_negative()) {
        TRY(inode_permission(to.dir_inode(), abi::kWriteOk | abi::kExecOk));
    } else {
        TRY(may_delete(to.parent(), new_child, exchange ? is_directory(new_child) : is_dir));
    }
    // A directory's ".." changes, which is a write to it.
    if (&from.dir() != &to.dir()) {
        if (is_dir) TRY(inode_permission(*old_child.d_inode, abi::kWriteOk));
        if (exchange && is_directory(new_child)) TRY(inode_permission(*new_child.d_inode, abi::kWriteOk));
    }
    return {};
}

}  // namespace

Result<> check_rename_flags(uint32_t flags) {
    constexpr uint32_t kKnown = abi::kRenameNoReplace | abi::kRenameExchange;
    if ((flags & ~kKnown) != 0 || (flags & kKnown) == kKnown) return Errno::Inval;
    return {};
}

Result<> vfs_renameat(const walk_start& old_start, const char* old_name, const walk_start& new_start,
                      const char* new_name, uint32_t flags) {
    TRY(check_rename_flags(flags));
    if (old_name[0] == '\0' || new_name[0] == '\0') return Errno::NoEnt;
    path_walk from(old_start, old_name);
    TRY(from.to_parent());
    path_walk to(new_start, new_name);
    TRY(to.to_parent());
    if (from.parent().mnt != to.parent().mnt) return Errno::XDev;
    if (from.last() != path_walk::Last::Name) return Errno::Busy;
    if (to.last() != path_walk::Last::Name) {
        return (flags & abi::kRenameNoReplace) != 0 ? Errno::Exist : Errno::Busy;
    }
    TRY(mnt_may_write(*from.parent().mnt));
    // These outlive the locks: what was replaced may be freed here.
    RefPtr<dentry> old_child;
    RefPtr<dentry> new_child;
    {
        const rename_lock lock(from.dir(), to.dir());
        old_child = TRY(lookup_child_locked(from.dir(), from.name()));
        new_child = TRY(lookup_child_locked(to.dir(), to.name()));
        TRY(check_names(from, to, *old_child, *new_child, flags));
        // Two names of one file: nothing to do (man 2 rename).
        if (old_child->d_inode == new_child->d_inode) return {};
        TRY(may_rename(from, to, *old_child, *new_child, flags));
        inode& old_dir = from.dir_inode();
        inode& new_dir = to.dir_inode();
        if (old_dir.i_op->rename == nullptr) return Errno::Perm;
        TRY(old_dir.i_op->rename(old_dir, *old_child, new_dir, *new_child, flags));
        if ((flags & abi::kRenameExchange) != 0) {
            d_exchange(*old_child, *new_child);
        } else {
            d_move(*old_child, *new_child);
        }
    }
    // Somebody else may have mounted something on what was replaced.
    const bool replaced = (flags & abi::kRenameExchange) == 0 && !new_child->is_negative();
    if (replaced && new_child->d_mounted != 0) detach_mounts(*new_child);
    return {};
}

}  // namespace guest
