// pidfd_open, pidfd_send_signal and pidfd_getfd.
#include "guest/kernel/pidfd.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/proc/proc.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

constexpr uint32_t kSignalThread = 1, kSignalThreadGroup = 2, kSignalProcessGroup = 4;

RefPtr<pid> find_get_pid(pid_nr_t nr) {
    const spinlock_guard guard(tasklist_lock);
    return RefPtr<pid>(find_vpid(nr));
}

// Srch: it is reaped. Inval: it is a thread, and the flags do not ask for one.
Result<> check_can_name(pid& of, uint32_t flags) {
    const spinlock_guard guard(tasklist_lock);
    const task_struct* task = pid_task(&of, PIDTYPE_PID);
    if (task == nullptr) return Errno::Srch;
    if ((flags & kPidfdThread) == 0 && !thread_group_leader(task)) return Errno::Inval;
    return {};
}

// What the caller wants the receiver to be told. Only to itself may a process say what it likes.
Result<siginfo> signal_info(const pid& of, int sig, UserPtr<siginfo> from, SigTarget target) {
    if (!from) {
        return info_from_current(sig, target == SigTarget::Thread ? abi::kSiTkill : abi::kSiUser);
    }
    const siginfo info = TRY(get_user(from));
    if (info.signo != sig) return Errno::Inval;
    const bool of_kernel = info.code >= 0 || info.code == abi::kSiTkill;
    if (current()->thread_pid.get() != &of && of_kernel) return Errno::Perm;
    return siginfo(info);
}

}  // namespace

Result<long> sys_pidfd_open(int nr, uint32_t flags) {
    if ((flags & ~(kPidfdNonBlock | kPidfdThread)) != 0 || nr <= 0) return Errno::Inval;
    const RefPtr<pid> of = find_get_pid(nr);
    if (!of) return Errno::Srch;
    TRY(check_can_name(*of, flags));
    ReservedFd fd = TRY(reserve_fd(abi::kOCloExec));
    return fd.install(TRY(pidfd_file(*of, flags)));
}

Result<long> sys_pidfd_send_signal(int fd, int sig, UserPtr<siginfo> user_info, uint32_t flags) {
    if (flags != 0 && flags != kSignalThread && flags != kSignalThreadGroup && flags != kSignalProcessGroup)
        return Errno::Inval;
    const RefPtr<file> f = TRY(current_file(fd));
    // A directory of procfs was what there was before there were pidfds.
    const bool is_pidfd = pidfd_pid(*f) != nullptr;
    const RefPtr<pid> of(is_pidfd ? pidfd_pid(*f) : tgid_pidfd_pid(*f));
    if (!of) return Errno::BadF;
    const uint32_t kind = is_pidfd ? f->f_flags : 0;
    // A process of a namespace that the caller does not see.
    if (pid_vnr(of.get()) == 0) return Errno::Inval;
    const bool thread = flags == kSignalThread || (flags == 0 && (kind & kPidfdThread) != 0);
    const SigTarget target = thread ? SigTarget::Thread : SigTarget::Process;
    const siginfo info = TRY(signal_info(*of, sig, user_info, target));
    if (flags == kSignalProcessGroup) {
        TRY(kill_pgrp_info(of.get(), sig, info, SigSource::User));
        return 0;
    }
    const spinlock_guard guard(tasklist_lock);
    task_struct* task = pid_task(of.get(), PIDTYPE_PID);
    if (task == nullptr) return Errno::Srch;
    TRY(send_sig_info(sig, info, task, target, SigSource::User));
    return 0;
}

namespace {

// What `task` has open as fd. Srch, Perm, BadF.
Result<RefPtr<file>> file_of(pid& of, int fd) {
    const spinlock_guard guard(tasklist_lock);
    const task_struct* task = pid_task(&of, PIDTYPE_PID);
    if (task == nullptr) return Errno::Srch;
    TRY(ptrace_may_attach(*task));
    if ((task->flags & PF_EXITING) != 0 || !task->files) return Errno::Srch;
    RefPtr<file> f = fget_raw(*task->files, fd);
    if (!f) return Errno::BadF;
    return f;
}

}  // namespace

Result<long> sys_pidfd_getfd(int pidfd, int target, uint32_t flags) {
    if (flags != 0) return Errno::Inval;
    uint32_t kind = 0;
    const RefPtr<pid> of = TRY(pidfd_get_pid(pidfd, kind));
    RefPtr<file> f = TRY(file_of(*of, target));
    ReservedFd fd = TRY(reserve_fd(abi::kOCloExec));
    return fd.install(std::move(f));
}

}  // namespace guest
