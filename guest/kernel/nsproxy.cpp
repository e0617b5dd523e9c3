// Namespaces.
#include "guest/kernel/nsproxy.hpp"

#include "guest/abi/clone.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/fs/mount.hpp"
#include "guest/kernel/fork.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/printk.hpp"

namespace guest {

DEFINE_KMEM_CACHE(uts_namespace)
DEFINE_KMEM_CACHE(ipc_namespace)
DEFINE_KMEM_CACHE(nsproxy)

nsproxy::nsproxy() = default;
nsproxy::~nsproxy() = default;

namespace {

constexpr uint64_t kNamespaceFlags = abi::kCloneNewNs | abi::kCloneNewUts | abi::kCloneNewIpc |
                                     abi::kCloneNewPid | abi::kCloneNewNet | abi::kCloneNewUser;
constexpr uint64_t kSupported = abi::kCloneNewNs | abi::kCloneNewUts | abi::kCloneNewPid;

Result<RefPtr<uts_namespace>> copy_utsname(uint64_t flags, uts_namespace& old) {
    if ((flags & abi::kCloneNewUts) == 0) return RefPtr<uts_namespace>(&old);
    RefPtr<uts_namespace> copy = TRY(make_ref<uts_namespace>());
    copy->name = old.name;
    return copy;
}

// The new mount namespace also is where the child's own root and directory lie.
Result<RefPtr<mnt_namespace>> copy_mounts(uint64_t flags, mnt_namespace& old, fs_struct& fs) {
    if ((flags & abi::kCloneNewNs) == 0) return RefPtr<mnt_namespace>(&old);
    path root = get_fs_root(fs);
    path pwd = get_fs_pwd(fs);
    RefPtr<mnt_namespace> copy = TRY(copy_mnt_ns(old, root, pwd));
    set_fs_root(fs, std::move(root));
    set_fs_pwd(fs, std::move(pwd));
    return copy;
}

}  // namespace

Result<RefPtr<nsproxy>> create_new_namespaces(uint64_t flags, fs_struct& fs) {
    nsproxy& old = *current()->nsproxy;
    const uint64_t wanted = flags & kNamespaceFlags;
    if (wanted == 0) return RefPtr<nsproxy>(&old);
    if (!capable(kCapSysAdmin)) return Errno::Perm;
    if ((wanted & ~kSupported) != 0) {
        pr_info("namespace flags %lx are not supported\n", wanted & ~kSupported);
        return Errno::Inval;
    }
    RefPtr<nsproxy> fresh = TRY(make_ref<nsproxy>());
    fresh->uts_ns = TRY(copy_utsname(flags, *old.uts_ns));
    fresh->ipc_ns = old.ipc_ns;
    fresh->pid_ns_for_children = TRY(copy_pid_ns(flags, *old.pid_ns_for_children));
    // Last, for it moves fs into the new one.
    fresh->mnt_ns = TRY(copy_mounts(flags, *old.mnt_ns, fs));
    return fresh;
}

Result<> copy_namespaces(uint64_t flags, task_struct& child) {
    child.nsproxy = TRY(create_new_namespaces(flags, *child.fs));
    return {};
}

}  // namespace guest
