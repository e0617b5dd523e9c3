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
DEFINE_KMEM_CACHE(pid_namespace)
DEFINE_KMEM_CACHE(nsproxy)

nsproxy::nsproxy() = default;
nsproxy::~nsproxy() = default;

constinit pid_namespace init_pid_ns;

namespace {

constexpr uint64_t kNamespaceFlags = abi::kCloneNewNs | abi::kCloneNewUts | abi::kCloneNewIpc |
                                     abi::kCloneNewPid | abi::kCloneNewNet | abi::kCloneNewUser;
constexpr uint64_t kSupported = abi::kCloneNewNs | abi::kCloneNewUts;

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

pid_namespace& task_active_pid_ns(const task_struct* task) {
    const pid* of = task->thread_pid.get();
    return of != nullptr ? *of->numbers[of->level].ns : init_pid_ns;
}

Result<> copy_namespaces(uint64_t flags, task_struct& child) {
    nsproxy& old = *current()->nsproxy;
    const uint64_t wanted = flags & kNamespaceFlags;
    if (wanted == 0) {
        child.nsproxy = RefPtr<nsproxy>(&old);
        return {};
    }
    if (!capable(kCapSysAdmin)) return Errno::Perm;
    if ((wanted & ~kSupported) != 0) {
        pr_info("clone: namespace flags %lx are not supported\n", wanted & ~kSupported);
        return Errno::Inval;
    }
    RefPtr<nsproxy> fresh = TRY(make_ref<nsproxy>());
    fresh->mnt_ns = TRY(copy_mounts(flags, *old.mnt_ns, *child.fs));
    fresh->uts_ns = TRY(copy_utsname(flags, *old.uts_ns));
    fresh->ipc_ns = old.ipc_ns;
    fresh->pid_ns_for_children = old.pid_ns_for_children;
    child.nsproxy = std::move(fresh);
    return {};
}

}  // namespace guest
