// SIGCHLD: what parents and tracers are told of the end, the stop and the continuation of a task.
#include "guest/kernel/exit.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

int64_t to_clock_ticks(uint64_t ns) { return static_cast<int64_t>(ns / kNsPerTick); }

siginfo child_info(const task_struct& task, const task_struct& parent, int code, int status) {
    siginfo info{};
    info.signo = abi::kSigChld;
    info.code = code;
    info.child.pid = pid_nr_ns(task.thread_pid.get(), task_active_pid_ns(&parent));
    info.child.uid = task.cred->uid;
    info.child.status = status;
    info.child.utime = to_clock_ticks(task.utime + task.signal->utime);
    info.child.stime = to_clock_ticks(task.stime + task.signal->stime);
    return info;
}

}  // namespace

bool do_notify_parent(task_struct* task, int sig) {
    task_struct* parent = task->parent;
    const bool group_exit = (task->signal->flags & SIGNAL_GROUP_EXIT) != 0;
    const int status = group_exit ? task->signal->group_exit_code : task->exit_code;
    const int killer = status & 0x7f;
    const int code = killer == 0 ? abi::kCldExited : (status & 0x80) != 0 ? abi::kCldDumped : abi::kCldKilled;
    siginfo info = child_info(*task, *parent, code, killer == 0 ? (status >> 8) & 0xff : killer);
    info.signo = sig;
    bool autoreap = false;
    wake_up_all(task->thread_pid->wait_pidfd);
    const spinlock_guard guard(parent->sighand->siglock);
    const abi::SigAction& action = parent->sighand->action[abi::kSigChld - 1];
    if (task->ptrace == 0 && sig == abi::kSigChld &&
        (action.handler == abi::kSigIgn || (action.flags & abi::kSaNoCldWait) != 0)) {
        // The parent said that it will not wait.
        autoreap = true;
        if (action.handler == abi::kSigIgn) sig = 0;
    }
    // clone takes any number as an exit signal; only signals are sent.
    if (sig > 0 && sig <= abi::kNsig) send_sig_locked(sig, info, parent, SigTarget::Process);
    wake_up_all(parent->signal->wait_chldexit);
    return autoreap;
}

void do_notify_parent_cldstop(task_struct* task, Notified whom, int why) {
    task_struct* parent = task->parent;
    if (whom == Notified::Parent) {
        task = task->group_leader;
        parent = task->real_parent;
    }
    const int status = why == abi::kCldContinued ? abi::kSigCont
                       : why == abi::kCldStopped ? task->signal->group_exit_code & 0x7f
                                                 : task->exit_code & 0x7f;
    const siginfo info = child_info(*task, *parent, why, status);
    const spinlock_guard guard(parent->sighand->siglock);
    const abi::SigAction& action = parent->sighand->action[abi::kSigChld - 1];
    if (action.handler != abi::kSigIgn && (action.flags & abi::kSaNoCldStop) == 0) {
        send_sig_locked(abi::kSigChld, info, parent, SigTarget::Process);
    }
    wake_up_all(parent->signal->wait_chldexit);
}

}  // namespace guest
