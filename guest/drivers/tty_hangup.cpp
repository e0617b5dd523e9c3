// Hanging up: the line goes away, or the session that it belonged to ends.
#include "guest/abi/signal.hpp"
#include "guest/drivers/tty.hpp"
#include "guest/fs/poll.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

// Each process of the session loses the terminal, and its leader is told. What was in the foreground is told
// when the leader ends (disassociate_ctty).
void take_from_session(tty_struct& tty, pid* session, const RefPtr<pid>& foreground) {
    const spinlock_guard guard(tasklist_lock);
    do_each_pid_task(session, PIDTYPE_SID, [&](task_struct& task) {
        signal_struct& signal = *task.signal;
        if (signal.tty == &tty) {
            signal.tty = nullptr;
            tty.put();  // the caller has a reference, too
        }
        if (!signal.leader) return;
        send_group_sig(abi::kSigHup, &task);
        send_group_sig(abi::kSigCont, &task);
        signal.tty_old_pgrp = foreground;
    });
}

}  // namespace

void tty_vhangup(tty_struct& tty, HangupFor reason) {
    const RefPtr<tty_struct> alive(&tty);
    RefPtr<pid> session;
    RefPtr<pid> foreground;
    {
        const spinlock_guard guard(tty.lock);
        ++tty.hangups;
        tty.ldisc.flush_input();
        tty.stopped = false;
        std::swap(session, tty.session);
        std::swap(foreground, tty.pgrp);
    }
    if (session) take_from_session(tty, session.get(), foreground);
    if (foreground && reason == HangupFor::SessionEnd) kill_pgrp(foreground.get(), abi::kSigHup);
    wake_up_poll(tty.read_wait, abi::kPollReadable | abi::kPollHup);
    wake_up_poll(tty.write_wait, abi::kPollWritable | abi::kPollHup);
}

void disassociate_ctty(task_struct& task, LeaderDoes what) {
    const bool ends = what == LeaderDoes::End;
    const RefPtr<tty_struct> tty = get_task_tty(task);
    RefPtr<pid> group;
    if (!tty) {
        // The foreground of a terminal that was hung up before.
        std::swap(group, task.signal->tty_old_pgrp);
        if (!ends || !group) return;
        kill_pgrp(group.get(), abi::kSigHup);
        kill_pgrp(group.get(), abi::kSigCont);
        return;
    }
    if (ends && tty->ops.line == TtyLine::Real) {
        tty_vhangup(*tty, HangupFor::SessionEnd);
        return;
    }
    RefPtr<pid> session;
    {
        const spinlock_guard guard(tty->lock);
        std::swap(session, tty->session);
        std::swap(group, tty->pgrp);
    }
    if (group) {
        kill_pgrp(group.get(), abi::kSigHup);
        if (!ends) kill_pgrp(group.get(), abi::kSigCont);
    }
    session_clear_tty(task_session(&task));
}

Result<long> sys_vhangup() {
    if (!capable(kCapSysTtyConfig)) return Errno::Perm;
    if (const RefPtr<tty_struct> tty = get_task_tty(*current())) tty_vhangup(*tty, HangupFor::Line);
    return 0;
}

}  // namespace guest
