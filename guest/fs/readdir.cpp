// Reading directories whose names are all in the dentry tree. A position is the d_off of an entry: entries
// made and removed meanwhile move no other one, so that each that stays is met exactly once.
#include "guest/fs/dentry.hpp"
#include "guest/fs/vfs.hpp"

namespace guest {

namespace {

// Positions of "." and ".."; d_off begins after them.
constexpr abi::loff_t kDotPos = 0;
constexpr abi::loff_t kDotDotPos = 1;

// The first child at or after pos, looked for from `at` on. dcache_lock is held.
RefPtr<dentry> child_from_locked(const dentry& dir, dentry* at, abi::loff_t pos) {
    for (; at != nullptr; at = dir.d_subdirs.next(*at)) {
        if (at->d_off >= static_cast<uint64_t>(pos) && at->try_get()) return RefPtr<dentry>::adopt(at);
    }
    return nullptr;
}

RefPtr<dentry> child_from(const dentry& dir, abi::loff_t pos) {
    const spinlock_guard guard(dcache_lock);
    return child_from_locked(dir, dir.d_subdirs.front(), pos);
}

// The one after child, which is still in the list: the directory's i_mutex is held.
RefPtr<dentry> child_after(const dentry& dir, const dentry& child) {
    const spinlock_guard guard(dcache_lock);
    return child_from_locked(dir, dir.d_subdirs.next(child), 0);
}

}  // namespace

Result<> dcache_readdir(file& f, dir_context& ctx) {
    dentry& dir = *f.f_path.dentry;
    if (ctx.pos == kDotPos) {
        if (!ctx.actor(ctx, ".", 1, dir.d_inode->i_ino, abi::dirent_type(abi::kIfDir), kDotDotPos)) return {};
        ctx.pos = kDotDotPos;
    }
    if (ctx.pos == kDotDotPos) {
        const RefPtr<dentry> parent = dget_parent(dir);
        if (!ctx.actor(ctx, "..", 2, parent->d_inode->i_ino, abi::dirent_type(abi::kIfDir), kDotDotPos + 1)) {
            return {};
        }
        ctx.pos = kDotDotPos + 1;
    }
    // The directory's i_mutex keeps names and inodes of the children as they are.
    for (RefPtr<dentry> child = child_from(dir, ctx.pos); child; child = child_after(dir, *child)) {
        const auto next = static_cast<abi::loff_t>(child->d_off + 1);
        const inode& node = *child->d_inode;
        if (!ctx.actor(ctx, child->d_name.name, child->d_name.len, node.i_ino, abi::dirent_type(node.i_mode),
                       next)) {
            return {};
        }
        ctx.pos = next;
    }
    return {};
}

Result<abi::loff_t> dcache_dir_llseek(file& f, abi::loff_t offset, uint32_t whence) {
    if (whence == abi::kSeekCur) {
        offset += f.f_pos;
    } else if (whence != abi::kSeekSet) {
        return Errno::Inval;
    }
    if (offset < 0) return Errno::Inval;
    f.f_pos = offset;
    return offset;
}

}  // namespace guest
