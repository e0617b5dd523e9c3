// Who a task is: pids, process groups, sessions.
#include "guest/drivers/tty.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

Result<long> sys_getpid() { return task_tgid_vnr(current()); }
Result<long> sys_gettid() { return task_pid_vnr(current()); }

Result<long> sys_getppid() {
    const spinlock_guard guard(tasklist_lock);
    return task_tgid_vnr(current()->real_parent);
}

Result<long> sys_set_tid_address(UserPtr<int32_t> address) {
    current()->clear_child_tid = address;
    return task_pid_vnr(current());
}

namespace {

// 0 is the caller. tasklist_lock is held.
Result<task_struct*> find_task(int nr) {
    task_struct* task = nr == 0 ? current() : find_task_by_vpid(nr);
    if (task == nullptr) return Errno::Srch;
    return task;
}

}  // namespace

Result<long> sys_getpgid(int nr) {
    const spinlock_guard guard(tasklist_lock);
    return task_pgrp_vnr(TRY(find_task(nr)));
}
Result<long> sys_getpgrp() { return sys_getpgid(0); }

Result<long> sys_getsid(int nr) {
    const spinlock_guard guard(tasklist_lock);
    return task_session_vnr(TRY(find_task(nr)));
}

Result<long> sys_setpgid(int nr, int pgid) {
    task_struct* leader = current()->group_leader;
    if (pgid < 0 || (pgid == 0 && nr < 0)) return Errno::Inval;
    const spinlock_guard guard(tasklist_lock);
    task_struct* task = nr == 0 ? leader : find_task_by_vpid(nr);
    if (task == nullptr) return Errno::Srch;
    if (!thread_group_leader(task)) return Errno::Inval;
    if (same_thread_group(task->real_parent, leader)) {
        // A child, which has not yet become a program of its own.
        if (task_session(task) != task_session(leader)) return Errno::Perm;
        if (task->did_exec) return Errno::Access;
    } else if (task != leader) {
        return Errno::Srch;
    }
    if (task->signal->leader) return Errno::Perm;
    RefPtr<pid> group = task->thread_pid;
    if (pgid != 0 && pgid != task_pid_vnr(task)) {
        pid* other = find_vpid(pgid);
        const task_struct* member = pid_task(other, PIDTYPE_PGID);
        if (member == nullptr || task_session(member) != task_session(leader)) return Errno::Perm;
        group = RefPtr<pid>(other);
    }
    if (task_pgrp(task) != group.get()) change_pid(task, PIDTYPE_PGID, std::move(group));
    return 0;
}

Result<long> sys_setsid() {
    task_struct* leader = current()->group_leader;
    RefPtr<tty_struct> terminal;
    const spinlock_guard guard(tasklist_lock);
    const RefPtr<pid> session = leader->thread_pid;
    if (leader->signal->leader || pid_task(session.get(), PIDTYPE_PGID) != nullptr) return Errno::Perm;
    leader->signal->leader = true;
    terminal = RefPtr<tty_struct>::adopt(std::exchange(leader->signal->tty, nullptr));
    change_pid(leader, PIDTYPE_SID, session);
    change_pid(leader, PIDTYPE_PGID, session);
    return pid_vnr(session.get());
}

}  // namespace guest
