// Signals: pending sets, actions, what threads of a process have in common, and how to send one.
#pragma once

#include <stdint.h>

#include "guest/abi/process.hpp"
#include "guest/abi/signal.hpp"
#include "guest/kernel/cputime.hpp"
#include "guest/kernel/pid.hpp"
#include "guest/kernel/timer.hpp"
#include "guest/kernel/wait.hpp"
#include "guest/lib/refcount.hpp"

namespace guest {

struct pt_regs;
struct task_struct;
struct tty_struct;
struct user_struct;
struct k_itimer;

using sigset_t = abi::SigSet;
using siginfo = abi::SigInfo;

// One queued signal with what is told about it.
struct sigqueue {
    KMEM_CACHED()
    list_head list;
    siginfo info{};
    RefPtr<struct user_struct> user;  // charged for it
    k_itimer* timer = nullptr;        // whose own it is: it goes back there once it is taken
    bool stale = false;               // of a timer that was set anew or deleted since: nobody gets it
    sigqueue() = default;
    ~sigqueue();
};

struct sigpending {
    IntrusiveList<sigqueue, &sigqueue::list> list;
    sigset_t signal = 0;
};
void flush_sigqueue(sigpending& pending);

// The handlers: shared by CLONE_SIGHAND.
struct sighand_struct : RefCounted<sighand_struct> {
    KMEM_CACHED()
    sighand_struct() = default;
    ~sighand_struct();
    abi::SigAction action[abi::kNsig] = {};
    spinlock_t siglock;  // actions, pending sets, signal_struct's group state
    wait_queue_head signalfd_wqh;
};

// signal_struct::flags
inline constexpr uint32_t SIGNAL_STOP_STOPPED = 1, SIGNAL_STOP_CONTINUED = 2, SIGNAL_GROUP_EXIT = 4,
                          SIGNAL_CLD_STOPPED = 0x10, SIGNAL_CLD_CONTINUED = 0x20, SIGNAL_UNKILLABLE = 0x40;
// Of these there is one state at a time.
inline constexpr uint32_t SIGNAL_STOP_MASK =
    SIGNAL_STOP_STOPPED | SIGNAL_STOP_CONTINUED | SIGNAL_CLD_STOPPED | SIGNAL_CLD_CONTINUED;

// Bytes that read(2), write(2) and their like moved, and how often they were called.
struct io_accounting {
    uint64_t rchar = 0, wchar = 0, syscr = 0, syscw = 0;
    void add(const io_accounting& other) {
        rchar += other.rchar;
        wchar += other.wchar;
        syscr += other.syscr;
        syscw += other.syscw;
    }
};

// What the threads of one process have in common.
struct signal_struct : RefCounted<signal_struct> {
    KMEM_CACHED()
    signal_struct() = default;
    ~signal_struct();

    Atomic<int32_t> live{1};        // threads that have not exited
    int nr_threads = 1;             // threads not yet released
    list_head thread_head;          // through task_struct::thread_node
    wait_queue_head wait_chldexit;  // wait4
    sigpending shared_pending;

    int group_exit_code = 0;   // wait status of all, once SIGNAL_GROUP_EXIT is set
    int group_stop_count = 0;  // threads that still have to stop
    uint32_t flags = 0;        // SIGNAL_*
    // execve and exit_group wait here until notify_count threads are left.
    task_struct* group_exit_task = nullptr;
    int notify_count = 0;

    bool is_child_subreaper = false;
    bool leader = false;        // of a session
    tty_struct* tty = nullptr;  // controlling terminal, with a reference; guarded by tasklist_lock
    RefPtr<pid> tty_old_pgrp;   // of a leader: the foreground when the terminal was hung up

    // Of threads that are gone, and of children that were waited for. Nanoseconds.
    uint64_t utime = 0, stime = 0, cutime = 0, cstime = 0;
    uint64_t nvcsw = 0, nivcsw = 0, cnvcsw = 0, cnivcsw = 0;
    uint64_t min_flt = 0, maj_flt = 0, cmin_flt = 0, cmaj_flt = 0;
    uint64_t maxrss = 0, cmaxrss = 0;  // pages
    io_accounting ioac;                // of threads that are gone
    // How willingly the process is killed for want of memory, -1000 to 1000; and the lowest that it was ever
    // given by the privileged.
    int oom_score_adj = 0, oom_score_adj_min = 0;
    // It was killed for want of memory (mm/oom_kill.hpp), and does not end although it was given time.
    bool oom_victim = false, oom_skip = false;

    abi::RlimitPair rlim[abi::kRlimits] = {};

