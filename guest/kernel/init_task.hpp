// Task 0: born with the kernel, parent of init, later the idle task.
#pragma once

#include "guest/fs/vfs.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

// Before anything asks for current().
void init_task_early();
// Once there is memory: credentials, signals, namespaces.
void init_task_late();
// Once there is a root: files and directories.
void init_task_set_root(vfs_root root);

}  // namespace guest
