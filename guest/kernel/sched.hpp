// The task: everything the kernel knows of one thread of execution.
#pragma once

#include <stdint.h>

#include "guest/arch/thread.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/kernel/futex.hpp"
#include "guest/kernel/nsproxy.hpp"
#include "guest/kernel/pid.hpp"
#include "guest/kernel/signal.hpp"
#include "guest/kernel/wait.hpp"
#include "guest/lib/handle.hpp"
#include "guest/lib/refcount.hpp"
#include "guest/mm/mm_types.hpp"

namespace guest {

struct files_struct;
struct fs_struct;
void put_files_struct(files_struct* files);
void put_fs_struct(fs_struct* fs);
struct futex_waiter;
struct sem_undo_list;
void put_undo_list(sem_undo_list* list);
struct task_struct;
void put_task_struct(task_struct* task);

// task_struct::flags
inline constexpr uint32_t PF_EXITING = 0x4, PF_FORKNOEXEC = 0x40, PF_SUPERPRIV = 0x100, PF_DUMPCORE = 0x200,
                          PF_MCE_PROCESS = 0x80, PF_SIGNALED = 0x400, PF_NPROC_EXCEEDED = 0x1000,
                          PF_MEMALLOC_NOIO = 0x80000, PF_LOCAL_THROTTLE = 0x100000, PF_KTHREAD = 0x200000,
                          PF_MCE_EARLY = 0x8000000;

// Shared by CLONE_IO.
struct io_context : RefCounted<io_context> {
    KMEM_CACHED()
    uint16_t ioprio = 0;
};

inline constexpr unsigned kCommLength = 16;
inline constexpr uint32_t kNoLogin = ~uint32_t{0};

// The scheduler's part of a task. Guarded by the run queue's lock.
struct sched_entity {
    list_head run_list;
    bool on_rq = false;
    int nice = 0;                   // -20..19
    unsigned policy = 0;            // SCHED_NORMAL
    unsigned rt_priority = 0;       // 1..99 of SCHED_FIFO and SCHED_RR, else 0
    unsigned pi_priority = 0;       // 1..99: lent by those that wait for a lock of its (futex_pi_state.hpp)
    bool reset_on_fork = false;     // children begin with SCHED_NORMAL and no negative nice value
    bool yields = false;            // behind its equals, whatever is left of its turn
    unsigned time_slice = 0;        // ticks left
    bool first_time_slice = false;  // it still runs on what its maker gave it
    uint64_t sum_exec_ticks = 0;
    uint64_t rt_ticks = 0;  // run as a real-time task since it slept last, against RLIMIT_RTTIME
    // ns: on the CPU in all, since when now; waiting in the queue in all, since when now. And turns on the
    // CPU.
    uint64_t sum_exec_runtime = 0, exec_start = 0;
    uint64_t run_delay = 0, queued_at = 0;
    uint64_t nr_turns = 0;
    uint64_t last_ran = 0;   // tick of the last switch to or from it
    uint64_t sleep_avg = 0;  // ticks slept lately, halved as they are used up
    uint64_t timer_slack_ns = 50000;
};

// restart_syscall goes on with this.
struct restart_block {
    Result<long> (*fn)(restart_block& block) = nullptr;
    uint64_t expires = 0;  // ns, CLOCK_MONOTONIC
    uint64_t words[3] = {};
};

// The members from `real_cred` to `thread_pid` are acquired in this order by copy_process, so that destroying
// a half-made task gives everything back in reverse.
struct task_struct {
    KMEM_CACHED()
    task_struct() = default;
    ~task_struct();

    KernelStack stack;
    refcount_t usage;  // itself while it runs, its parent until it is reaped, and lookups
    Atomic<TaskState> state{TaskState::Running};
    // Zombie: it has ended and waits to be reaped. Dead: nobody will. Guarded by tasklist_lock.
    TaskState exit_state = TaskState::Running;
    uint32_t flags = 0;   // PF_*
    uint32_t ptrace = 0;  // PT_*; guarded by tasklist_lock
    sched_entity se;

    // Statistics
    uint64_t utime = 0, stime = 0;  // ns
    list_head cpu_timers;           // timers that count this thread's CPU time
    uint64_t start_time = 0;        // ns, CLOCK_MONOTONIC
    uint64_t nvcsw = 0, nivcsw = 0;
    uint64_t min_flt = 0, maj_flt = 0, cow_copies = 0, cow_reuses = 0;
    io_accounting ioac;

    // Held to replace or drop the members from files to io_context, and by others to take references to them.
    mutable spinlock_t alloc_lock;
    RefPtr<const struct cred> real_cred;
    RefPtr<const struct cred> cred;
    ProcessCharge process_charge;
    Handle<sem_undo_list, put_undo_list> sysvsem;  // SEM_UNDO adjustments; null: none so far
    Handle<files_struct, put_files_struct> files;
    Handle<fs_struct, put_fs_struct> fs;
    RefPtr<sighand_struct> sighand;
    RefPtr<signal_struct> signal;
    Handle<mm_struct, mmput> mm;     // null in kernel threads
    mm_struct* active_mm = nullptr;  // whose tables it runs on; counted in mm_count while mm is null
    RefPtr<struct nsproxy> nsproxy;
    RefPtr<struct io_context> io_context;
    thread_struct thread;
    RefPtr<struct pid> thread_pid;

    pid_nr_t pid = 0;  // in the first namespace
    pid_nr_t tgid = 0;
    pid_link pids[PIDTYPE_MAX];

