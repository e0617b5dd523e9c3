// Signals.
#include "guest/arch/signal.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/kernel/sigaltstack.hpp"
#include "guest/kernel/signal_sets.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {
Result<> check_set_size(size_t bytes) {
    if (bytes != sizeof(abi::SigSet)) return Errno::Inval;
    return {};
}
}  // namespace

Result<long> sys_rt_sigaction(int sig, UserPtr<const abi::SigAction> fresh, UserPtr<abi::SigAction> old,
                              size_t set_bytes) {
    TRY(check_set_size(set_bytes));
    abi::SigAction new_action{};
    abi::SigAction old_action{};
    if (fresh) new_action = TRY(get_user(fresh));
    TRY(do_sigaction(sig, fresh ? &new_action : nullptr, old ? &old_action : nullptr));
    if (old) TRY(put_user(old, old_action));
    return 0;
}

Result<long> sys_rt_sigprocmask(int how, UserPtr<const abi::SigSet> set, UserPtr<abi::SigSet> old,
                                size_t set_bytes) {
    TRY(check_set_size(set_bytes));
    const abi::SigSet before = current()->blocked;
    if (set) {
        const abi::SigSet wanted = TRY(get_user(set));
        switch (static_cast<abi::SigHow>(how)) {
            case abi::SigHow::Block:
                set_current_blocked(before | wanted);
                break;
            case abi::SigHow::Unblock:
                set_current_blocked(before & ~wanted);
                break;
            case abi::SigHow::SetMask:
                set_current_blocked(wanted);
                break;
            default:
                return Errno::Inval;
        }
    }
    if (old) TRY(put_user(old, before));
    return 0;
}

Result<long> sys_rt_sigpending(UserPtr<abi::SigSet> out, size_t set_bytes) {
    if (set_bytes > sizeof(abi::SigSet)) return Errno::Inval;
    const task_struct& task = *current();
    abi::SigSet pending = 0;
    {
        const spinlock_guard guard(task.sighand->siglock);
        pending = (task.pending.signal | task.signal->shared_pending.signal) & task.blocked;
    }
    TRY(copy_to_user(out, &pending, set_bytes));
    return 0;
}

namespace {

// Sleeps with another mask until a signal comes; the old mask is back after its handler (or at once if none
// runs).
Result<long> sleep_with_mask(abi::SigSet mask) {
    task_struct& task = *current();
    task.saved_sigmask = task.blocked;
    set_current_blocked(mask);
    while (!signal_pending(&task)) {
        set_current_state(TaskState::Interruptible);
        schedule();
    }
    task.restore_sigmask = true;
    return Errno::RestartNoHand;
}

}  // namespace

Result<long> sys_rt_sigsuspend(UserPtr<const abi::SigSet> mask, size_t set_bytes) {
    TRY(check_set_size(set_bytes));
    return sleep_with_mask(TRY(get_user(mask)));
}

Result<long> sys_pause() {
    while (!signal_pending(current())) {
        set_current_state(TaskState::Interruptible);
        schedule();
    }
    return Errno::RestartNoHand;
}

Result<long> sys_rt_sigreturn() { return do_rt_sigreturn(*task_pt_regs(current())); }

Result<long> sys_restart_syscall() {
    restart_block& block = current()->restart;
    if (block.fn == nullptr) return Errno::Intr;
    return block.fn(block);
}

Result<long> sys_sigaltstack(UserPtr<const abi::SigAltStack> fresh, UserPtr<abi::SigAltStack> old) {
    task_struct& task = *current();
    const uint64_t sp = task_pt_regs(&task)->rsp;
    abi::SigAltStack before = task.sas;
    before.flags = static_cast<int32_t>(sas_ss_flags(task.sas, sp) | (before.flags & abi::kSsAutoDisarm));
    if (fresh) TRY(set_altstack(TRY(get_user(fresh)), sp));
    if (old) TRY(put_user(old, before));
    return 0;
}

namespace {

// kill(-1): everybody but init and the caller.
Result<> kill_all(int sig, const siginfo& info) {
    bool any = false;
    Errno failed{};
    const spinlock_guard guard(tasklist_lock);
    for (task_struct& leader : all_leaders) {
        if (task_pid_vnr(&leader) <= 1 || same_thread_group(&leader, current())) continue;
        any = true;
        const Result<> sent = send_sig_info(sig, info, &leader, SigTarget::Process, SigSource::User);
        // Those that may not be sent to do not count.
        if (sent.ok() || sent.error() == Errno::Perm) continue;
        failed = sent.error();
    }
    if (!any) return Errno::Srch;
    if (failed != Errno{}) return failed;
    return {};
}

Result<> kill_one(int nr, int sig, const siginfo& info) {
    const spinlock_guard guard(tasklist_lock);
    task_struct* task = find_task_by_vpid(nr);
    if (task == nullptr) return Errno::Srch;
    return send_sig_info(sig, info, task, SigTarget::Process, SigSource::User);
}

Result<> kill_group(int nr, int sig, const siginfo& info) {
    RefPtr<pid> group;
    {
        const spinlock_guard guard(tasklist_lock);
        group = RefPtr<pid>(nr == 0 ? task_pgrp(current()) : find_vpid(nr));
    }
    if (!group) return Errno::Srch;
    return kill_pgrp_info(group.get(), sig, info, SigSource::User);
}

Result<long> do_tkill(int tgid, int tid, int sig) {
    if (tid <= 0) return Errno::Inval;
    const siginfo info = info_from_current(sig, abi::kSiTkill);
    const spinlock_guard guard(tasklist_lock);
    task_struct* task = find_task_by_vpid(tid);
    if (task == nullptr || (tgid > 0 && task_tgid_vnr(task) != tgid)) return Errno::Srch;
    TRY(send_sig_info(sig, info, task, SigTarget::Thread, SigSource::User));
    return 0;
}

}  // namespace

Result<long> sys_kill(int nr, int sig) {
    const siginfo info = info_from_current(sig, abi::kSiUser);
    constexpr int kIntMin = -2147483647 - 1;
    if (nr == kIntMin) return Errno::Srch;
    if (nr > 0) {
        TRY(kill_one(nr, sig, info));
    } else if (nr == -1) {
        TRY(kill_all(sig, info));
    } else {
        TRY(kill_group(-nr, sig, info));
    }
    return 0;
}

Result<long> sys_tkill(int tid, int sig) { return do_tkill(0, tid, sig); }
Result<long> sys_tgkill(int tgid, int tid, int sig) {
    if (tgid <= 0) return Errno::Inval;
    return do_tkill(tgid, tid, sig);
}

}  // namespace guest
