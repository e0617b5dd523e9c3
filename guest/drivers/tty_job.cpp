// Job control: which session a terminal belongs to, which of its process groups is in the foreground.
//
// tty->session and tty->pgrp are guarded by tty->lock, signal->tty by tasklist_lock. Locks are taken in the
// order tty->lock, tasklist_lock, siglock.
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

// The terminal becomes that of current's session.
void take_terminal(tty_struct& tty) {
    RefPtr<pid> old_session(task_session(current()));
    RefPtr<pid> old_pgrp(task_pgrp(current()));
    {
        const spinlock_guard guard(tty.lock);
        std::swap(tty.session, old_session);
        std::swap(tty.pgrp, old_pgrp);
    }
    tty.get();
    const spinlock_guard guard(tasklist_lock);
    current()->signal->tty = &tty;
}

Result<int64_t> set_controlling(const file& f, tty_struct& tty, uint64_t steal) {
    const signal_struct& signal = *current()->signal;
    if (signal.leader && tty.session.get() == task_session(current())) return int64_t{0};
    if (!signal.leader || signal.tty != nullptr) return Errno::Perm;
    if (tty.session) {
        if (steal != 1 || !capable(kCapSysAdmin)) return Errno::Perm;
        session_clear_tty(RefPtr<pid>(tty.session).get());
    }
    // Who may not read what is typed there does not get it for a terminal.
    if ((f.f_mode & file::kRead) == 0 && !capable(kCapSysAdmin)) return Errno::Perm;
    take_terminal(tty);
    return int64_t{0};
}

Result<int64_t> give_up(tty_struct& tty) {
    if (!is_controlling(tty)) return Errno::NoTty;
    if (current()->signal->leader) {
        disassociate_ctty(*current(), LeaderDoes::GiveUp);
    } else {
        proc_clear_tty(*current());
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

RefPtr<tty_struct> get_task_tty(task_struct& task) {
    const spinlock_guard guard(tasklist_lock);
    return RefPtr<tty_struct>(task.signal->tty);
}

void proc_clear_tty(task_struct& task) {
    RefPtr<tty_struct> gone;
    const spinlock_guard guard(tasklist_lock);
    gone = RefPtr<tty_struct>::adopt(std::exchange(task.signal->tty, nullptr));
}

void session_clear_tty(pid* session) {
    const spinlock_guard guard(tasklist_lock);
    do_each_pid_task(session, PIDTYPE_SID, [](task_struct& task) {
        if (tty_struct* tty = std::exchange(task.signal->tty, nullptr)) tty->put();
    });
}

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

Result<int64_t> tty_job_ioctl(file& f, tty_struct& tty, TtySide side, uint32_t request, uint64_t argument) {
    // The master's owner may ask about a session that is not his.
    const bool may_ask = side == TtySide::Master || is_controlling(tty);
    switch (request) {
        case abi::kTiocSCtty:
            return set_controlling(f, tty, argument);
        case abi::kTiocNotty:
            return side == TtySide::Master ? Errno::NoTty : give_up(tty);
        case abi::kTiocGPgrp:
            if (!may_ask) return Errno::NoTty;
            return put_pid(argument, foreground_of(tty).get());
        case abi::kTiocSPgrp:
            return set_foreground(tty, argument);
        case abi::kTiocGSid:
            if (!may_ask || !tty.session) return Errno::NoTty;
            return put_pid(argument, tty.session.get());
        default:
            return Errno::NoTty;
    }
}

}  // namespace guest
