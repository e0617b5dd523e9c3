// The copy_* steps of copy_process: each gives the child a share of the caller's object where a CLONE flag
// says so, and a copy otherwise. What a step acquires is a member of the child, whose end gives it back.
#include "guest/abi/clone.hpp"
#include "guest/fs/eventpoll.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/ipc/sem.hpp"
#include "guest/kernel/fork.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

DEFINE_KMEM_CACHE(io_context)
DEFINE_KMEM_CACHE(sighand_struct)
DEFINE_KMEM_CACHE(signal_struct)

sighand_struct::~sighand_struct() { wake_up_pollfree(signalfd_wqh); }

Result<> copy_creds(uint64_t flags, task_struct& child) {
    const task_struct& parent = *current();
    if ((flags & abi::kCloneThread) != 0) {
        child.real_cred = parent.real_cred;
        child.cred = parent.cred;
    } else {
        cred* fresh = TRY(prepare_creds()).leak();
        child.real_cred = RefPtr<const cred>::adopt(fresh);
        child.cred = child.real_cred;
    }
    child.process_charge.charge(child.real_cred->user);
    return {};
}

Result<> copy_semundo(uint64_t flags, task_struct& child) {
    if ((flags & abi::kCloneSysvSem) == 0) return {};
    sem_undo_list* shared = TRY(get_undo_list());
    shared->get();
    child.sysvsem.reset(shared);
    return {};
}

Result<> copy_files(uint64_t flags, task_struct& child) {
    files_struct* old = current()->files.get();
    if (old == nullptr) return {};  // a kernel thread without files
    child.files.reset((flags & abi::kCloneFiles) != 0 ? get_files_struct(old) : TRY(dup_fd(*old)).leak());
    return {};
}

Result<> copy_fs(uint64_t flags, task_struct& child) {
    fs_struct* old = current()->fs.get();
    if (old == nullptr) return {};
    child.fs.reset((flags & abi::kCloneFs) != 0 ? get_fs_struct(old) : TRY(copy_fs_struct(*old)).leak());
    return {};
}

Result<> copy_sighand(uint64_t flags, task_struct& child) {
    const RefPtr<sighand_struct>& old = current()->sighand;
    if ((flags & abi::kCloneSighand) != 0) {
        child.sighand = old;
        return {};
    }
    RefPtr<sighand_struct> fresh = TRY(make_ref<sighand_struct>());
    const spinlock_guard guard(old->siglock);
    for (int i = 0; i < abi::kNsig; ++i) fresh->action[i] = old->action[i];
    child.sighand = std::move(fresh);
    if ((flags & abi::kCloneClearSighand) != 0) flush_signal_handlers(&child);
    return {};
}

Result<> copy_signal(uint64_t flags, task_struct& child) {
    const RefPtr<signal_struct>& old = current()->signal;
    if ((flags & abi::kCloneThread) != 0) {
        child.signal = old;
        return {};
    }
    RefPtr<signal_struct> fresh = TRY(make_ref<signal_struct>());
    const spinlock_guard guard(current()->sighand->siglock);
    for (unsigned i = 0; i < abi::kRlimits; ++i) fresh->rlim[i] = old->rlim[i];
    fresh->oom_score_adj = old->oom_score_adj;
    fresh->oom_score_adj_min = old->oom_score_adj_min;
    child.signal = std::move(fresh);
    return {};
}

Result<> copy_mm(uint64_t flags, task_struct& child) {
    task_struct& parent = *current();
    mm_struct* old = parent.mm.get();
    if (old == nullptr) return {};  // kernel threads have none
    if ((flags & abi::kCloneVm) != 0) {
        old->mm_users.inc();
        child.mm.reset(old);
    } else {
        child.mm.reset(TRY(dup_mm(parent)));
    }
    child.active_mm = child.mm.get();
    return {};
}

Result<> copy_io(uint64_t flags, task_struct& child) {
    const RefPtr<io_context>& old = current()->io_context;
    if (!old) return {};
    if ((flags & abi::kCloneIo) != 0) {
        child.io_context = old;
        return {};
    }
    child.io_context = TRY(make_ref<io_context>());
    child.io_context->ioprio = old->ioprio;
    return {};
}

}  // namespace guest
