// Files without a name or contents of their own, known by their descriptor alone: eventfd, signalfd, timerfd
// and their like. All share one inode, as on Linux.
#pragma once

#include <stdint.h>

#include "guest/fs/file.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// A description whose operations are `ops`. `kind` is what readlink on /proc/self/fd shows: "[eventfd]".
// flags: O_RDONLY and so on, and kONonBlock. private_data stays the caller's to give back when this fails;
// afterwards ops.release does. NFile, NoMem.
Result<RefPtr<file>> anon_inode_getfile(const char* kind, const file_operations& ops, void* private_data,
                                        uint32_t flags);
// The same with a descriptor for it; flags also: kOCloExec. MFile, NFile, NoMem.
Result<long> anon_inode_getfd(const char* kind, const file_operations& ops, void* private_data,
                              uint32_t flags);
// The file system that they live in. Ends in a panic without memory.
void anon_inodes_init();

}  // namespace guest