    // CPU time of all its threads, those that are gone as well, and the timers that count it.
    task_cputime cputimer;
    list_head cpu_timers;

    // Interval timers (itimer.cpp). Guarded by siglock; intervals in ns, 0: goes off once.
    timer_list real_timer;
    cpu_timer it_virt, it_prof;
    uint64_t it_real_incr = 0, it_virt_incr = 0, it_prof_incr = 0;

    // POSIX timers, through k_itimer::list in the order in which they were made. Guarded by siglock.
    list_head posix_timers;
    int next_posix_timer_id = 0;
    bool restores_timer_ids = false;  // timer_create is told which id (PR_TIMER_CREATE_RESTORE_IDS)
};

// All threads, or all but one that is in execve, are on their way out.
[[nodiscard]] inline bool signal_group_exit(const signal_struct& signal) {
    return (signal.flags & SIGNAL_GROUP_EXIT) != 0 || signal.group_exit_task != nullptr;
}

// Who sends: a program by kill(), which may not be allowed to, or the kernel, which always is.
enum class SigSource { User, Kernel };
// To one thread or to whichever thread of the process takes it.
enum class SigTarget { Thread, Process };

// Srch when the task is gone, Again when a real-time signal cannot be queued, Perm when current may not send
// it. sig 0 only checks.
Result<void> send_sig_info(int sig, const siginfo& info, task_struct* task, SigTarget target,
                           SigSource source);
// As kill() would: from current's process.
[[nodiscard]] siginfo info_from_current(int sig, int32_t code);
// The same from the kernel, with a siginfo that says no more than that.
void send_sig(int sig, task_struct* task);
void send_group_sig(int sig, task_struct* task);
// SIGKILL to a process, also to the init of a namespace.
void kill_process(task_struct* task);
// The same with task's siglock held.
void send_sig_locked(int sig, const siginfo& info, task_struct* task, SigTarget target);
// What kill() tells: that it comes from current's process.
[[nodiscard]] siginfo info_from_current(int sig, int32_t code);

// A timer's own entry, kept for all its signals. Again: RLIMIT_SIGPENDING is reached, or no memory.
Result<sigqueue*> sigqueue_alloc(int sig);
// Queues it with task's siglock held; false if it is queued already or the signal is ignored.
bool send_sigqueue(sigqueue& entry, task_struct* task, SigTarget target);

// To each process of a process group. Srch if it is empty; otherwise Ok if it reached one, else the last
// error.
Result<void> kill_pgrp_info(pid* group, int sig, const siginfo& info, SigSource source);
// From the kernel: what a tty does for ^C.
void kill_pgrp(pid* group, int sig);

// A fault of the task itself: the signal is unblocked, and an ignored one kills.
void force_sig_info(int sig, const siginfo& info, task_struct* task);
void force_sig(int sig, task_struct* task);

// A background task that touches its terminal.
[[nodiscard]] bool is_current_pgrp_orphaned();
[[nodiscard]] bool is_ignored(int sig);  // by current: ignored or blocked

// Makes signal_pending() right again after a change of masks or pending sets. siglock is held.
void recalc_sigpending_tsk(task_struct* task);
void recalc_sigpending();
// Replaces current's mask (KILL and STOP stay deliverable).
void set_current_blocked(sigset_t blocked);
// On the way back to user mode: delivers what is pending, or arranges a restart.
void do_signal(pt_regs& regs);
// Takes a signal that is in `mask` off current's sets; 0 if there is none.
int dequeue_signal(task_struct* task, sigset_t mask, siginfo& info);

enum class Wake { Normal, Fatal };
void signal_wake_up(task_struct* task, Wake how);
// New handlers for execve: caught signals go back to default, ignored ones stay ignored.
void flush_signal_handlers(task_struct* task);
// Changes an action as sigaction does; the old one in *old, if given.
Result<void> do_sigaction(int sig, const abi::SigAction* fresh, abi::SigAction* old);

struct ksignal {
    abi::SigAction action{};
    siginfo info{};
    int sig = 0;
};
// The next signal that a handler is to be called for; false if there is none. Default actions happen inside,
// and may not return.
bool get_signal(ksignal& out);
// A handler for `taken` is about to run.
void signal_delivered(const ksignal& taken);

// current is on its way out: it takes no signal of the process any more, and does not stop with it.
void exit_signals(task_struct& task);

// execve: signals of POSIX timers, which are deleted.
void flush_itimer_signals(task_struct& task);

// Ends every other thread of current's process; they are on their way when it returns.
void zap_other_threads(task_struct* task);

}  // namespace guest
