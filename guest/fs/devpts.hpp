// devpts: the names of the slaves of pseudo-terminals, and a ptmx that makes new ones. Each mount is a file
// system of its own, with numbers of its own (Linux: Documentation/filesystems/devpts.rst).
#pragma once

#include "guest/abi/file.hpp"
#include "guest/fs/dentry.hpp"
#include "guest/fs/inode.hpp"
#include "guest/fs/path.hpp"
#include "guest/kernel/mutex.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// Guards what a name stands for.
extern mutex devpts_mutex;

void devpts_init();

// The root of the devpts that a ptmx node belongs to: the one that it is in, or what is mounted on "pts"
// beside it. NoDev.
Result<path> devpts_of_ptmx(const path& ptmx);
// The lowest number that is free. NoSpc.
Result<uint32_t> devpts_new_index(super_block& sb);
void devpts_free_index(super_block& sb, uint32_t index);
// A name for the slave, which stands for `what` until devpts_remove_name. NoMem.
Result<RefPtr<dentry>> devpts_new_name(dentry& root, uint32_t index, abi::dev_t dev, void* what);
void devpts_remove_name(dentry& name);
// What the node of a slave stands for; null if its name is gone, or if it is of another file system.
// devpts_mutex is held.
[[nodiscard]] void* devpts_private(const inode& node);

// Numbers that are in use, and as many as there can be, in one file system.
[[nodiscard]] uint32_t devpts_in_use();
inline constexpr uint32_t kMaxPtys = 1024;

}  // namespace guest
