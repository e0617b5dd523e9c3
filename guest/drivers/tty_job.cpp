// Job control: which session a terminal belongs to, which of its process groups is in the foreground.
//
// tty->session and tty->pgrp are guarded by tty->lock; signal->tty by the siglock of its process. Locks are
// taken in the order tty->lock, tasklist_lock, siglock.
#include "guest/abi/signal.hpp"
#include "guest/drivers/tty.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

bool is_controlling(const tty_struct& tty) { return current()->signal->tty == &tty; }

RefPtr<pid> foreground_of(const tty_struct& tty) {
    const spinlock_guard guard(tty.lock);
    return tty.pgrp;
}

void set_signal_tty(task_struct& task, tty_struct* tty) {
    const spinlock_guard guard(task.sighand->siglock);
    task.signal->tty = tty;
}

// Nobody in the session has a controlling terminal any more.
void clear_session_ttys(pid* session) {
    const spinlock_guard guard(tasklist_lock);
    do_each_pid_task(session, PIDTYPE_SID, [](task_struct& task) { task.signal->tty = nullptr; });
}

// The terminal becomes that of current's session.
void take_terminal(tty_struct& tty) {
    RefPtr<pid> old_session(task_session(current()));
    RefPtr<pid> old_pgrp(task_pgrp(current()));
    {
        const spinlock_guard guard(tty.lock);
        std::swap(tty.session, old_session);
        std::swap(tty.pgrp, old_pgrp);
    }
    set_signal_tty(*current(), &tty);
}

Result<int64_t> set_controlling(tty_struct& tty, uint64_t steal) {
    const signal_struct& signal = *current()->signal;
    if (signal.leader && tty.session.get() == task_session(current())) return int64_t{0};
    if (!signal.leader || signal.tty != nullptr) return Errno::Perm;
    if (tty.session) {
        if (steal != 1 || !capable(kCapSysAdmin)) return Errno::Perm;
        clear_session_ttys(tty.session.get());
    }
    take_terminal(tty);
    return int64_t{0};
}

Result<int64_t> give_up(tty_struct& tty) {
    if (!is_controlling(tty)) return Errno::NoTty;
    if (current()->signal->leader) {
        disassociate_ctty(*current());
    } else {
        set_signal_tty(*current(), nullptr);
    }
    return int64_t{0};
}

Result<int64_t> put_pid(uint64_t argument, const pid* of) {
    TRY(put_user(UserPtr<int32_t>(argument), of != nullptr ? pid_vnr(of) : 0));
    return int64_t{0};
}

Result<int64_t> set_foreground(tty_struct& tty, uint64_t argument) {
    TRY(tty_check_change(tty, abi::kSigTtou));
    if (!is_controlling(tty) || tty.session.get() != task_session(current())) return Errno::NoTty;
    const int32_t number = TRY(get_user(UserPtr<const int32_t>(argument)));
    if (number < 0) return Errno::Inval;
    RefPtr<pid> group;
    {
        const spinlock_guard guard(tasklist_lock);
        group = RefPtr<pid>(find_vpid(number));
        if (!group) return Errno::Srch;
        const task_struct* member = pid_task(group.get(), PIDTYPE_PGID);
        if (member == nullptr || task_session(member) != task_session(current())) return Errno::Perm;
    }
    const spinlock_guard guard(tty.lock);
    std::swap(tty.pgrp, group);
    return int64_t{0};
}

}  // namespace

Result<> tty_check_change(tty_struct& tty, int sig) {
    if (!is_controlling(tty)) return {};
    const RefPtr<pid> foreground = foreground_of(tty);
    pid* mine = task_pgrp(current());
    if (!foreground || foreground.get() == mine) return {};
    if (is_ignored(sig)) {
        // Who ignores SIGTTOU may write; a read has nothing to give to the background.
        if (sig == abi::kSigTtin) return Errno::Io;
        return {};
    }
    if (is_current_pgrp_orphaned()) return Errno::Io;
    kill_pgrp(mine, sig);
    return Errno::RestartSys;
}

void tty_open_proc_set_tty(tty_struct& tty) {
    const signal_struct& signal = *current()->signal;
    if (signal.leader && signal.tty == nullptr && !tty.session) take_terminal(tty);
}

void disassociate_ctty(task_struct& task) {
    tty_struct* tty = task.signal->tty;
    if (tty == nullptr) return;
    RefPtr<pid> session;
    RefPtr<pid> foreground;
    {
        const spinlock_guard guard(tty->lock);
        if (tty->session.get() != task_session(&task)) return;
        std::swap(session, tty->session);
        std::swap(foreground, tty->pgrp);
    }
    if (foreground) {
        kill_pgrp(foreground.get(), abi::kSigHup);
        kill_pgrp(foreground.get(), abi::kSigCont);
    }
    clear_session_ttys(session.get());
}

Result<int64_t> tty_job_ioctl(tty_struct& tty, uint32_t request, uint64_t argument) {
    switch (request) {
        case abi::kTiocSCtty:
            return set_controlling(tty, argument);
        case abi::kTiocNotty:
            return give_up(tty);
        case abi::kTiocGPgrp:
            if (!is_controlling(tty)) return Errno::NoTty;
            return put_pid(argument, foreground_of(tty).get());
        case abi::kTiocSPgrp:
            return set_foreground(tty, argument);
        case abi::kTiocGSid:
            if (!is_controlling(tty) || !tty.session) return Errno::NoTty;
            return put_pid(argument, tty.session.get());
        default:
            return Errno::NoTty;
    }
}

}  // namespace guest
