// Memory without a name that looks like a file: what stands behind MAP_SHARED | MAP_ANONYMOUS.
#pragma once

#include "guest/fs/file.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// Once, after vfs_init.
void shmem_init();
// What is promised of shared memory when it is made (mm/overcommit.hpp): all of it, or nothing, and each page
// when it comes.
enum class ShmemPromise { Whole, ByPage };

// A new file of that many bytes, all zeros, opened for reading and writing. It goes with its last reference
// or mapping. NoMem, Inval.
Result<RefPtr<file>> shmem_file_setup(abi::loff_t bytes, ShmemPromise promise);
// The same with a name, inode number and i_private of the caller's.
struct dentry_operations;
Result<RefPtr<file>> shmem_kernel_file_setup(abi::loff_t bytes, const dentry_operations& name, uint64_t ino,
                                             void* i_private, ShmemPromise promise);
// An empty one with a name of the caller's.
Result<RefPtr<file>> shmem_named_file_setup(const dentry_operations& name);

}  // namespace guest
