// Tasks: groups, families, tracees and pids name each other, and what is shared is counted for each that
// shares it.
#include "guest/fs/fdtable.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/kernel/check.hpp"
#include "guest/kernel/fork.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/kernel/sched_core.hpp"

namespace guest {

namespace {

// With more tasks than this the sharers are not counted: every task is compared with every other.
constexpr uint64_t kMostCompared = 200;

template <typename Visit>
void for_each_task(Visit&& visit) {
    for (task_struct& leader : all_leaders) {
        for_each_thread(&leader, [&](task_struct& thread) { visit(thread, leader); });
    }
}

void check_pid(check_report& report, task_struct& task) {
    struct pid* of = task.pids[PIDTYPE_PID].of.get();
    if (of == nullptr || of != task.thread_pid.get() || pid_nr(of) != task.pid) {
        report.fault("task %d has another pid", task.pid);
        return;
    }
    if (pid_task(of, PIDTYPE_PID) != &task) report.fault("pid %d is not that of its task", task.pid);
    if (!thread_group_leader(&task)) return;
    if (task.pids[PIDTYPE_PGID].of.get() == nullptr || task.pids[PIDTYPE_SID].of.get() == nullptr) {
        report.fault("process %d has no process group or session", task.pid);
    }
}

void check_family(check_report& report, task_struct& task) {
    for (list_head* node = task.children.next; node != &task.children; node = node->next) {
        const task_struct& child = *list_entry<task_struct, &task_struct::sibling>(node);
        if (child.real_parent != &task)
            report.fault("child %d of %d has another parent", child.pid, task.pid);
    }
    for (list_head* node = task.ptraced.next; node != &task.ptraced; node = node->next) {
        const task_struct& tracee = *list_entry<task_struct, &task_struct::ptrace_entry>(node);
        if (tracee.ptrace == 0 || tracee.parent != &task) {
            report.fault("tracee %d of %d has another tracer", tracee.pid, task.pid);
        }
    }
    if (task.ptrace == 0 && task.parent != task.real_parent) {
        report.fault("task %d reports to %d, but is not traced", task.pid, task.parent->pid);
    }
}

// Sharers are counted, in at least as many references.
void check_shared(check_report& report, task_struct& task) {
    int32_t users = 0, files = 0, fs = 0, sighand = 0;
    for_each_task([&](task_struct& other, task_struct&) {
        users += other.mm.get() == task.mm.get() ? 1 : 0;
        files += other.files.get() == task.files.get() ? 1 : 0;
        fs += other.fs.get() == task.fs.get() ? 1 : 0;
        sighand += other.sighand.get() == task.sighand.get() ? 1 : 0;
    });
    if (task.mm.get() != nullptr && task.mm->mm_users.load() < users) {
        report.fault("task %d: %d use its memory, but %d are counted", task.pid, users,
                     task.mm->mm_users.load());
    }
    if (task.files.get() != nullptr && task.files->ref_count() < files) {
        report.fault("task %d: %d use its files, but %d are counted", task.pid, files,
                     task.files->ref_count());
    }
    if (task.fs.get() != nullptr && task.fs->ref_count() < fs) {
        report.fault("task %d: %d use its directory, but %d are counted", task.pid, fs, task.fs->ref_count());
    }
    if (task.sighand.get() != nullptr && task.sighand->ref_count() < sighand) {
        report.fault("task %d: %d use its handlers, but %d are counted", task.pid, sighand,
                     task.sighand->ref_count());
    }
}

void check_group(check_report& report, task_struct& leader) {
    int threads = 0;
    for_each_thread(&leader, [&](task_struct& thread) {
        ++threads;
        if (thread.group_leader != &leader || thread.tgid != leader.pid ||
            thread.signal.get() != leader.signal.get() || thread.sighand.get() != leader.sighand.get()) {
            report.fault("thread %d of process %d belongs elsewhere", thread.pid, leader.pid);
        }
    });
    if (threads != leader.signal->nr_threads || leader.signal->live.load() > threads) {
        report.fault("process %d counts %d threads, not %d", leader.pid, leader.signal->nr_threads, threads);
    }
}

}  // namespace

void check_tasks(check_report& report) {
    const spinlock_guard guard(tasklist_lock);
    uint64_t queued = 0;
    for (task_struct& leader : all_leaders) check_group(report, leader);
    for_each_task([&](task_struct& task, task_struct&) {
        ++report.tasks;
        if (task.usage.load() <= 0) report.fault("task %d is in the list, but has no references", task.pid);
        if (task.se.on_rq) ++queued;
        if (task.se.on_rq && task.exit_state == TaskState::Dead)
            report.fault("dead task %d is queued to run", task.pid);
        check_pid(report, task);
        check_family(report, task);
    });
    if (report.tasks != static_cast<uint64_t>(nr_threads)) {
        report.fault("%lu tasks are listed, %d are counted", report.tasks, nr_threads);
    }
    // nr_running() counts the one that runs, which is not in the queue.
    if (nr_running() < queued) report.fault("%lu tasks are queued, but %u are counted", queued, nr_running());
    if (report.tasks > kMostCompared) return;
    for_each_task([&](task_struct& task, task_struct&) { check_shared(report, task); });
}

}  // namespace guest