    // Family. Guarded by tasklist_lock.
    task_struct* real_parent = nullptr;
    task_struct* parent = nullptr;  // who gets SIGCHLD and may wait: real_parent, or the tracer
    task_struct* group_leader = nullptr;
    list_head children;  // heads `sibling`
    list_head sibling;
    list_head ptraced;       // its tracees: heads `ptrace_entry`
    list_head ptrace_entry;  // also: in the list of those that its parent's end releases
    list_head tasks;         // all thread-group leaders
    list_head thread_node;   // signal->thread_head

    // Signals. Guarded by sighand->siglock.
    sigset_t blocked = 0;
    sigset_t real_blocked = 0;  // what sigtimedwait waits for: blocked but for its sleep
    sigset_t saved_sigmask = 0;
    bool restore_sigmask = false;
    sigpending pending;
    abi::SigAltStack sas{0, abi::kSsDisable, 0, 0};
    restart_block restart;
    uint32_t jobctl = 0;  // JOBCTL_*
    // Of the stop that a tracee is in.
    siginfo* last_siginfo = nullptr;
    uint64_t ptrace_message = 0;

    // Life and death
    int exit_code = 0;    // wait status; while it is traced and stopped, what the tracer is to see
    int exit_signal = 0;  // -1: a thread that is not the leader
    int pdeath_signal = 0;
    bool did_exec = false;
    bool no_new_privs = false;  // for good, and for all children
    uint32_t personality = 0;
    uint32_t loginuid = kNoLogin, sessionid = kNoLogin;  // of the login that it comes from
    // Failure injection (mm/fault_inject.hpp): this allocation from now on fails; the next fork fails at this
    // step.
    uint64_t fail_nth = 0;
    const char* fail_step = nullptr;
    UserPtr<int32_t> set_child_tid;
    UserPtr<int32_t> clear_child_tid;
    UserPtr<void> robust_list;
    // Priority-inheriting locks: those that it owns and others wait for, what it waits for itself, and
    // whether it may still come to own any. Guarded by pi_lock.
    list_head pi_state_list;
    futex_waiter* pi_blocked_on = nullptr;
    FutexState futex_state{};
    completion* vfork_done = nullptr;

    char comm[kCommLength] = {};
    const char* wchan = nullptr;  // where it sleeps, as schedule() was told; null while it runs
    // The system call it is in: number (-1: none); arguments are in its registers. And what the last one
    // returned.
    int64_t syscall_nr = -1;
    int64_t syscall_result = 0;

    [[nodiscard]] bool is_kthread() const { return (flags & PF_KTHREAD) != 0; }
};

using TaskRef = Handle<task_struct, put_task_struct>;

extern spinlock_t tasklist_lock;
extern IntrusiveList<task_struct, &task_struct::tasks> all_leaders;
extern task_struct init_task;  // pid 0, the idle task

inline void get_task_struct(task_struct* task) { task->usage.inc(); }

// What another task holds, referenced; null once the task gave it up. Letting go of it may sleep.
using MmRef = Handle<mm_struct, mmput>;
[[nodiscard]] MmRef get_task_mm(const task_struct& task);
[[nodiscard]] Handle<files_struct, put_files_struct> get_task_files(const task_struct& task);
[[nodiscard]] Handle<fs_struct, put_fs_struct> get_task_fs(const task_struct& task);
[[nodiscard]] RefPtr<struct nsproxy> get_task_nsproxy(const task_struct& task);

[[nodiscard]] inline bool thread_group_leader(const task_struct* task) { return task->exit_signal >= 0; }
[[nodiscard]] inline bool same_thread_group(const task_struct* a, const task_struct* b) {
    return a->signal.get() == b->signal.get();
}
[[nodiscard]] inline bool thread_group_empty(const task_struct* task) {
    return task->signal->nr_threads == 1;
}

// Calls visit(thread) for each thread of task's group. tasklist_lock or siglock is held.
template <typename Visit>
void for_each_thread(const task_struct* task, Visit&& visit) {
    list_head& head = task->signal->thread_head;
    for (list_head* node = head.next; node != &head;) {
        list_head* next = node->next;
        visit(*list_entry<task_struct, &task_struct::thread_node>(node));
        node = next;
    }
}

template <typename Visit>
void do_each_pid_task(struct pid* of, PidType type, Visit&& visit) {
    list_head& head = of->tasks[type];
    for (list_head* node = head.next; node != &head;) {
        list_head* next = node->next;
        // pids[] is an array member: step back from the link to the task that holds it.
        auto* link = list_entry<pid_link, &pid_link::node>(node);
        auto* base = reinterpret_cast<char*>(link) - static_cast<size_t>(type) * sizeof(pid_link);
        visit(*reinterpret_cast<task_struct*>(base - __builtin_offsetof(task_struct, pids)));
        node = next;
    }
}

[[nodiscard]] inline uint64_t rlimit(abi::Rlimit which) {
    return current()->signal->rlim[static_cast<unsigned>(which)].current;
}

// Puts the task on the run queue if it sleeps in one of `states`; false if it did not.
bool try_to_wake_up(task_struct* task, uint32_t states);
bool wake_up_process(task_struct* task);
inline void set_current_state(TaskState state) { current()->state.store(state); }
// Gives the CPU to others if the tick asked for it: for long loops in the kernel. May sleep.
void cond_resched();

void set_task_comm(task_struct* task, const char* name);
// Tells the host.
void announce_name(const task_struct& task);

// For drivers: the tick, 100 a second.
inline constexpr uint64_t kHz = 100;
inline constexpr uint64_t kNsPerTick = 1'000'000'000 / kHz;
extern volatile uint64_t jiffies;
// CLOCK_MONOTONIC and CLOCK_REALTIME, ns.
[[nodiscard]] uint64_t ktime_get();
[[nodiscard]] uint64_t ktime_get_real();
// Sets CLOCK_REALTIME; timers that go by it move along.
void set_realtime(uint64_t ns);

}  // namespace guest
