// d_path: from a place in the tree back to its path, as getcwd and /proc show it.
#include "guest/fs/dentry.hpp"
#include "guest/fs/mount.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

// Text that grows from the end of a buffer towards its beginning.
class PathBuilder {
public:
    PathBuilder(char* buffer, size_t size) : begin_(buffer), at_(buffer + size) {}

    void prepend(const char* text, size_t length) {
        if (static_cast<size_t>(at_ - begin_) < length) {
            full_ = true;
            return;
        }
        at_ -= length;
        memcpy(at_, text, length);
    }
    void prepend(char c) { prepend(&c, 1); }
    [[nodiscard]] bool full() const { return full_; }
    [[nodiscard]] char* text() const { return at_; }

private:
    char* begin_;
    char* at_;
    bool full_ = false;
};

bool is_deleted(const dentry& d) { return !d.is_root() && !d.is_hashed(); }

}  // namespace

Result<char*> d_path(const path& p, const path& root, char* buffer, size_t size) {
    PathBuilder out(buffer, size);
    out.prepend('\0');
    dentry& leaf = *p.dentry;
    if (leaf.d_op != nullptr && leaf.d_op->d_dname != nullptr) {
        char name[64];
        out.prepend(name, leaf.d_op->d_dname(leaf, name, sizeof(name)));
        if (out.full()) return Errno::NameTooLong;
        return out.text();
    }
    const spinlock_guard tree(dcache_lock);
    const spinlock_guard mounts(mount_lock);
    if (is_deleted(leaf)) out.prepend(" (deleted)", 10);
    const vfsmount* mnt = p.mnt.get();
    const dentry* at = &leaf;
    char* const end = out.text();
    bool reached = true;
    while (mnt != root.mnt.get() || at != root.dentry.get()) {
        if (at == mnt->mnt_root.get() || at->is_root()) {
            if (mnt->mnt_parent == nullptr) {
                reached = false;
                break;
            }
            at = mnt->mnt_mountpoint.get();
            mnt = mnt->mnt_parent;
            continue;
        }
        out.prepend(at->d_name.name, at->d_name.len);
        out.prepend('/');
        at = at->d_parent.get();
    }
    if (out.text() == end) out.prepend('/');
    if (!reached) out.prepend("(unreachable)", 13);
    if (out.full()) return Errno::NameTooLong;
    return out.text();
}

Result<char*> dentry_path(const dentry& d, char* buffer, size_t size) {
    PathBuilder out(buffer, size);
    out.prepend('\0');
    char* const end = out.text();
    const spinlock_guard tree(dcache_lock);
    for (const dentry* at = &d; !at->is_root(); at = at->d_parent.get()) {
        out.prepend(at->d_name.name, at->d_name.len);
        out.prepend('/');
    }
    if (out.text() == end) out.prepend('/');
    if (out.full()) return Errno::NameTooLong;
    return out.text();
}

}  // namespace guest
