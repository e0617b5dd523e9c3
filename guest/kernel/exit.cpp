// do_exit and release_task.
#include "guest/kernel/exit.hpp"

#include "guest/arch/event_port.hpp"
#include "guest/arch/power.hpp"
#include "guest/arch/tlb.hpp"
#include "guest/drivers/tty.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/kernel/check.hpp"
#include "guest/kernel/fork.hpp"
#include "guest/kernel/futex.hpp"
#include "guest/kernel/itimer.hpp"
#include "guest/kernel/posix_timers.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/kernel/sched_core.hpp"
#include "guest/lib/printk.hpp"

namespace guest {

DEFINE_KMEM_CACHE(task_struct)

constinit spinlock_t tasklist_lock;
constinit IntrusiveList<task_struct, &task_struct::tasks> all_leaders;

task_struct::~task_struct() = default;

void put_task_struct(task_struct* task) {
    if (task->usage.dec_and_test()) delete task;
}

signal_struct::~signal_struct() {
    flush_sigqueue(shared_pending);
    if (tty != nullptr) tty->put();
}

namespace {

// What is over becomes the process's.
void account_thread(const task_struct& task) {
    signal_struct& signal = *task.signal;
    signal.utime += task.utime;
    signal.stime += task.stime;
    signal.min_flt += task.min_flt;
    signal.maj_flt += task.maj_flt;
    signal.nvcsw += task.nvcsw;
    signal.nivcsw += task.nivcsw;
    signal.ioac.add(task.ioac);
}

// Out of the thread group and off the pids. tasklist_lock is held.
void unhash_process(task_struct* task) {
    --nr_threads;
    task->thread_node.unlink();
    wake_up_all(task->thread_pid->wait_pidfd);
    detach_pid(task, PIDTYPE_PID);
    if (thread_group_leader(task)) {
        detach_pid(task, PIDTYPE_PGID);
        detach_pid(task, PIDTYPE_SID);
        task->tasks.unlink();
        task->sibling.unlink();
    }
}

// Whoever waits for the other threads to be gone: execve.
void notify_group_exit_task(signal_struct& signal) {
    if (signal.group_exit_task != nullptr && signal.nr_threads - 1 <= signal.notify_count) {
        wake_up_process(signal.group_exit_task);
    }
}

}  // namespace

void release_task(task_struct* task) {
    announce(abi::Announcement::TaskReap, static_cast<uint64_t>(task->pid),
             static_cast<uint64_t>(current()->pid));
    task_struct* zombie_leader = nullptr;
    {
        const spinlock_guard guard(tasklist_lock);
        ptrace_unlink(*task);
        {
            const spinlock_guard siglock_guard(task->sighand->siglock);
            flush_sigqueue(task->pending);
            account_thread(*task);
            --task->signal->nr_threads;
            notify_group_exit_task(*task->signal);
        }
        sched_exit(*task);
        unhash_process(task);
        // The last thread of a group whose leader went before: now the leader's end can be told.
        task_struct* leader = task->group_leader;
        if (leader != task && leader->exit_state == TaskState::Zombie && thread_group_empty(leader)) {
            if (do_notify_parent(leader, leader->exit_signal)) {
                leader->exit_state = TaskState::Dead;
                zombie_leader = leader;
            }
        }
    }
    put_task_struct(task);
    if (zombie_leader != nullptr) release_task(zombie_leader);
}

namespace {

[[noreturn]] void init_exited(int code) {
    // What a shell would show of it.
    const int status = (code & 0x7f) != 0 ? 128 + (code & 0x7f) : (code >> 8) & 0xff;
    if ((code & 0x7f) != 0) pr_err("init was killed by signal %d\n", code & 0x7f);
    check_at_end();
    machine_power_off(static_cast<uint8_t>(status));
}

// A thread leaves its memory: first those who wait for that are told, then the tables are unloaded.
void exit_mm(task_struct& task) {
    mm_struct* mm = task.mm.get();
    mm_release(task, mm);
    if (mm == nullptr) return;
    const uint64_t rss = mm->hiwater_rss;
    if (task.signal->maxrss < rss) task.signal->maxrss = rss;
    mm->mm_count.inc();
    {
        const spinlock_guard guard(task.alloc_lock);
        (void)task.mm.leak();
        task.active_mm = mm;
    }
    mmput(mm);
}

// What others may look at is out of their reach before it goes.
void exit_shares(task_struct& task) {
    Handle<files_struct, put_files_struct> files;
    Handle<fs_struct, put_fs_struct> fs;
    RefPtr<struct nsproxy> nsproxy;
    {
        const spinlock_guard guard(task.alloc_lock);
        files = std::move(task.files);
        fs = std::move(task.fs);
        nsproxy = std::move(task.nsproxy);
    }
    files.reset();
    fs.reset();
    task.io_context.reset();
}

task_struct* find_alive_thread(task_struct& process) {
    task_struct* alive = nullptr;
    for_each_thread(&process, [&](task_struct& thread) {
        if (alive == nullptr && (thread.flags & PF_EXITING) == 0) alive = &thread;
    });
    return alive;
}

// Who takes over the children of a task that is ending: another thread of its process, the next ancestor that
// asked for it (PR_SET_CHILD_SUBREAPER), or the namespace's init.
task_struct* find_new_reaper(task_struct& father) {
    if (task_struct* heir = find_alive_thread(father)) return heir;
    const pid_namespace& ns = task_active_pid_ns(&father);
    for (task_struct* above = father.real_parent; above != &init_task && &task_active_pid_ns(above) == &ns;
         above = above->real_parent) {
        if (above->group_leader == ns.child_reaper) break;
        if (!above->signal->is_child_subreaper) continue;
        if (task_struct* heir = find_alive_thread(*above)) return heir;
    }
    // A namespace whose init is ending has nobody else: what is left in it goes up.
    const pid_namespace* at = &ns;
    while (at->child_reaper == nullptr || at->child_reaper == father.group_leader) {
        if (at->parent == nullptr) break;
        at = at->parent.get();
    }
    return at->child_reaper;
}

// child, of which father was the parent, has another process for a parent now.
void reparent_leader(task_struct& child, task_struct& father, list_head& dead) {
    if (child.exit_state == TaskState::Dead) return;
    child.exit_signal = abi::kSigChld;
    // One that its tracer has not seen yet is told when it has.
    if (child.ptrace == 0 && child.exit_state == TaskState::Zombie && thread_group_empty(&child)) {
        if (do_notify_parent(&child, child.exit_signal)) {
            child.exit_state = TaskState::Dead;
            list_add_tail(child.ptrace_entry, dead);
        }
    }
    kill_orphaned_pgrp(&child, &father);
}

// tasklist_lock is held. Children that nobody will wait for are linked into `dead`.
void forget_original_parent(task_struct& father, list_head& dead) {
    exit_ptrace(father, dead);
    task_struct* reaper = find_new_reaper(father);
    for (list_head* node = father.children.next; node != &father.children;) {
        task_struct& child = *list_entry<task_struct, &task_struct::sibling>(node);
        node = node->next;
        for_each_thread(&child, [&](task_struct& thread) {
            thread.real_parent = reaper;
            if (thread.ptrace == 0) thread.parent = reaper;
            const int sig = thread.pdeath_signal;
            if (sig == 0) return;
            const siginfo info = info_from_current(sig, abi::kSiUser);
            (void)send_sig_info(sig, info, &thread, SigTarget::Process, SigSource::Kernel).ok();
        });
        child.sibling.unlink();
        list_add_tail(child.sibling, reaper->children);
        if (!same_thread_group(reaper, &father)) reparent_leader(child, father, dead);
    }
}

// Tells everybody who is to know. True if the task is to be reaped at once.
bool exit_notify(task_struct& task, bool group_dead) {
    list_head dead;  // by ptrace_entry
    bool autoreap = false;
    {
        const spinlock_guard guard(tasklist_lock);
        forget_original_parent(task, dead);
        if (group_dead) kill_orphaned_pgrp(task.group_leader, nullptr);
        if (task.ptrace != 0) {
            const bool is_own =
                thread_group_leader(&task) && thread_group_empty(&task) && !ptrace_reparented(task);
            autoreap = do_notify_parent(&task, is_own ? task.exit_signal : abi::kSigChld);
        } else if (!thread_group_leader(&task)) {
            autoreap = true;
        } else if (thread_group_empty(&task)) {
            autoreap = do_notify_parent(&task, task.exit_signal);
        }
        task.exit_state = autoreap ? TaskState::Dead : TaskState::Zombie;
        // execve in another thread waits for a leader to become a zombie.
        notify_group_exit_task(*task.signal);
    }
    while (!list_empty(dead)) {
        task_struct* child = list_entry<task_struct, &task_struct::ptrace_entry>(dead.next);
        child->ptrace_entry.unlink();
        release_task(child);
    }
    return autoreap;
}

}  // namespace

void do_exit(int code) {
    task_struct& task = *current();
    if (in_interrupt()) panic("exit in an interrupt");
    if (&task == &init_task) panic("the idle task exits");
    BUG_ON((task.flags & PF_EXITING) != 0);
    ptrace_event(abi::kPtraceEventExit, static_cast<uint64_t>(code));
    exit_signals(task);
    const bool group_dead = task.signal->live.fetch_sub(1) == 1;
    if (group_dead && task_active_pid_ns(&task).child_reaper == task.group_leader) {
        if (task.tgid == 1) init_exited(code);
        zap_pid_ns_processes(task_active_pid_ns(&task));
    }
    posix_cpu_timers_exit(task, group_dead ? GroupDead::Yes : GroupDead::No);
    if (group_dead) {
        itimers_exit(*task.signal);
        exit_itimers(task);
    }
    task.exit_code = code;
    futex_exit_release(task);
    exit_mm(task);
    // What it owes to semaphores is settled here, if it is the last that does.
    task.sysvsem.reset();
    exit_shares(task);
    announce(abi::Announcement::TaskExit, static_cast<uint64_t>(task.pid), static_cast<uint64_t>(code));
    if (group_dead && task.signal->leader) disassociate_ctty(task, LeaderDoes::End);
    if (group_dead) check_at_exit();
    if (exit_notify(task, group_dead)) release_task(&task);
    schedule_dead();
}

void do_group_exit(int code) {
    task_struct& task = *current();
    signal_struct& signal = *task.signal;
    if (signal_group_exit(signal)) do_exit(signal.group_exit_code);
    if (!thread_group_empty(&task)) {
        const spinlock_guard guard(task.sighand->siglock);
        if (signal_group_exit(signal)) {
            code = signal.group_exit_code;
        } else {
            signal.group_exit_code = code;
            signal.flags = SIGNAL_GROUP_EXIT;
            zap_other_threads(&task);
        }
    }
    do_exit(code);
}

}  // namespace guest
