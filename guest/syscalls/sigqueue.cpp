// Signals that carry a value, and waiting for signals without a handler.
#include "guest/kernel/ktime.hpp"
#include "guest/kernel/signal_core.hpp"
#include "guest/kernel/signal_sets.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

Result<siginfo> info_from_user(UserPtr<const abi::SigInfo> from, int sig) {
    siginfo info = TRY(get_user(from));
    info.signo = sig;
    return info;
}

// Nobody may pretend to be the kernel or kill() towards others.
Result<> check_forgery(const siginfo& info, pid_nr_t target) {
    const bool forged = info.code >= 0 || info.code == abi::kSiTkill;
    if (forged && task_pid_vnr(current()) != target) return Errno::Perm;
    return {};
}

// Takes a signal of `set` without waiting; 0 if there is none.
int take_now(task_struct& task, sigset_t set, siginfo& info) {
    const spinlock_guard guard(task.sighand->siglock);
    return dequeue_signal(&task, set, info);
}

// The same, with those signals unblocked for a sleep of at most ns.
int take_after_sleep(task_struct& task, sigset_t set, uint64_t ns, siginfo& info) {
    {
        const spinlock_guard guard(task.sighand->siglock);
        task.real_blocked = task.blocked;
        task.blocked &= ~set;
        recalc_sigpending();
    }
    while (ns > 0 && !signal_pending(&task)) {
        set_current_state(TaskState::Interruptible);
        if (ns == kNoTimeout) {
            schedule();
        } else {
            ns = schedule_timeout(ns);
        }
    }
    const spinlock_guard guard(task.sighand->siglock);
    task.blocked = task.real_blocked;
    task.real_blocked = 0;
    return dequeue_signal(&task, set, info);
}

}  // namespace

Result<long> sys_rt_sigtimedwait(UserPtr<const abi::SigSet> wanted, UserPtr<abi::SigInfo> out,
                                 UserPtr<const abi::Timespec> timeout, size_t set_bytes) {
    if (set_bytes != sizeof(abi::SigSet)) return Errno::Inval;
    const sigset_t set = TRY(get_user(wanted)) & ~kUnblockable;
    const uint64_t ns = timeout ? TRY(timespec_to_ns(TRY(get_user(timeout)))) : kNoTimeout;
    task_struct& task = *current();
    siginfo info{};
    int sig = take_now(task, set, info);
    if (sig == 0 && ns > 0) {
        const uint64_t start = ktime_get();
        sig = take_after_sleep(task, set, ns, info);
        if (sig == 0 && (ns == kNoTimeout || ktime_get() - start < ns)) return Errno::Intr;
    }
    if (sig == 0) return Errno::Again;
    if (out) TRY(put_user(out, info));
    return sig;
}

Result<long> sys_rt_sigqueueinfo(int tgid, int sig, UserPtr<const abi::SigInfo> from) {
    const siginfo info = TRY(info_from_user(from, sig));
    TRY(check_forgery(info, tgid));
    const spinlock_guard guard(tasklist_lock);
    task_struct* task = find_task_by_vpid(tgid);
    if (task == nullptr) return Errno::Srch;
    TRY(send_sig_info(sig, info, task, SigTarget::Process, SigSource::User));
    return 0;
}

Result<long> sys_rt_tgsigqueueinfo(int tgid, int tid, int sig, UserPtr<const abi::SigInfo> from) {
    const siginfo info = TRY(info_from_user(from, sig));
    if (tid <= 0 || tgid <= 0) return Errno::Inval;
    TRY(check_forgery(info, tid));
    const spinlock_guard guard(tasklist_lock);
    task_struct* task = find_task_by_vpid(tid);
    if (task == nullptr || task_tgid_vnr(task) != tgid) return Errno::Srch;
    TRY(send_sig_info(sig, info, task, SigTarget::Thread, SigSource::User));
    return 0;
}

}  // namespace guest
