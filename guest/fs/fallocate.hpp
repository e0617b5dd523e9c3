// fallocate: space for a file before it is written, and holes in what was.
#pragma once

#include "guest/fs/file.hpp"

namespace guest {

// fallocate(2); the caller's descriptor is not looked at, the mode of f is.
Result<> vfs_fallocate(file& f, int mode, abi::loff_t offset, abi::loff_t bytes);

// For files that are their page cache and have no other storage.
Result<> shmem_fallocate(file& f, int mode, abi::loff_t offset, abi::loff_t bytes);

}  // namespace guest
