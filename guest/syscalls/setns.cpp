// setns: a task goes into namespaces that there are already.
#include "guest/abi/clone.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/nsfs.hpp"
#include "guest/kernel/nsproxy.hpp"
#include "guest/kernel/pidfd.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

constexpr uint64_t kKinds = abi::kCloneNewNs | abi::kCloneNewUts | abi::kCloneNewIpc | abi::kCloneNewPid;

// Where to go: those that are null stay as they are.
struct Destination {
    RefPtr<uts_namespace> uts;
    RefPtr<ipc_namespace> ipc;
    RefPtr<mnt_namespace> mnt;
    RefPtr<pid_namespace> pid;
};

Result<Destination> of_nsfs(const ns_reference& ns, uint64_t flags) {
    const uint64_t kind = ns.uts   ? abi::kCloneNewUts
                          : ns.ipc ? abi::kCloneNewIpc
                          : ns.mnt ? abi::kCloneNewNs
                                   : abi::kCloneNewPid;
    if (flags != 0 && flags != kind) return Errno::Inval;
    return Destination{ns.uts, ns.ipc, ns.mnt, ns.pid};
}

// Those that flags name, of the process that a pidfd names. Inval, Srch, Perm.
Result<Destination> of_process(pid& process, uint64_t flags) {
    if (flags == 0 || (flags & ~kKinds) != 0) return Errno::Inval;
    const spinlock_guard guard(tasklist_lock);
    const task_struct* task = pid_task(&process, PIDTYPE_PID);
    if (task == nullptr) return Errno::Srch;
    if (!ptrace_may_access(*task)) return Errno::Perm;
    const RefPtr<nsproxy> proxy = get_task_nsproxy(*task);
    if (!proxy) return Errno::Srch;
    Destination to;
    if ((flags & abi::kCloneNewUts) != 0) to.uts = proxy->uts_ns;
    if ((flags & abi::kCloneNewIpc) != 0) to.ipc = proxy->ipc_ns;
    if ((flags & abi::kCloneNewNs) != 0) to.mnt = proxy->mnt_ns;
    if ((flags & abi::kCloneNewPid) != 0) to.pid = RefPtr<pid_namespace>(&task_active_pid_ns(task));
    return to;
}

// Children may go down into a namespace, never up: whoever is above must see them.
bool is_below_own(const pid_namespace& ns) {
    const pid_namespace& own = task_active_pid_ns(current());
    const pid_namespace* at = &ns;
    while (at != nullptr && at->level > own.level) at = at->parent.get();
    return at == &own;
}

Result<> check(const Destination& to) {
    if (!capable(kCapSysAdmin)) return Errno::Perm;
    // Root and working directory go along, which nobody else may share.
    if (to.mnt && !capable(kCapSysChroot)) return Errno::Perm;
    if (to.mnt && current()->fs->ref_count() > 1) return Errno::Inval;
    if (to.pid && !is_below_own(*to.pid)) return Errno::Inval;
    return {};
}

void enter_mounts(fs_struct& fs, const mnt_namespace& ns) {
    path root(ns.root, ns.root->mnt_root);
    follow_mounts(root);
    set_fs_pwd(fs, root);
    set_fs_root(fs, std::move(root));
}

Result<Destination> destination_of(const file& f, uint64_t flags) {
    if (const ns_reference* ns = ns_of_file(f)) return of_nsfs(*ns, flags);
    if (pid* process = pidfd_pid(f)) return of_process(*process, flags);
    return Errno::Inval;
}

}  // namespace

Result<long> sys_setns(int fd, int flags) {
    const RefPtr<file> f = TRY(current_file(fd));
    const Destination to = TRY(destination_of(*f, static_cast<uint32_t>(flags)));
    TRY(check(to));
    task_struct& task = *current();
    RefPtr<nsproxy> fresh = TRY(make_ref<nsproxy>());
    const nsproxy& old = *task.nsproxy;
    fresh->uts_ns = to.uts ? to.uts : old.uts_ns;
    fresh->ipc_ns = to.ipc ? to.ipc : old.ipc_ns;
    fresh->mnt_ns = to.mnt ? to.mnt : old.mnt_ns;
    fresh->pid_ns_for_children = to.pid ? to.pid : old.pid_ns_for_children;
    // From here on nothing fails.
    if (to.mnt) enter_mounts(*task.fs, *to.mnt);
    // Undo lists are about the semaphores of one namespace.
    if (to.ipc) task.sysvsem.reset();
    // What is replaced goes when the lock has been given back.
    const spinlock_guard guard(task.alloc_lock);
    std::swap(task.nsproxy, fresh);
    return 0;
}

}  // namespace guest
