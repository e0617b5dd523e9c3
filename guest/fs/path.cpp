// path: copies and ends of a place in the tree of names.
#include "guest/fs/path.hpp"

#include "guest/fs/dentry.hpp"
#include "guest/fs/inode.hpp"
#include "guest/fs/mount.hpp"

namespace guest {

path::path() = default;
path::path(RefPtr<vfsmount> mount, RefPtr<struct dentry> name)
    : mnt(std::move(mount)), dentry(std::move(name)) {}
path::path(const path& other) = default;
path::path(path&& other) noexcept = default;
path::~path() = default;

path& path::operator=(path other) noexcept {
    std::swap(mnt, other.mnt);
    std::swap(dentry, other.dentry);
    return *this;
}

bool path::operator==(const path& other) const { return mnt == other.mnt && dentry == other.dentry; }

}  // namespace guest
