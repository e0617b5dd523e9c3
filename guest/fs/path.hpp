// A place in the tree of names: a dentry, and the mount through which it was reached. Holds a reference
// to both; letting the last one go may sleep.
#pragma once

#include "guest/lib/refcount.hpp"

namespace guest {

struct dentry;
struct vfsmount;

struct path {
    RefPtr<vfsmount> mnt;
    RefPtr<struct dentry> dentry;

    path();
    path(RefPtr<vfsmount> mount, RefPtr<struct dentry> name);
    path(const path& other);
    path(path&& other) noexcept;
    path& operator=(path other) noexcept;
    ~path();

    [[nodiscard]] bool operator==(const path& other) const;
    explicit operator bool() const { return static_cast<bool>(dentry); }
};

}  // namespace guest
