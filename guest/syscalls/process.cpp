// fork, vfork, clone, execve, exit, wait.
#include "guest/abi/clone.hpp"
#include "guest/kernel/exec.hpp"
#include "guest/kernel/exit.hpp"
#include "guest/kernel/fork.hpp"
#include "guest/kernel/pidfd.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

// Three thin entries to one do_fork.
Result<long> sys_fork() {
    CloneArguments args;
    args.flags = abi::kSigChld;
    return do_fork(args);
}

Result<long> sys_vfork() {
    CloneArguments args;
    args.flags = abi::kCloneVfork | abi::kCloneVm | abi::kSigChld;
    return do_fork(args);
}

Result<long> sys_clone(uint64_t flags, VirtAddr stack, UserPtr<int32_t> parent_tid,
                       UserPtr<int32_t> child_tid, uint64_t tls) {
    CloneArguments args;
    args.flags = flags;
    args.stack = stack;
    args.parent_tid = parent_tid;
    args.child_tid = child_tid;
    args.tls = tls;
    // The pidfd has no argument of its own here.
    constexpr uint64_t kBoth = abi::kClonePidfd | abi::kCloneParentSetTid;
    if ((flags & kBoth) == kBoth) return Errno::Inval;
    args.pidfd = parent_tid;
    return do_fork(args);
}

Result<long> sys_execve(UserString path, UserPtr<const UserString> argv, UserPtr<const UserString> envp) {
    const KBuffer name = TRY(getname(path));
    ArgVector arguments;
    arguments.user = argv;
    ArgVector environment;
    environment.user = envp;
    TRY(do_execve(name.data(), arguments, environment));
    return 0;
}

Result<long> sys_execveat(int dirfd, UserString path, UserPtr<const UserString> argv,
                          UserPtr<const UserString> envp, uint32_t flags) {
    const KBuffer name = TRY(getname(path));
    if ((flags & ~(abi::kAtSymlinkNoFollow | abi::kAtEmptyPath)) != 0) return Errno::Inval;
    ArgVector arguments;
    arguments.user = argv;
    ArgVector environment;
    environment.user = envp;
    TRY(do_execveat(dirfd, name.data(), flags, arguments, environment));
    return 0;
}

// Kept for those who ask (nothing here depends on it: addresses are never random, for one).
Result<long> sys_personality(uint32_t wanted) {
    constexpr uint32_t kJustAsk = 0xffffffff;
    const uint32_t before = current()->personality;
    if (wanted != kJustAsk) current()->personality = wanted;
    return static_cast<long>(before);
}

Result<long> sys_exit(int code) { do_exit((code & 0xff) << 8); }
Result<long> sys_exit_group(int code) { do_group_exit((code & 0xff) << 8); }

namespace {

// The pid that the call names stays valid while it waits.
struct Waited {
    PidType type = PIDTYPE_MAX;
    RefPtr<pid> who;
};

Waited wait_for_group(pid_nr_t nr) {
    const spinlock_guard guard(tasklist_lock);
    return {PIDTYPE_PGID, RefPtr<pid>(nr == 0 ? task_pgrp(current()) : find_vpid(nr))};
}
// P_PIDFD. A descriptor that does not block makes the call one that does not.
Result<Waited> wait_for_pidfd(int fd, uint32_t& options) {
    if (fd < 0) return Errno::Inval;
    uint32_t flags = 0;
    Waited waited{PIDTYPE_PID, TRY(pidfd_get_pid(fd, flags))};
    if ((flags & kPidfdNonBlock) != 0) options |= abi::kWNoHang;
    return waited;
}

Waited wait_for_pid(pid_nr_t nr) {
    const spinlock_guard guard(tasklist_lock);
    return {PIDTYPE_PID, RefPtr<pid>(find_vpid(nr))};
}

Result<pid_nr_t> wait_for(const Waited& waited, wait_opts& wo) {
    if (waited.type != PIDTYPE_MAX && !waited.who) return Errno::Child;
    wo.type = waited.type;
    wo.who = waited.who.get();
    return do_wait(wo);
}

}  // namespace

Result<long> sys_wait4(int nr, UserPtr<int32_t> status, uint32_t options, UserPtr<abi::Rusage> usage) {
    constexpr uint32_t kKnown =
        abi::kWNoHang | abi::kWUntraced | abi::kWContinued | abi::kWNoThread | abi::kWClone | abi::kWAll;
    if ((options & ~kKnown) != 0) return Errno::Inval;
    constexpr int kIntMin = -2147483647 - 1;
    if (nr == kIntMin) return Errno::Srch;
    wait_opts wo;
    wo.options = options | abi::kWExited;
    const Waited waited = nr == -1  ? Waited{}
                          : nr < -1 ? wait_for_group(-nr)
                          : nr == 0 ? wait_for_group(0)
                                    : wait_for_pid(nr);
    const pid_nr_t found = TRY(wait_for(waited, wo));
    if (found > 0) {
        if (status) TRY(put_user(status, static_cast<int32_t>(wo.status)));
        if (usage) TRY(put_user(usage, wo.usage));
    }
    return found;
}

Result<long> sys_waitid(int which, int id, UserPtr<abi::SigInfo> info, uint32_t options,
                        UserPtr<abi::Rusage> usage) {
    constexpr uint32_t kEvents = abi::kWExited | abi::kWStopped | abi::kWContinued;
    constexpr uint32_t kKnown =
        kEvents | abi::kWNoHang | abi::kWNoWait | abi::kWNoThread | abi::kWClone | abi::kWAll;
    if ((options & ~kKnown) != 0 || (options & kEvents) == 0) return Errno::Inval;
    wait_opts wo;
    wo.options = options;
    Waited waited;
    if (which == abi::kPPid) {
        if (id <= 0) return Errno::Inval;
        waited = wait_for_pid(id);
    } else if (which == abi::kPPgid) {
        if (id < 0) return Errno::Inval;
        waited = wait_for_group(id);
    } else if (which == abi::kPPidfd) {
        waited = TRY(wait_for_pidfd(id, wo.options));
    } else if (which != abi::kPAll) {
        return Errno::Inval;
    }
    const pid_nr_t found = TRY(wait_for(waited, wo));
    if (found == 0 && wo.options != options) return Errno::Again;
    if (usage && found > 0) TRY(put_user(usage, wo.usage));
    if (info) {
        abi::SigInfo out{};
        if (found > 0) {
            out.signo = abi::kSigChld;
            out.code = wo.why;
            out.child.pid = found;
            out.child.uid = wo.uid;
            const int killer = wo.status & 0x7f;
            const bool is_stop = wo.why == abi::kCldStopped || wo.why == abi::kCldTrapped;
            out.child.status = wo.why == abi::kCldContinued ? abi::kSigCont
                               : is_stop || killer == 0     ? (wo.status >> 8)
                                                            : killer;
        }
        TRY(put_user(info, out));
    }
    return 0;
}

}  // namespace guest
