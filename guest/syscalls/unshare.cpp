// unshare(2): a task stops sharing what its CLONE flags made common.
#include "guest/abi/clone.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/ipc/sem.hpp"
#include "guest/kernel/nsproxy.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/printk.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

constexpr uint64_t kOfProcess = abi::kCloneThread | abi::kCloneSighand | abi::kCloneVm;
constexpr uint64_t kNamespaces = abi::kCloneNewNs | abi::kCloneNewUts | abi::kCloneNewIpc |
                                 abi::kCloneNewPid | abi::kCloneNewNet | abi::kCloneNewUser |
                                 abi::kCloneNewCgroup | abi::kCloneNewTime;
constexpr uint64_t kKnown = kOfProcess | abi::kCloneFs | abi::kCloneFiles | abi::kCloneSysvSem | kNamespaces;

// What one flag asks for along with it.
uint64_t with_implied(uint64_t flags) {
    if ((flags & abi::kCloneNewUser) != 0) flags |= abi::kCloneThread | abi::kCloneFs;
    if ((flags & abi::kCloneVm) != 0) flags |= abi::kCloneSighand;
    if ((flags & abi::kCloneSighand) != 0) flags |= abi::kCloneThread;
    if ((flags & abi::kCloneNewNs) != 0) flags |= abi::kCloneFs;
    return flags;
}

// Handlers and memory can only be kept by one who shares them with nobody.
Result<> check_alone(uint64_t flags) {
    const task_struct& task = *current();
    if ((flags & kOfProcess) != 0 && !thread_group_empty(&task)) return Errno::Inval;
    if ((flags & (abi::kCloneSighand | abi::kCloneVm)) != 0 && task.sighand->ref_count() > 1)
        return Errno::Inval;
    if ((flags & abi::kCloneVm) != 0 && task.mm->mm_users.load() > 1) return Errno::Inval;
    return {};
}

}  // namespace

Result<long> sys_unshare(uint64_t flags) {
    if ((flags & ~kKnown) != 0) return Errno::Inval;
    constexpr uint64_t kMissing = abi::kCloneNewCgroup | abi::kCloneNewTime;
    if ((flags & kMissing) != 0) {
        pr_info("unshare: namespace flags %lx are not supported\n", flags & kMissing);
        return Errno::Inval;
    }
    flags = with_implied(flags);
    TRY(check_alone(flags));
    task_struct& task = *current();
    Handle<fs_struct, put_fs_struct> fs;
    Handle<files_struct, put_files_struct> files;
    if ((flags & abi::kCloneFs) != 0 && task.fs->ref_count() > 1)
        fs.reset(TRY(copy_fs_struct(*task.fs)).leak());
    if ((flags & abi::kCloneFiles) != 0 && task.files->ref_count() > 1)
        files.reset(TRY(dup_fd(*task.files)).leak());
    RefPtr<struct nsproxy> fresh = TRY(create_new_namespaces(flags & kNamespaces, fs ? *fs : *task.fs));
    if ((flags & abi::kCloneSysvSem) != 0) task.sysvsem.reset();
    // What is replaced goes when the lock has been given back.
    const spinlock_guard guard(task.alloc_lock);
    if (fs) std::swap(task.fs, fs);
    if (files) std::swap(task.files, files);
    std::swap(task.nsproxy, fresh);
    return 0;
}

}  // namespace guest
