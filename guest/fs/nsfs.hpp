// Namespaces as files: what the links in /proc/<pid>/ns lead to. Two of them are the same namespace if st_dev
// and st_ino are; an open one keeps it alive.
#pragma once

#include "guest/fs/path.hpp"
#include "guest/kernel/nsproxy.hpp"
#include "guest/lib/refcount.hpp"
#include "guest/lib/result.hpp"

namespace guest {

struct file;

// One of these is not null.
struct ns_reference {
    RefPtr<ipc_namespace> ipc;
    RefPtr<mnt_namespace> mnt;
    RefPtr<pid_namespace> pid;
    RefPtr<uts_namespace> uts;
};

// Once, after vfs_init.
void nsfs_init();
// A place that opens as that namespace. NoMem.
Result<path> ns_get_path(ns_reference ns);
// What an open file names; null if it is no namespace.
[[nodiscard]] const ns_reference* ns_of_file(const file& f);

}  // namespace guest
